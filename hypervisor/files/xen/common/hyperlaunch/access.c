/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Access by the roles that the LCM gives.  The rights of a control domain are
 * Xen's own; these are the rights of domains without CONTROL.
 */

#include <xen/lib.h>
#include <xen/sched.h>

#include <xen/lib/hyperlaunch/lcm.h>

#include "private.h"

static bool has_function(const struct xen_hyperlaunch_domain *rec,
                         uint32_t function)
{
    return rec && (rec->functions & function);
}

static bool is_preparing(void)
{
    return hyperlaunch_info()->state == XEN_HYPERLAUNCH_STATE_PREPARING;
}

/* True while the domain's BOOT or CRASH function is in effect. */
static bool is_on_duty(const struct xen_hyperlaunch_domain *rec)
{
    return (has_function(rec, LCM_FUNC_BOOT) && is_preparing()) ||
           (has_function(rec, LCM_FUNC_CRASH) &&
            hyperlaunch_info()->state == XEN_HYPERLAUNCH_STATE_RECOVERY);
}

bool hyperlaunch_may_read(const struct xen_hyperlaunch_domain *rec)
{
    return (rec->permissions & LCM_PERM_CONTROL) ||
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
        return hyperlaunch_info()->console_owner == rec->domid &&
               !is_preparing();

    default:
        return false;
    }
}

bool hyperlaunch_sysctl_permitted(const struct domain *d,
                                  const struct xen_sysctl_hyperlaunch *op)
{
    const struct xen_hyperlaunch_domain *rec;
    bool allowed;

    /* A back end need not be an initial domain. */
    if ( op->op == XEN_HYPERLAUNCH_READ_CONSOLE )
        return op->index < XEN_HYPERLAUNCH_NO_DOMID &&
               hyperlaunch_console_is_backend(d, op->index);

    spin_lock(&hyperlaunch_lock);
    rec = hyperlaunch_find_domain(d->domain_id);
    allowed = rec && role_allows(rec, op->op);
    spin_unlock(&hyperlaunch_lock);

    return allowed;
}

static bool is_boot_domain(const struct domain *d)
{
    return is_preparing() && hyperlaunch_info()->boot_domid == d->domain_id;
}

bool hyperlaunch_boot_may_unpause(const struct domain *cur,
                                  const struct domain *d)
{
    const struct xen_hyperlaunch_domain *rec;
    bool may;

    if ( !hyperlaunch_info() || !is_boot_domain(cur) || !d || cur == d )
        return false;

    spin_lock(&hyperlaunch_lock);
    rec = hyperlaunch_find_domain(d->domain_id);
    may = rec && rec->state == XEN_HYPERLAUNCH_DOM_BUILT &&
          is_preparing();
    spin_unlock(&hyperlaunch_lock);

    return may;
}

/*
 * In any state of the launch: from the end of the preparation until it is
 * reclaimed the boot domain may unpause nothing, whatever the XSM policy
 * allows.
 */
bool hyperlaunch_boot_unpause_denied(const struct domain *cur,
                                     const struct domain *d)
{
    const struct xen_hyperlaunch_info *info = hyperlaunch_info();

    return info && info->boot_domid == cur->domain_id &&
           !hyperlaunch_boot_may_unpause(cur, d);
}

bool hyperlaunch_domid_reserved(domid_t domid)
{
    const struct xen_hyperlaunch_info *info = hyperlaunch_info();

    return info && domid != XEN_HYPERLAUNCH_NO_DOMID &&
           info->boot_domid == domid;
}

bool hyperlaunch_is_backend(const struct domain *d)
{
    const struct xen_hyperlaunch_domain *rec =
        hyperlaunch_find_domain(d->domain_id);

    return rec && ((rec->permissions & LCM_PERM_HARDWARE) ||
                   has_function(rec, LCM_FUNC_CONSOLE | LCM_FUNC_XENSTORE));
}

bool hyperlaunch_in_force(void)
{
    const struct xen_hyperlaunch_info *info = hyperlaunch_info();

    return info && info->state != XEN_HYPERLAUNCH_STATE_FAILED;
}

bool hyperlaunch_is_hwdom(const struct domain *d)
{
    const struct xen_hyperlaunch_info *info = hyperlaunch_info();

    return info && is_hardware_domain(d) &&
           d->domain_id == info->hwdom_domid;
}

bool hyperlaunch_is_dom0(const struct domain *d)
{
    return hyperlaunch_in_force() ? hyperlaunch_is_hwdom(d)
                                  : d->domain_id == 0;
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
