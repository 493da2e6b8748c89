/* SPDX-License-Identifier: GPL-2.0-only */
/* Creating one initial domain: the hardware domain or a guest. */

#include <xen/domain.h>
#include <xen/err.h>
#include <xen/grant_table.h>
#include <xen/hyperlaunch-launch.h>
#include <xen/iommu.h>
#include <xen/lib.h>
#include <xen/sched.h>

#include <asm/dom0_build.h>
#include <asm/hvm/support.h>
#include <asm/hyperlaunch.h>
#include <asm/pv/domain.h>
#include <asm/setup.h>

#include <public/hvm/params.h>

#include "private.h"

struct hl_dom0 __initdata hyperlaunch_dom0;

static unsigned long __init nr_pages_of(const struct lcm_domain *dom)
{
    return DIV_ROUND_UP(dom->memory_kib, PAGE_SIZE >> 10);
}

void __init arch_hyperlaunch_limits(struct lcm_limits *limits)
{
    limits->platform = LCM_PLATFORM_X86;
    limits->nr_modules = hyperlaunch_nr_modules();
    limits->no_modules = !limits->nr_modules;
    limits->memory_kib = (uint64_t)total_pages << (PAGE_SHIFT - 10);
    limits->max_vcpus = HVM_MAX_VCPUS;
    limits->max_vcpus_pv = MAX_VIRT_CPUS;
    limits->no_pv32 = !opt_pv32;
}

static bool __init is_hardware(const struct lcm_domain *dom)
{
    return dom->permissions & LCM_PERM_HARDWARE;
}

static unsigned int __init create_flags(const struct lcm_domain *dom)
{
    return dom->permissions & LCM_PERM_CONTROL ? CDF_privileged : 0;
}

static unsigned int __init domctl_flags(const struct lcm_domain *dom)
{
    return dom->functions & LCM_FUNC_XENSTORE ? XEN_DOMCTL_CDF_xs_domain : 0;
}

/* The boot domain is gone after the launch, so it has no role beyond. */
static const char *__init unsupported_roles(const struct lcm_domain *dom)
{
    if ( !(dom->functions & LCM_FUNC_BOOT) )
        return NULL;
    if ( dom->permissions )
        return "permissions";

    return dom->functions == LCM_FUNC_BOOT ? NULL : "functions";
}

static const char *__init unsupported_mode(const struct lcm_domain *dom)
{
    bool pv = dom->mode & LCM_MODE_PV;

    if ( dom->mode & LCM_MODE_DEVICE_MODEL )
        return "mode";
    if ( pv ? !IS_ENABLED(CONFIG_PV) : !hvm_enabled )
        return "mode";
    if ( !pv && is_hardware(dom) && !iommu_enabled )
        return "mode";

    return NULL;
}

int __init arch_hyperlaunch_supports(const struct lcm_domain *dom,
                                     struct hl_build_error *err)
{
    const char *prop = unsupported_roles(dom) ?: unsupported_mode(dom);

    if ( !prop && nr_pages_of(dom) > avail_domheap_pages() )
        return hyperlaunch_fail(err, LCM_ERR_NO_MEMORY, dom->node, "memory",
                                -ENOMEM);
    if ( !prop )
        return 0;

    return hyperlaunch_fail(err, LCM_ERR_UNSUPPORTED, dom->node, prop,
                            -EOPNOTSUPP);
}

/* Xen's command line can't make another domain the hardware domain. */
static void __init set_hardware_domid(domid_t domid)
{
#ifdef CONFIG_LATE_HWDOM
    if ( hardware_domid && hardware_domid != domid )
        printk(XENLOG_WARNING
               "hyperlaunch: hardware_dom=%u is not in use: the LCM has d%u\n",
               hardware_domid, domid);
    hardware_domid = domid;
#endif
}

/* The builder of dom0 does it, told what the LCM wants. */
static int __init create_hardware(const struct lcm_domain *dom,
                                  uint32_t ssidref,
                                  const struct hl_modules *mods,
                                  struct domain **ret_d)
{
    paddr_t loader_cmdline = mods->kernel->cmdline_pa;
    struct domain *d;

    set_hardware_domid(dom->domid);
    opt_dom0_pvh = !(dom->mode & LCM_MODE_PV);
    hyperlaunch_dom0 = (struct hl_dom0){
        .domid = dom->domid,
        .max_vcpus = dom->cpus,
        .nr_pages = nr_pages_of(dom),
        .unprivileged = !(dom->permissions & LCM_PERM_CONTROL),
        .domctl_flags = domctl_flags(dom),
        .ssidref = ssidref,
    };

    mods->kernel->cmdline_pa = __pa(mods->cmdline);
    mods->kernel->cmdline_cooked = true;
    d = create_dom0(&xen_boot_info);
    mods->kernel->cmdline_pa = loader_cmdline;
    mods->kernel->cmdline_cooked = false;

    if ( IS_ERR(d) )
        return PTR_ERR(d);
    /* Xen goes on with fewer than asked for. */
    if ( !d->vcpu[d->max_vcpus - 1] )
        return -ENOMEM;

    *ret_d = d;

    return 0;
}

static struct domain *__init new_guest(const struct lcm_domain *dom,
                                       uint32_t ssidref)
{
    bool pv = dom->mode & LCM_MODE_PV;
    struct xen_domctl_createdomain cfg = {
        .ssidref = ssidref,
        .flags = (pv ? 0 : XEN_DOMCTL_CDF_hvm) |
                 (!pv && hvm_hap_supported() ? XEN_DOMCTL_CDF_hap : 0) |
                 domctl_flags(dom),
        .max_vcpus = dom->cpus,
        .max_evtchn_port = hyperlaunch_is_server(dom) ? -1 : 1023,
        .max_grant_frames = -1,
        .max_maptrack_frames = -1,
        .grant_opts = XEN_DOMCTL_GRANT_version(opt_gnttab_max_version),
        .arch = { .emulation_flags = pv ? 0 : XEN_X86_EMU_LAPIC },
    };

    return domain_create(dom->domid, &cfg, create_flags(dom));
}

static int __init construct(struct domain *d, const struct lcm_domain *dom,
                            const struct hl_modules *mods)
{
    if ( !vcpu_create(d, 0) )
        return -ENOMEM;

    if ( is_hvm_domain(d) )
        return hyperlaunch_construct_pvh(d, dom, mods);
    if ( is_pv_domain(d) )
        return hyperlaunch_construct_pv(d, dom, mods);

    return -EOPNOTSUPP;
}

static int __init create_guest(const struct lcm_domain *dom, uint32_t ssidref,
                               const struct hl_modules *mods,
                               struct domain **ret_d)
{
    struct domain *d = new_guest(dom, ssidref);
    int rc;

    if ( IS_ERR(d) )
        return PTR_ERR(d);

    rc = construct(d, dom, mods);
    if ( rc )
        hyperlaunch_destroy(d);
    else
        *ret_d = d;

    return rc;
}

/* Where the fault lies: the image, the memory given or the host's, or neither. */
static int __init blame(const struct lcm *lcm, const struct lcm_domain *dom,
                        int rc, struct hl_build_error *err)
{
    if ( rc == -E2BIG && dom->config != LCM_NONE )
        return hyperlaunch_fail(err, LCM_ERR_BUILD,
                                lcm->modules[dom->config].node, NULL, rc);
    if ( rc == -ENOSPC )
        return hyperlaunch_fail(err, LCM_ERR_KERNEL_SIZE, dom->node, "memory",
                                rc);
    if ( rc == -ENOMEM )
        return hyperlaunch_fail(err, LCM_ERR_NO_MEMORY, dom->node, "memory",
                                rc);
    if ( rc == -EINVAL )
        return hyperlaunch_fail(err, LCM_ERR_IMAGE,
                                lcm->modules[dom->kernel].node, NULL, rc);

    return hyperlaunch_fail(err, LCM_ERR_BUILD, dom->node, NULL, rc);
}

int __init arch_hyperlaunch_create(const struct lcm *lcm, unsigned int index,
                                   struct domain **ret_d,
                                   struct hl_build_error *err)
{
    const struct lcm_domain *dom = &lcm->domains[index];
    uint32_t ssidref = hyperlaunch_ssidref(index);
    struct hl_modules mods;
    int rc;

    /* Dom0's builder knows of a kernel and a ramdisk. */
    if ( is_hardware(dom) && dom->config != LCM_NONE )
        return hyperlaunch_fail(err, LCM_ERR_UNSUPPORTED,
                                lcm->modules[dom->config].node, NULL,
                                -EOPNOTSUPP);

    rc = hyperlaunch_take_modules(lcm, index, &mods, err);
    if ( rc )
        return rc;

    /* What one builder found scarce the next one may find again. */
    dom0_memflags = MEMF_no_dma | MEMF_exact_node;

    if ( IS_ENABLED(CONFIG_PV) && (dom->mode & LCM_MODE_PV) )
        rc = hyperlaunch_check_pv_kernel(dom, &mods);
    if ( !rc )
        rc = is_hardware(dom) ? create_hardware(dom, ssidref, &mods, ret_d)
                              : create_guest(dom, ssidref, &mods, ret_d);

    hyperlaunch_drop_modules(lcm, index);

    return rc ? blame(lcm, dom, rc, err) : 0;
}

/* A PV domain numbers frames as the machine does. */
uint64_t __init arch_hyperlaunch_store_gfn(const struct domain *d)
{
    if ( is_hardware_domain(d) )
        return XEN_HYPERLAUNCH_NO_GFN;

    return is_pv_domain(d) ? hyperlaunch_pv_frames(d)->store : GUEST_STORE_GFN;
}

uint64_t __init arch_hyperlaunch_console_gfn(const struct domain *d)
{
    if ( is_hardware_domain(d) )
        return XEN_HYPERLAUNCH_NO_GFN;

    return is_pv_domain(d) ? hyperlaunch_pv_frames(d)->console
                           : GUEST_CONSOLE_GFN;
}

void __init arch_hyperlaunch_set_store(struct domain *d, uint64_t gfn,
                                       uint32_t port)
{
    if ( is_pv_domain(d) )
        return hyperlaunch_pv_set_store(d, port);

    d->arch.hvm.params[HVM_PARAM_STORE_PFN] = gfn;
    d->arch.hvm.params[HVM_PARAM_STORE_EVTCHN] = port;
}

void __init arch_hyperlaunch_set_console(struct domain *d, uint64_t gfn,
                                         uint32_t port)
{
    if ( is_pv_domain(d) )
        return hyperlaunch_pv_set_console(d, port);

    d->arch.hvm.params[HVM_PARAM_CONSOLE_PFN] = gfn;
    d->arch.hvm.params[HVM_PARAM_CONSOLE_EVTCHN] = port;
}

/* A PV kernel that was told the same would look for the host's firmware. */
int __init arch_hyperlaunch_serves_itself(struct domain *d)
{
    if ( is_hvm_domain(d) && !is_hardware_domain(d) )
        return hyperlaunch_pvh_add_flags(d, SIF_INITDOMAIN);

    return 0;
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
