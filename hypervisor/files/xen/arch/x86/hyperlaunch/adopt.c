/* SPDX-License-Identifier: GPL-2.0-only */
/* What Xen knows of a domain that a toolstack has built: its type and rings. */

#include <xen/hyperlaunch-build.h>
#include <xen/lib.h>
#include <xen/sched.h>

#include <public/hvm/params.h>

bool arch_hyperlaunch_is_type(const struct domain *d, uint32_t mode)
{
    if ( mode & LCM_MODE_PV )
        return is_pv_domain(d) &&
               is_pv_32bit_domain(d) == !(mode & LCM_MODE_LONG);

    /* With more than a local APIC it is HVM, and has a device model. */
    return is_hvm_domain(d) && !(d->arch.emulation_flags & ~X86_EMU_LAPIC);
}

static uint64_t gfn_of(uint64_t param)
{
    return param ?: XEN_HYPERLAUNCH_NO_GFN;
}

/* A toolstack can write anything there. */
static uint32_t port_of(uint64_t param)
{
    return param <= UINT32_MAX ? param : 0;
}

void arch_hyperlaunch_find_rings(const struct domain *d,
                                 struct xen_hyperlaunch_domain *rec)
{
    const uint64_t *params;

    rec->store_port = rec->console_port = 0;
    rec->store_gfn = rec->console_gfn = XEN_HYPERLAUNCH_NO_GFN;

    /* A PV kernel has them from start_info, which is the toolstack's. */
    if ( !is_hvm_domain(d) )
        return;

    params = d->arch.hvm.params;
    rec->store_gfn = gfn_of(ACCESS_ONCE(params[HVM_PARAM_STORE_PFN]));
    rec->store_port = port_of(ACCESS_ONCE(params[HVM_PARAM_STORE_EVTCHN]));
    rec->console_gfn = gfn_of(ACCESS_ONCE(params[HVM_PARAM_CONSOLE_PFN]));
    rec->console_port = port_of(ACCESS_ONCE(params[HVM_PARAM_CONSOLE_EVTCHN]));

    if ( rec->console_port == rec->store_port ||
         rec->console_gfn == XEN_HYPERLAUNCH_NO_GFN )
        rec->console_port = 0;
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
