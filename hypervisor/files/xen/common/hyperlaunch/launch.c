/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The launch after all domains are built: the boot domain runs alone, then the
 * others start; if it fails, the crash domain starts instead.  The first event
 * that ends the preparation decides, under hyperlaunch_lock, how the launch
 * goes on.  A tasklet does the rest, as a domain cannot destroy itself.
 */

#include <xen/console.h>
#include <xen/domain.h>
#include <xen/lib.h>
#include <xen/sched.h>
#include <xen/shutdown.h>
#include <xen/tasklet.h>
#include <xen/time.h>
#include <xen/timer.h>

#include <xen/lib/hyperlaunch/lcm.h>

#include <public/sched.h>

#include "private.h"

/*
 * Bit i: the launch has given up the pause that it has of domain i.  Pauses by
 * toolstacks count separately.  Protected by hyperlaunch_lock.
 */
static uint32_t unpaused;

static struct timer boot_timer;
static s_time_t __read_mostly boot_timeout;

static void cf_check finish_preparing(void *unused);
static DECLARE_TASKLET(finish_tasklet, finish_preparing, NULL);

/*
 * Ends the launch's pause of a domain.  Returns the domain with a reference,
 * for start_domain(), or NULL if it is already ended or there is no such
 * domain.
 */
static struct domain *end_pause(const struct xen_hyperlaunch_domain *rec)
{
    uint32_t bit = 1u << rec->index;
    struct domain *d;

    BUILD_BUG_ON(LCM_MAX_DOMAINS > 32);
    ASSERT(spin_is_locked(&hyperlaunch_lock));

    if ( unpaused & bit )
        return NULL;

    d = get_domain_by_id(rec->domid);
    if ( d && d->is_dying )
    {
        put_domain(d);
        d = NULL;
    }
    if ( d )
        unpaused |= bit;

    return d;
}

/*
 * Unpauses d, which calls hyperlaunch_domain_started().  Drops the reference.
 * Does nothing for NULL.
 */
static void start_domain(struct domain *d)
{
    if ( !d )
        return;

    domain_unpause_by_systemcontroller(d);
    put_domain(d);
}

/* Starts the domain if its state comes before that one. */
static void start_record(const struct xen_hyperlaunch_domain *rec,
                         uint32_t before)
{
    struct domain *d = NULL;

    spin_lock(&hyperlaunch_lock);
    if ( rec->state < before )
        d = end_pause(rec);
    spin_unlock(&hyperlaunch_lock);

    start_domain(d);
}

static void complete(void)
{
    const struct xen_hyperlaunch_domain *rec;
    unsigned int i;

    spin_lock(&hyperlaunch_lock);
    hyperlaunch_set_state(XEN_HYPERLAUNCH_STATE_COMPLETE);
    spin_unlock(&hyperlaunch_lock);
    hyperlaunch_console_set_default_owner();

    for ( i = 0; (rec = hyperlaunch_domain(i)) != NULL; i++ )
        start_record(rec, XEN_HYPERLAUNCH_DOM_HELD);
}

static const struct xen_hyperlaunch_domain *find_crash_domain(void)
{
    const struct xen_hyperlaunch_domain *rec;
    unsigned int i;

    for ( i = 0; (rec = hyperlaunch_domain(i)) != NULL; i++ )
        if ( (rec->functions & LCM_FUNC_CRASH) &&
             rec->state >= XEN_HYPERLAUNCH_DOM_BUILT &&
             rec->state <= XEN_HYPERLAUNCH_DOM_READY )
            return rec;

    return NULL;
}

void noreturn hyperlaunch_stop(void)
{
    printk(XENLOG_ERR
           "hyperlaunch: no crash domain can run; Xen stops here\n");
    console_start_sync();
    machine_halt();
}

static void recover(void)
{
    const struct xen_hyperlaunch_domain *crash = find_crash_domain();

    if ( !crash || hyperlaunch_console_set_owner(crash->domid) )
    {
        spin_lock(&hyperlaunch_lock);
        hyperlaunch_set_state(XEN_HYPERLAUNCH_STATE_FAILED);
        spin_unlock(&hyperlaunch_lock);
        hyperlaunch_stop();
    }

    printk(XENLOG_ERR "hyperlaunch: recovery: the crash domain d%u runs\n",
           crash->domid);
    start_record(crash, XEN_HYPERLAUNCH_DOM_STARTED);
}

/* Returns false if it must be called again. */
static bool reclaim(domid_t domid)
{
    struct domain *d;
    int rc = 0;

    if ( !domctl_lock_acquire() )
        return false;

    d = rcu_lock_domain_by_id(domid);
    if ( d )
    {
        rc = domain_kill(d);
        rcu_unlock_domain(d);
    }
    domctl_lock_release();

    return rc != -ERESTART;
}

static void cf_check finish_preparing(void *unused)
{
    if ( !reclaim(hyperlaunch_info()->boot_domid) )
        tasklet_schedule(&finish_tasklet);
    else if ( hyperlaunch_info()->state == XEN_HYPERLAUNCH_STATE_RECOVERY )
        recover();
    else
        complete();
}

/*
 * Destroying it may have to wait for the domctl lock.  Until then it does not
 * run, or it could keep that lock busy.
 */
static void pause_boot_domain(void)
{
    struct domain *d = rcu_lock_domain_by_id(hyperlaunch_info()->boot_domid);

    if ( !d )
        return;

    domain_pause_nosync(d);
    rcu_unlock_domain(d);
}

/*
 * Ends the preparation with this state.  Returns false if it has ended before.
 */
static bool end_preparing(uint32_t state)
{
    ASSERT(spin_is_locked(&hyperlaunch_lock));

    if ( hyperlaunch_info()->state != XEN_HYPERLAUNCH_STATE_PREPARING )
        return false;

    hyperlaunch_set_state(state);
    pause_boot_domain();
    tasklet_schedule(&finish_tasklet);

    return true;
}

static const char *reason_text(enum lcm_err reason)
{
    switch ( reason )
    {
    case LCM_ERR_BOOT_DIED:
        return "the boot domain ended before it had finished [boot-died]";

    case LCM_ERR_BOOT_TIMEOUT:
        return "the boot domain did not finish in time [boot-timeout]";

    default:
        return "the boot domain reported a failure [boot-failed]";
    }
}

/*
 * Ends the preparation with an error of domain `index`.  Returns false if it
 * has ended before.
 */
static bool fail(uint32_t index, enum lcm_err reason)
{
    struct xen_hyperlaunch_info *info = hyperlaunch_info_rw();
    struct xen_hyperlaunch_domain *rec = hyperlaunch_domain(index);

    if ( info->state != XEN_HYPERLAUNCH_STATE_PREPARING )
        return false;

    info->error = reason;
    info->error_domain = index;
    rec->error = reason;
    hyperlaunch_add_event(XEN_HYPERLAUNCH_EV_BOOT_FAILED, rec->domid, reason);
    strlcpy(info->error_path, hyperlaunch_domain_path(index),
            sizeof(info->error_path));
    printk(XENLOG_ERR "hyperlaunch: error: %s: %s\n", info->error_path,
           reason_text(reason));

    return end_preparing(XEN_HYPERLAUNCH_STATE_RECOVERY);
}

static uint32_t boot_index(void)
{
    const struct xen_hyperlaunch_domain *rec;
    unsigned int i;

    for ( i = 0; (rec = hyperlaunch_domain(i)) != NULL; i++ )
        if ( rec->functions & LCM_FUNC_BOOT )
            break;

    return i;
}

static void cf_check boot_timer_fn(void *unused)
{
    spin_lock(&hyperlaunch_lock);
    fail(boot_index(), LCM_ERR_BOOT_TIMEOUT);
    spin_unlock(&hyperlaunch_lock);
}

void hyperlaunch_prepare(uint32_t timeout_ms)
{
    boot_timeout = MILLISECS((s_time_t)timeout_ms);
    hyperlaunch_set_state(XEN_HYPERLAUNCH_STATE_PREPARING);
}

static void start_boot_domain(void)
{
    hyperlaunch_console_set_owner(hyperlaunch_info()->boot_domid);

    init_timer(&boot_timer, boot_timer_fn, NULL, 0);
    if ( boot_timeout )
        set_timer(&boot_timer, NOW() + boot_timeout);

    start_record(hyperlaunch_domain(boot_index()),
                 XEN_HYPERLAUNCH_DOM_STARTED);
}

bool hyperlaunch_start(void)
{
    const struct xen_hyperlaunch_info *info = hyperlaunch_info();

    /* Failed: the caller starts the classic dom0. */
    if ( !info || info->state == XEN_HYPERLAUNCH_STATE_FAILED )
        return false;

    if ( info->state == XEN_HYPERLAUNCH_STATE_PREPARING )
        start_boot_domain();
    else if ( info->state == XEN_HYPERLAUNCH_STATE_RECOVERY )
        recover();
    else
        complete();

    return true;
}

int hyperlaunch_ready(void)
{
    struct xen_hyperlaunch_domain *rec;
    int rc = 0;

    spin_lock(&hyperlaunch_lock);
    rec = hyperlaunch_find_domain(current->domain->domain_id);
    if ( !rec )
        rc = -EPERM;
    else if ( rec->state != XEN_HYPERLAUNCH_DOM_READY )
    {
        hyperlaunch_set_domain_state(rec, XEN_HYPERLAUNCH_DOM_READY);
        rec->ready_ns = NOW();
        hyperlaunch_add_event(XEN_HYPERLAUNCH_EV_READY, rec->domid,
                              rec->index);
    }
    spin_unlock(&hyperlaunch_lock);

    return rc;
}

static bool is_boot_domain(const struct domain *d)
{
    return hyperlaunch_info() &&
           hyperlaunch_info()->boot_domid == d->domain_id;
}

/* The current domain does not run again. */
static void end_boot_domain(void)
{
    stop_timer(&boot_timer);
    domain_shutdown(current->domain, SHUTDOWN_poweroff);
}

int hyperlaunch_boot_done(void)
{
    bool ended;

    if ( !is_boot_domain(current->domain) )
        return -EPERM;

    spin_lock(&hyperlaunch_lock);
    ended = end_preparing(XEN_HYPERLAUNCH_STATE_FINALIZING);
    spin_unlock(&hyperlaunch_lock);

    if ( !ended )
        return -EPERM;

    end_boot_domain();

    return 0;
}

int hyperlaunch_boot_failed(uint32_t index, uint64_t reason)
{
    bool ended;

    if ( !is_boot_domain(current->domain) )
        return -EPERM;
    if ( index == XEN_HYPERLAUNCH_NO_MODULE )
        index = boot_index();
    if ( !hyperlaunch_domain(index) || reason >= LCM_NR_ERRS )
        return -EINVAL;

    spin_lock(&hyperlaunch_lock);
    ended = fail(index, reason ?: LCM_ERR_BOOT_FAILED);
    spin_unlock(&hyperlaunch_lock);

    if ( !ended )
        return -EPERM;

    end_boot_domain();

    return 0;
}

void hyperlaunch_has_no_pause(const struct xen_hyperlaunch_domain *rec)
{
    ASSERT(spin_is_locked(&hyperlaunch_lock));

    unpaused |= 1u << rec->index;
}

int hyperlaunch_release(domid_t domid)
{
    struct xen_hyperlaunch_domain *rec;
    struct domain *d = NULL;
    int rc = 0;

    spin_lock(&hyperlaunch_lock);
    rec = hyperlaunch_find_domain(domid);
    if ( !rec )
        rc = -ESRCH;
    else if ( rec->state != XEN_HYPERLAUNCH_DOM_HELD )
        rc = -EBUSY;
    else if ( (d = end_pause(rec)) == NULL )
        rc = -ESRCH;
    else
    {
        /* It does not run yet if a toolstack has paused it too. */
        rec->state = XEN_HYPERLAUNCH_DOM_BUILT;
        hyperlaunch_add_event(XEN_HYPERLAUNCH_EV_RELEASED, domid, rec->index);
    }
    spin_unlock(&hyperlaunch_lock);

    start_domain(d);

    return rc;
}

void hyperlaunch_domain_started(const struct domain *d)
{
    struct xen_hyperlaunch_domain *rec;

    spin_lock(&hyperlaunch_lock);
    rec = hyperlaunch_find_domain(d->domain_id);
    if ( rec && rec->state < XEN_HYPERLAUNCH_DOM_STARTED )
    {
        hyperlaunch_set_domain_state(rec, XEN_HYPERLAUNCH_DOM_STARTED);
        rec->started_ns = NOW();
        hyperlaunch_add_event(XEN_HYPERLAUNCH_EV_STARTED, rec->domid,
                              rec->index);
    }
    spin_unlock(&hyperlaunch_lock);
}

void hyperlaunch_domain_shutdown(const struct domain *d, uint8_t reason)
{
    const struct xen_hyperlaunch_domain *rec;

    if ( !hyperlaunch_info() )
        return;

    spin_lock(&hyperlaunch_lock);
    rec = hyperlaunch_find_domain(d->domain_id);
    if ( rec )
    {
        hyperlaunch_add_event(XEN_HYPERLAUNCH_EV_DIED, d->domain_id, reason);
        if ( rec->functions & LCM_FUNC_BOOT )
            fail(rec->index, LCM_ERR_BOOT_DIED);
    }
    else
        hyperlaunch_announce();
    hyperlaunch_console_domain_shutdown(d->domain_id);
    spin_unlock(&hyperlaunch_lock);
}

void hyperlaunch_domain_destroyed(const struct domain *d)
{
    struct xen_hyperlaunch_domain *rec;

    if ( !hyperlaunch_info() )
        return;

    spin_lock(&hyperlaunch_lock);
    rec = hyperlaunch_find_domain(d->domain_id);
    if ( rec )
    {
        hyperlaunch_console_remove_ring(rec);
        hyperlaunch_set_domain_state(rec, XEN_HYPERLAUNCH_DOM_RECLAIMED);
        hyperlaunch_add_event(XEN_HYPERLAUNCH_EV_RECLAIMED, d->domain_id,
                              rec->index);
        if ( rec->functions & LCM_FUNC_BOOT )
            fail(rec->index, LCM_ERR_BOOT_DIED);
    }
    hyperlaunch_console_domain_destroyed(d->domain_id);
    spin_unlock(&hyperlaunch_lock);
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
