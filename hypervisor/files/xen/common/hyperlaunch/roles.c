/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Who may do what, by the role that the LCM gave.  A control domain's rights
 * are Xen's own matter; here are those of the others.
 */

#include <xen/hyperlaunch-launch.h>
#include <xen/lib.h>
#include <xen/sched.h>

#include <xen/lib/hyperlaunch/lcm.h>

static bool has_function(const struct xen_hyperlaunch_domain *rec,
                         uint32_t function)
{
    return rec && (rec->functions & function);
}

static bool is_preparing(void)
{
    return launch_info()->state == XEN_HYPERLAUNCH_STATE_PREPARING;
}

/* The boot domain while it is one, the crash domain when its time has come. */
static bool is_on_duty(const struct xen_hyperlaunch_domain *rec)
{
    return (has_function(rec, LCM_FUNC_BOOT) && is_preparing()) ||
           (has_function(rec, LCM_FUNC_CRASH) &&
            launch_info()->state == XEN_HYPERLAUNCH_STATE_RECOVERY);
}

bool launch_reads(const struct xen_hyperlaunch_domain *rec)
{
    return rec->permissions & LCM_PERM_CONTROL ||
           has_function(rec, LCM_FUNC_XENSTORE) || is_on_duty(rec);
}

static bool role_allows(const struct xen_hyperlaunch_domain *rec, uint32_t op)
{
    switch ( op )
    {
    case XEN_HYPERLAUNCH_GET_INFO:
    case XEN_HYPERLAUNCH_GET_DOMAIN:
    case XEN_HYPERLAUNCH_GET_MODULE:
        return has_function(rec, LCM_FUNC_XENSTORE) || is_on_duty(rec);

    case XEN_HYPERLAUNCH_READ_LCM:
    case XEN_HYPERLAUNCH_GET_EVENTS:
        return is_on_duty(rec);

    case XEN_HYPERLAUNCH_READY:
        return true;

    case XEN_HYPERLAUNCH_BOOT_DONE:
    case XEN_HYPERLAUNCH_BOOT_FAILED:
        return has_function(rec, LCM_FUNC_BOOT);

    case XEN_HYPERLAUNCH_SET_CONSOLE:
        return launch_info()->console_owner == rec->domid && !is_preparing();

    default:
        return false;
    }
}

bool hyperlaunch_allows(const struct domain *d,
                        const struct xen_sysctl_hyperlaunch *op)
{
    const struct xen_hyperlaunch_domain *rec;
    bool allowed;

    launch_lock();
    rec = launch_find(d->domain_id);
    allowed = rec && role_allows(rec, op->op);
    launch_unlock();

    return allowed;
}

static bool is_boot_domain(const struct domain *d)
{
    return is_preparing() && launch_info()->boot_domid == d->domain_id;
}

bool hyperlaunch_boot_may_unpause(const struct domain *cur,
                                  const struct domain *d)
{
    const struct xen_hyperlaunch_domain *rec;
    bool may;

    if ( !launch_info() || !is_boot_domain(cur) || !d || cur == d )
        return false;

    launch_lock();
    rec = launch_find(d->domain_id);
    may = rec && rec->state == XEN_HYPERLAUNCH_DOM_BUILT &&
          is_preparing();
    launch_unlock();

    return may;
}

bool hyperlaunch_refuses_unpause(const struct domain *cur,
                                 const struct domain *d)
{
    return launch_info() && is_boot_domain(cur) &&
           !hyperlaunch_boot_may_unpause(cur, d);
}

bool hyperlaunch_reserves(domid_t domid)
{
    const struct xen_hyperlaunch_info *info = launch_info();

    return info && domid != XEN_HYPERLAUNCH_NO_DOMID &&
           info->boot_domid == domid;
}

bool hyperlaunch_serves(const struct domain *d)
{
    const struct xen_hyperlaunch_domain *rec;
    bool serves;

    if ( !launch_info() )
        return false;

    launch_lock();
    rec = launch_find(d->domain_id);
    serves = rec && (rec->permissions & LCM_PERM_HARDWARE ||
                     has_function(rec, LCM_FUNC_CONSOLE | LCM_FUNC_XENSTORE));
    launch_unlock();

    return serves;
}

bool hyperlaunch_hardware(const struct domain *d)
{
    const struct xen_hyperlaunch_info *info = launch_info();

    return info && is_hardware_domain(d) &&
           d->domain_id == info->hwdom_domid;
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
