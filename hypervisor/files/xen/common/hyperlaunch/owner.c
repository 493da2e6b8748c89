/* SPDX-License-Identifier: GPL-2.0-only */
/* The Xen console's owner: input, VIRQ_CONSOLE, raw output, permission. */

#include <xen/console.h>
#include <xen/hyperlaunch-launch.h>
#include <xen/lib.h>
#include <xen/sched.h>

#include <xen/lib/hyperlaunch/lcm.h>

/* The lock is held: owners follow each other, whoever asks. */
static int give(domid_t domid)
{
    struct xen_hyperlaunch_info *info = launch_info();
    struct domain *d = rcu_lock_domain_by_id(domid);
    int rc;

    if ( !d )
        return -ESRCH;

    rc = d->is_dying ? -ESRCH : console_set_owner(d);
    rcu_unlock_domain(d);

    if ( !rc && info->console_owner != domid )
    {
        uint32_t old = info->console_owner;

        info->console_owner = domid;
        launch_event(XEN_HYPERLAUNCH_EV_CONSOLE, domid, old);
    }

    return rc;
}

int launch_give_console(domid_t domid)
{
    int rc;

    if ( !launch_info() )
        return -ENOENT;

    launch_lock();
    rc = give(domid);
    launch_unlock();

    return rc;
}

/* The first domain with one of these that can take it. */
static bool give_to_first(uint32_t permissions, uint32_t functions)
{
    const struct xen_hyperlaunch_domain *rec;
    unsigned int i;

    for ( i = 0; (rec = launch_domain(i)) != NULL; i++ )
        if ( ((rec->permissions & permissions) ||
              (rec->functions & functions)) &&
             rec->state != XEN_HYPERLAUNCH_DOM_RECLAIMED && !give(rec->domid) )
            return true;

    return false;
}

/* As lcm_console_owner() has it, of the domains that are left. */
void launch_default_console(void)
{
    launch_lock();
    if ( !give_to_first(0, LCM_FUNC_CONSOLE) &&
         !give_to_first(LCM_PERM_CONTROL, 0) &&
         !give_to_first(LCM_PERM_HARDWARE, 0) &&
         hardware_domain )
        give(hardware_domain->domain_id);
    launch_unlock();
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
