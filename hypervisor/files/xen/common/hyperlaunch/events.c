/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Changes of the launch: an event in the record's log, a virtual interrupt to
 * the domains that may read it, and for a new state a line on Xen's console.
 */

#include <xen/event.h>
#include <xen/init.h>
#include <xen/lib.h>
#include <xen/rcupdate.h>
#include <xen/sched.h>
#include <xen/time.h>
#include <xen/timer.h>

#include <public/domctl.h>

#include "private.h"

/* Announces what no event is added for. */
static struct timer announce_timer;

/* Raises the VIRQ in each domain that may read the record. */
static void notify_readers(void)
{
    const struct xen_hyperlaunch_domain *rec;
    unsigned int i;

    for ( i = 0; (rec = hyperlaunch_domain(i)) != NULL; i++ )
    {
        struct domain *d;

        /* A domid that is free may be another domain's by now. */
        if ( rec->state == XEN_HYPERLAUNCH_DOM_RECLAIMED ||
             !hyperlaunch_may_read(rec) )
            continue;

        d = rcu_lock_domain_by_id(rec->domid);
        if ( d )
        {
            send_guest_global_virq(d, XEN_HYPERLAUNCH_VIRQ);
            rcu_unlock_domain(d);
        }
    }
}

void hyperlaunch_add_event(uint16_t event, domid_t domid, uint32_t arg)
{
    struct xen_hyperlaunch_event *ev = hyperlaunch_new_event();

    ev->time_ns = NOW();
    ev->event = event;
    ev->domid = domid;
    ev->arg = arg;

    notify_readers();
}

static void cf_check announce_timer_fn(void *unused)
{
    spin_lock(&hyperlaunch_lock);
    notify_readers();
    spin_unlock(&hyperlaunch_lock);
}

static int __init cf_check init_announce(void)
{
    init_timer(&announce_timer, announce_timer_fn, NULL, 0);

    return 0;
}
__initcall(init_announce);

/* By a timer: the caller may hold any lock, and several changes share a VIRQ. */
void hyperlaunch_announce(void)
{
    if ( hyperlaunch_info() )
        set_timer(&announce_timer, NOW());
}

/*
 * While a toolstack creates a domain it has no name yet, and each step would
 * be announced: xenstored introduces it when it is complete.
 */
static bool is_being_created(const struct domain *d)
{
    bool initial;

    spin_lock(&hyperlaunch_lock);
    initial = hyperlaunch_find_domain(d->domain_id) != NULL;
    spin_unlock(&hyperlaunch_lock);

    return !initial && !d->creation_finished;
}

void hyperlaunch_domain_dying(const struct domain *d)
{
    if ( hyperlaunch_info() && !is_being_created(d) )
        hyperlaunch_announce();
}

void hyperlaunch_domctl_done(const struct domain *d, uint32_t cmd)
{
    switch ( cmd )
    {
    case XEN_DOMCTL_pausedomain:
    case XEN_DOMCTL_unpausedomain:
    case XEN_DOMCTL_resumedomain:
    case XEN_DOMCTL_max_mem:
    case XEN_DOMCTL_max_vcpus:
    case XEN_DOMCTL_setdomainhandle:
        if ( d && hyperlaunch_info() && !is_being_created(d) )
            hyperlaunch_announce();
        break;
    }
}

void hyperlaunch_set_domain_state(struct xen_hyperlaunch_domain *rec,
                                  uint32_t state)
{
    static const char names[][12] = {
        [XEN_HYPERLAUNCH_DOM_PLANNED]   = "planned",
        [XEN_HYPERLAUNCH_DOM_BUILT]     = "built",
        [XEN_HYPERLAUNCH_DOM_HELD]      = "held",
        [XEN_HYPERLAUNCH_DOM_PAUSED]    = "paused",
        [XEN_HYPERLAUNCH_DOM_STARTED]   = "started",
        [XEN_HYPERLAUNCH_DOM_READY]     = "ready",
        [XEN_HYPERLAUNCH_DOM_FAILED]    = "failed",
        [XEN_HYPERLAUNCH_DOM_RECLAIMED] = "reclaimed",
    };

    hyperlaunch_assert_writable();

    rec->state = state;
    printk("hyperlaunch: d%u: %s\n", rec->domid, names[state]);
}

static const char *state_name(uint32_t state)
{
    static const char names[][12] = {
        [XEN_HYPERLAUNCH_STATE_NONE]       = "none",
        [XEN_HYPERLAUNCH_STATE_BUILDING]   = "building",
        [XEN_HYPERLAUNCH_STATE_PREPARING]  = "preparing",
        [XEN_HYPERLAUNCH_STATE_FINALIZING] = "finalizing",
        [XEN_HYPERLAUNCH_STATE_COMPLETE]   = "complete",
        [XEN_HYPERLAUNCH_STATE_RECOVERY]   = "recovery",
        [XEN_HYPERLAUNCH_STATE_FAILED]     = "failed",
    };

    return state < ARRAY_SIZE(names) ? names[state] : "?";
}

void hyperlaunch_set_state(uint32_t state)
{
    struct xen_hyperlaunch_info *info = hyperlaunch_info_rw();

    info->state = state;
    if ( state >= XEN_HYPERLAUNCH_STATE_COMPLETE )
        info->end_ns = NOW();
    hyperlaunch_add_event(XEN_HYPERLAUNCH_EV_STATE, XEN_HYPERLAUNCH_NO_DOMID,
                          state);
    printk("hyperlaunch: %s\n", state_name(state));
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
