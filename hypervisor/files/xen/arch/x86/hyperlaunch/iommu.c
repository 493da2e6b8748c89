/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Isolation of the devices of a hardware domain without CONTROL from the
 * memory of other domains.  With CONTROL it has access to that in any case, so
 * its IOMMU context is set by Xen's command line.
 */

#include <xen/hyperlaunch-record.h>
#include <xen/iommu.h>
#include <xen/lib.h>

#include "private.h"

/* Settings of Xen's command line. */
static struct {
    bool taken, strict, passthrough, inclusive;
} saved __initdata;

static bool __init must_be_confined(const struct lcm_domain *dom)
{
    return (dom->permissions & LCM_PERM_HARDWARE) &&
           !(dom->permissions & LCM_PERM_CONTROL);
}

int __init arch_hyperlaunch_may_run(const struct lcm_domain *dom,
                                    struct hl_build_error *err)
{
    if ( !must_be_confined(dom) || iommu_enabled || hyperlaunch_weak_hwdom )
        return 0;

    return hyperlaunch_fail(err, LCM_ERR_NO_IOMMU, dom->node, "permissions",
                            -EOPNOTSUPP);
}

/*
 * Xen reads these while it creates the hardware domain.  A relaxed context
 * maps all RAM but Xen's, an inclusive one also the rest below 4 GiB, and
 * passthrough translates nothing.
 */
void __init hyperlaunch_confine(const struct lcm_domain *dom)
{
    if ( !must_be_confined(dom) || !iommu_enabled )
        return;

    saved.taken = true;
    saved.strict = iommu_hwdom_strict;
    saved.passthrough = iommu_hwdom_passthrough;
    saved.inclusive = iommu_hwdom_inclusive;

    iommu_hwdom_strict = true;
    iommu_hwdom_passthrough = false;
    iommu_hwdom_inclusive = false;
}

void __init hyperlaunch_unconfine(void)
{
    if ( !saved.taken )
        return;

    iommu_hwdom_strict = saved.strict;
    iommu_hwdom_passthrough = saved.passthrough;
    iommu_hwdom_inclusive = saved.inclusive;
    saved.taken = false;
}

void __init hyperlaunch_report_iommu(const struct lcm_domain *dom)
{
    if ( !must_be_confined(dom) )
        return;

    if ( !iommu_enabled )
    {
        /* Only built: arch_hyperlaunch_may_run() does not let it run. */
        if ( !hyperlaunch_weak_hwdom )
            return;

        hyperlaunch_info_rw()->flags |= XEN_HYPERLAUNCH_INFO_WEAK_HWDOM;
        printk(XENLOG_WARNING
               "hyperlaunch: warning: d%u: weak-hwdom: there is no IOMMU,"
               " its devices can access all memory\n", dom->domid);
        return;
    }

    printk("hyperlaunch: d%u: strict IOMMU context\n", dom->domid);
    if ( !iommu_intremap )
        printk(XENLOG_WARNING
               "hyperlaunch: warning: d%u: no interrupt remapping,"
               " its devices can raise any interrupt\n", dom->domid);
}

/*
 * Local variables:
 * mode: C
 * c-file-style: "BSD"
 * c-basic-offset: 4
 * tab-width: 4
 * indent-tabs-mode: nil
 * End:
 */
