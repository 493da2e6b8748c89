/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Domctls by which the boot domain configures other domains before they start:
 * vCPU affinity, the scheduler's weight and cap, and the memory limit.
 */

#include <xen/mm.h>
#include <xen/sched.h>

#include <xen/lib/hyperlaunch/lcm.h>

#include <public/domctl.h>

#include "private.h"

/*
 * All domctls that an XSM module may permit together with those above: FLASK
 * has one permission for both affinities, and one for all operations that set
 * scheduler parameters.
 */
static bool is_configuration(const struct xen_domctl *op)
{
    switch ( op->cmd )
    {
    case XEN_DOMCTL_setvcpuaffinity:
    case XEN_DOMCTL_setnodeaffinity:
    case XEN_DOMCTL_scheduler_op:
    case XEN_DOMCTL_max_mem:
        return true;

    default:
        return false;
    }
}

/*
 * Weight and cap are per domain; the boot domain may not set those of vCPUs.
 */
static bool is_open_to_boot(const struct xen_domctl *op)
{
    if ( op->cmd == XEN_DOMCTL_scheduler_op )
        return op->u.scheduler_op.cmd == XEN_DOMCTL_SCHEDOP_getinfo ||
               op->u.scheduler_op.cmd == XEN_DOMCTL_SCHEDOP_putinfo;

    return op->cmd == XEN_DOMCTL_setvcpuaffinity ||
           op->cmd == XEN_DOMCTL_max_mem;
}

/* True for domains that have not started, except for the crash domain. */
static bool is_waiting(const struct xen_hyperlaunch_domain *rec)
{
    return (rec->state == XEN_HYPERLAUNCH_DOM_BUILT ||
            rec->state == XEN_HYPERLAUNCH_DOM_HELD) &&
           !(rec->functions & LCM_FUNC_CRASH);
}

bool hyperlaunch_boot_may_configure(const struct domain *cur,
                                    const struct domain *d,
                                    const struct xen_domctl *op)
{
    const struct xen_hyperlaunch_info *info = hyperlaunch_info();
    const struct xen_hyperlaunch_domain *rec;
    bool may;

    if ( !info || info->boot_domid != cur->domain_id || !d || d == cur ||
         !is_open_to_boot(op) )
        return false;

    spin_lock(&hyperlaunch_lock);
    rec = hyperlaunch_find_domain(d->domain_id);
    may = info->state == XEN_HYPERLAUNCH_STATE_PREPARING && rec &&
          is_waiting(rec);
    spin_unlock(&hyperlaunch_lock);

    return may;
}

/*
 * Domains start under the domctl lock, or after the boot domain has ended, so
 * none starts between this check and the operation.
 */
int hyperlaunch_check_domctl(const struct domain *d,
                             const struct xen_domctl *op)
{
    const struct domain *cur = current->domain;
    const struct xen_hyperlaunch_info *info = hyperlaunch_info();

    if ( !info || info->boot_domid != cur->domain_id || !is_configuration(op) )
        return 0;
    if ( !hyperlaunch_boot_may_configure(cur, d, op) )
        return -EPERM;
    if ( op->cmd == XEN_DOMCTL_max_mem &&
         op->u.max_mem.max_memkb >> (PAGE_SHIFT - 10) < domain_tot_pages(d) )
        return -EINVAL;

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
