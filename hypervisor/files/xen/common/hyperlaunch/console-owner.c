/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Owner of the Xen console: input, VIRQ_CONSOLE, raw output and permission.  A
 * requested hand-off takes place between two typed lines, so that each line
 * goes to one domain.  If a launch fails or the owner ends, it takes place at
 * once.  The console can be lent: Xen then returns it to the domain that had
 * it.
 */

#include <xen/console.h>
#include <xen/init.h>
#include <xen/lib.h>
#include <xen/sched.h>
#include <xen/time.h>
#include <xen/timer.h>

#include <xen/lib/hyperlaunch/lcm.h>

#include <public/sched.h>

#include "private.h"

/*
 * How long a hand-off waits for input that is being typed, or not being read.
 */
#define HANDOFF_LIMIT SECONDS(2)

/*
 * The hand-off that waits for the end of a line.  Protected by
 * hyperlaunch_lock, as is the loan.
 */
static struct {
    domid_t owner;              /* the next one; DOMID_INVALID: none waits */
    s_time_t deadline;
    s_time_t duration;          /* of the loan; 0: not a loan */
    bool keeps_loan;            /* the current loan's end does not change */
} pending = { .owner = DOMID_INVALID };

/* The current loan. */
static struct {
    domid_t lender;             /* DOMID_INVALID: destroyed meanwhile */
    s_time_t end;               /* 0: the console is not lent */
} loan = { .lender = DOMID_INVALID };

/* Both call handoff_timer_fn(). */
static struct timer handoff_timer, loan_timer;

/*
 * Returns 0 if d can own the console, -ESRCH if it is dying or NULL, or -ENXIO
 * if it is shut down.
 */
static int check_owner(const struct domain *d)
{
    if ( !d || d->is_dying )
        return -ESRCH;

    return d->is_shutting_down ? -ENXIO : 0;
}

static int can_own(domid_t domid)
{
    struct domain *d = rcu_lock_domain_by_id(domid);
    int rc = check_owner(d);

    if ( d )
        rcu_unlock_domain(d);

    return rc;
}

/* Sets the owner, and adds the event in the same order.  Returns as above. */
static int set_owner(domid_t domid)
{
    struct xen_hyperlaunch_info *info = hyperlaunch_info_rw();
    struct domain *d = rcu_lock_domain_by_id(domid);
    int rc = check_owner(d);

    if ( !rc )
        rc = console_set_owner(d);
    if ( d )
        rcu_unlock_domain(d);

    if ( !rc && info->console_owner != domid )
    {
        uint32_t old = info->console_owner;

        info->console_owner = domid;
        hyperlaunch_add_event(XEN_HYPERLAUNCH_EV_CONSOLE, domid, old);
    }

    return rc;
}

static void end_handoff(void)
{
    ASSERT(spin_is_locked(&hyperlaunch_lock));

    if ( pending.owner == DOMID_INVALID )
        return;

    pending.owner = DOMID_INVALID;
    stop_timer(&handoff_timer);
    console_continue_input();
}

/* The owner keeps the console. */
static void end_loan(void)
{
    ASSERT(spin_is_locked(&hyperlaunch_lock));

    if ( !loan.end )
        return;

    loan.end = 0;
    loan.lender = DOMID_INVALID;
    stop_timer(&loan_timer);
}

/* Starts, keeps or ends the loan after a hand-off from `old`. */
static void update_loan(domid_t old)
{
    domid_t owner = hyperlaunch_info()->console_owner;

    if ( loan.end && owner == loan.lender )
        end_loan();
    else if ( pending.keeps_loan )
        return;
    else if ( !pending.duration || (!loan.end && owner == old) )
        end_loan();
    else
    {
        /* If it is lent on, it returns to the first lender. */
        if ( !loan.end )
            loan.lender = old;
        loan.end = NOW() + pending.duration;
        set_timer(&loan_timer, loan.end);
    }
}

static int complete_handoff(void)
{
    domid_t old = hyperlaunch_info()->console_owner;
    int rc = set_owner(pending.owner);

    if ( !rc )
        update_loan(old);
    end_handoff();

    return rc;
}

/* Returns as set_owner(), or -EAGAIN if a timer will try again. */
static int try_handoff(void)
{
    s_time_t when = 0;

    ASSERT(spin_is_locked(&hyperlaunch_lock));

    if ( NOW() < pending.deadline &&
         !can_own(hyperlaunch_info()->console_owner) )
        when = console_end_input();

    if ( when )
    {
        set_timer(&handoff_timer, min(when, pending.deadline));
        return -EAGAIN;
    }

    return complete_handoff();
}

/* Returns as try_handoff(), or -EBUSY if another hand-off is pending. */
static int request_handoff(domid_t domid, s_time_t duration, bool keeps_loan)
{
    int rc;

    ASSERT(spin_is_locked(&hyperlaunch_lock));

    if ( pending.owner != DOMID_INVALID && pending.owner != domid )
        return -EBUSY;

    rc = can_own(domid);
    if ( rc )
        return rc;

    if ( pending.owner == domid )
    {
        if ( !keeps_loan )
        {
            pending.duration = duration;
            pending.keeps_loan = false;
        }
        return -EAGAIN;
    }

    pending.owner = domid;
    pending.deadline = NOW() + HANDOFF_LIMIT;
    pending.duration = duration;
    pending.keeps_loan = keeps_loan;

    return domid == hyperlaunch_info()->console_owner ? complete_handoff()
                                                 : try_handoff();
}

/* Sets the first domain with one of these roles that can own the console. */
static bool set_first_owner(uint32_t permissions, uint32_t functions)
{
    const struct xen_hyperlaunch_domain *rec;
    unsigned int i;

    for ( i = 0; (rec = hyperlaunch_domain(i)) != NULL; i++ )
        if ( ((rec->permissions & permissions) ||
              (rec->functions & functions)) &&
             rec->state != XEN_HYPERLAUNCH_DOM_RECLAIMED &&
             !set_owner(rec->domid) )
            return true;

    return false;
}

/*
 * Sets the lender, or else the first of the remaining domains in the order of
 * lcm_console_owner().  If none of them can own the console the owner stays.
 */
static void set_default_owner(void)
{
    domid_t lender = loan.lender;

    ASSERT(spin_is_locked(&hyperlaunch_lock));

    end_handoff();
    end_loan();
    if ( (lender == DOMID_INVALID || set_owner(lender)) &&
         !set_first_owner(0, LCM_FUNC_CONSOLE) &&
         !set_first_owner(LCM_PERM_CONTROL, 0) &&
         !set_first_owner(LCM_PERM_HARDWARE, 0) &&
         hardware_domain )
        set_owner(hardware_domain->domain_id);
}

void hyperlaunch_console_set_default_owner(void)
{
    spin_lock(&hyperlaunch_lock);
    set_default_owner();
    spin_unlock(&hyperlaunch_lock);
}

int hyperlaunch_console_set_owner(domid_t domid)
{
    int rc;

    if ( !hyperlaunch_info() )
        return -ENOENT;

    spin_lock(&hyperlaunch_lock);
    end_handoff();
    end_loan();
    rc = set_owner(domid);
    spin_unlock(&hyperlaunch_lock);

    return rc;
}

static bool control_domain_runs(void)
{
    const struct xen_hyperlaunch_domain *rec;
    unsigned int i;

    for ( i = 0; (rec = hyperlaunch_domain(i)) != NULL; i++ )
        if ( (rec->permissions & LCM_PERM_CONTROL) &&
             rec->state != XEN_HYPERLAUNCH_DOM_RECLAIMED &&
             !can_own(rec->domid) )
            return true;

    return false;
}

/*
 * True if the owner is shut down for good: only control domains resume others.
 */
static bool owner_has_ended(void)
{
    domid_t owner = hyperlaunch_info()->console_owner;
    struct domain *d = rcu_lock_domain_by_id(owner);
    bool ended;

    if ( !d )
        return false;

    ended = d->is_shutting_down &&
            ((d->shutdown_code != SHUTDOWN_suspend &&
              d->shutdown_code != SHUTDOWN_soft_reset) ||
             !control_domain_runs());
    rcu_unlock_domain(d);

    return ended;
}

/* Before that the boot domain owns the console, or is about to lose it. */
static bool launch_is_complete(void)
{
    return hyperlaunch_info()->state == XEN_HYPERLAUNCH_STATE_COMPLETE;
}

static void return_console(void)
{
    int rc = request_handoff(loan.lender, 0, false);

    if ( rc && rc != -EAGAIN )
        set_default_owner();
}

/* A pending owner that can no longer own the console does not get it. */
static void cf_check handoff_timer_fn(void *unused)
{
    if ( !hyperlaunch_info() )
        return;

    spin_lock(&hyperlaunch_lock);
    if ( pending.owner != DOMID_INVALID )
        try_handoff();
    if ( pending.owner == DOMID_INVALID && loan.end && NOW() >= loan.end )
        return_console();
    if ( launch_is_complete() && owner_has_ended() )
        set_default_owner();
    spin_unlock(&hyperlaunch_lock);
}

void hyperlaunch_console_input_read(void)
{
    set_timer(&handoff_timer, NOW());
}

void hyperlaunch_console_domain_shutdown(domid_t domid)
{
    /* The domain's shutdown lock is held, so leave the rest to the timer. */
    if ( hyperlaunch_info()->console_owner == domid )
        set_timer(&handoff_timer, NOW());
}

void hyperlaunch_console_domain_destroyed(domid_t domid)
{
    ASSERT(spin_is_locked(&hyperlaunch_lock));

    if ( pending.owner == domid )
        end_handoff();
    if ( loan.lender == domid )
        loan.lender = DOMID_INVALID;
    if ( hyperlaunch_info()->console_owner == domid )
        set_default_owner();
}

static int __init cf_check init_handoff(void)
{
    init_timer(&handoff_timer, handoff_timer_fn, NULL, 0);
    init_timer(&loan_timer, handoff_timer_fn, NULL, 0);

    return 0;
}
__initcall(init_handoff);

/* A domain without CONTROL can lend on a loan, but not extend it. */
int hyperlaunch_console_request_handoff(domid_t domid, s_time_t duration)
{
    int rc;

    if ( !hyperlaunch_info() )
        return -ENOENT;

    spin_lock(&hyperlaunch_lock);
    rc = request_handoff(domid, duration,
                         loan.end && !is_control_domain(current->domain));
    spin_unlock(&hyperlaunch_lock);

    return rc;
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
