/* SPDX-License-Identifier: GPL-2.0-only */
/* Where the kernel of a domain finds its PV console. */

#include <xen/hyperlaunch-build.h>
#include <xen/lib.h>
#include <xen/sched.h>

#include <public/hvm/params.h>

/* A PV kernel has it from start_info, which Xen does not keep. */
bool arch_hyperlaunch_is_console_port(const struct domain *d, uint32_t port)
{
    const uint64_t *params;

    if ( !is_hvm_domain(d) )
        return true;

    params = d->arch.hvm.params;

    return ACCESS_ONCE(params[HVM_PARAM_CONSOLE_EVTCHN]) == port &&
           ACCESS_ONCE(params[HVM_PARAM_STORE_EVTCHN]) != port;
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
