/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The Xen console's owner: input, VIRQ_CONSOLE, raw output, permission.  Who asks
 * for another one gets it between two lines of what is typed, so that each line
 * is one domain's; Xen itself, when a launch fails or an owner ends, at once.
 */

#include <xen/console.h>
#include <xen/hyperlaunch-launch.h>
#include <xen/init.h>
#include <xen/lib.h>
#include <xen/sched.h>
#include <xen/time.h>
#include <xen/timer.h>

#include <xen/lib/hyperlaunch/lcm.h>

/* So long a hand-off may wait for whoever types and for whoever reads. */
#define HANDOFF_LIMIT SECONDS(2)

/* Whose the console will be at the end of the line; the launch's lock is held. */
static domid_t heir = DOMID_INVALID;
static s_time_t limit;
static struct timer handoff_timer;

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

/* Nobody waits for the end of the line any more.  The lock is held. */
static void end_handoff(void)
{
    if ( heir == DOMID_INVALID )
        return;

    heir = DOMID_INVALID;
    stop_timer(&handoff_timer);
    console_continue_input();
}

int launch_give_console(domid_t domid)
{
    int rc;

    if ( !launch_info() )
        return -ENOENT;

    launch_lock();
    end_handoff();
    rc = give(domid);
    launch_unlock();

    return rc;
}

static bool is_alive(domid_t domid)
{
    struct domain *d = rcu_lock_domain_by_id(domid);
    bool alive = d && !d->is_dying;

    if ( d )
        rcu_unlock_domain(d);

    return alive;
}

/* Whoever has shut down reads no more, though it is there. */
static bool owner_reads(void)
{
    struct domain *d = rcu_lock_domain_by_id(launch_info()->console_owner);
    bool reads = d && !d->is_dying && !d->is_shut_down;

    if ( d )
        rcu_unlock_domain(d);

    return reads;
}

/* Now, or -EAGAIN: later.  The lock is held. */
static int proceed(void)
{
    s_time_t when = 0;
    int rc;

    if ( NOW() < limit && owner_reads() )
        when = console_end_input();

    if ( when )
    {
        set_timer(&handoff_timer, min(when, limit));
        return -EAGAIN;
    }

    rc = give(heir);
    end_handoff();

    return rc;
}

/* Where the heir is gone meanwhile the owner stays. */
static void cf_check look_again(void *unused)
{
    launch_lock();
    if ( heir != DOMID_INVALID )
        proceed();
    launch_unlock();
}

void hyperlaunch_input_read(void)
{
    set_timer(&handoff_timer, NOW());
}

static int __init cf_check init_handoff(void)
{
    init_timer(&handoff_timer, look_again, NULL, 0);

    return 0;
}
__initcall(init_handoff);

/* The lock is held. */
static int hand(domid_t domid)
{
    if ( heir != DOMID_INVALID )
        return heir == domid ? -EAGAIN : -EBUSY;
    if ( !is_alive(domid) )
        return -ESRCH;
    if ( domid == launch_info()->console_owner )
        return 0;

    heir = domid;
    limit = NOW() + HANDOFF_LIMIT;

    return proceed();
}

int launch_hand_console(domid_t domid)
{
    int rc;

    if ( !launch_info() )
        return -ENOENT;

    launch_lock();
    rc = hand(domid);
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
    end_handoff();
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
