/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * From built to complete: the boot domain alone, then everybody; or to
 * recovery: the crash domain.  What ends the preparing phase is decided under
 * the lock, by whoever comes first, and carried out by a tasklet, as a domain
 * cannot be ended by itself.
 */

#include <xen/console.h>
#include <xen/domain.h>
#include <xen/hyperlaunch-launch.h>
#include <xen/lib.h>
#include <xen/sched.h>
#include <xen/shutdown.h>
#include <xen/tasklet.h>
#include <xen/time.h>
#include <xen/timer.h>

#include <xen/lib/hyperlaunch/lcm.h>

#include <public/sched.h>

static struct timer boot_timer;
static s_time_t __read_mostly boot_timeout;

static void cf_check finish(void *unused);
static DECLARE_TASKLET(finish_tasklet, finish, NULL);

/* The hook in unpausing notes it down. */
static void start_domain(domid_t domid)
{
    struct domain *d = rcu_lock_domain_by_id(domid);

    if ( !d )
        return;

    domain_unpause_by_systemcontroller(d);
    rcu_unlock_domain(d);
}

static void complete(void)
{
    const struct xen_hyperlaunch_domain *rec;
    unsigned int i;

    launch_lock();
    launch_set_state(XEN_HYPERLAUNCH_STATE_COMPLETE);
    launch_unlock();
    launch_default_console();

    for ( i = 0; (rec = launch_domain(i)) != NULL; i++ )
        if ( rec->state == XEN_HYPERLAUNCH_DOM_BUILT )
            start_domain(rec->domid);
}

static const struct xen_hyperlaunch_domain *find_crash_domain(void)
{
    const struct xen_hyperlaunch_domain *rec;
    unsigned int i;

    for ( i = 0; (rec = launch_domain(i)) != NULL; i++ )
        if ( (rec->functions & LCM_FUNC_CRASH) &&
             rec->state >= XEN_HYPERLAUNCH_DOM_BUILT &&
             rec->state <= XEN_HYPERLAUNCH_DOM_READY )
            return rec;

    return NULL;
}

void noreturn launch_stop(void)
{
    printk(XENLOG_ERR "hyperlaunch: no crash domain can run; Xen stops here\n");
    console_start_sync();
    machine_halt();
}

static void recover(void)
{
    const struct xen_hyperlaunch_domain *crash = find_crash_domain();

    if ( !crash || launch_give_console(crash->domid) )
    {
        launch_lock();
        launch_set_state(XEN_HYPERLAUNCH_STATE_FAILED);
        launch_unlock();
        launch_stop();
    }

    printk(XENLOG_ERR "hyperlaunch: recovery: the crash domain d%u runs\n",
           crash->domid);
    if ( crash->state < XEN_HYPERLAUNCH_DOM_STARTED )
        start_domain(crash->domid);
}

/* False: to be tried again. */
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

static void cf_check finish(void *unused)
{
    if ( !reclaim(launch_info()->boot_domid) )
        tasklet_schedule(&finish_tasklet);
    else if ( launch_info()->state == XEN_HYPERLAUNCH_STATE_RECOVERY )
        recover();
    else
        complete();
}

/* The preparing phase ends like this, unless it is over.  The lock is held. */
static bool end_preparing(uint32_t state)
{
    if ( launch_info()->state != XEN_HYPERLAUNCH_STATE_PREPARING )
        return false;

    launch_set_state(state);
    tasklet_schedule(&finish_tasklet);

    return true;
}

static const char *reason_text(enum lcm_err reason)
{
    switch ( reason )
    {
    case LCM_ERR_BOOT_DIED:
        return "the boot domain ended before it was done [boot-died]";

    case LCM_ERR_BOOT_TIMEOUT:
        return "the boot domain was not done in time [boot-timeout]";

    default:
        return "the boot domain gave up [boot-failed]";
    }
}

/* The lock is held.  index: whose fault it is. */
static bool fail(uint32_t index, enum lcm_err reason)
{
    struct xen_hyperlaunch_info *info = launch_info();
    struct xen_hyperlaunch_domain *rec = launch_domain(index);

    if ( info->state != XEN_HYPERLAUNCH_STATE_PREPARING )
        return false;

    info->error = reason;
    info->error_domain = index;
    rec->error = reason;
    launch_event(XEN_HYPERLAUNCH_EV_BOOT_FAILED, rec->domid, reason);
    strlcpy(info->error_path, launch_path(index), sizeof(info->error_path));
    printk(XENLOG_ERR "hyperlaunch: error: %s: %s\n", info->error_path,
           reason_text(reason));

    return end_preparing(XEN_HYPERLAUNCH_STATE_RECOVERY);
}

static uint32_t boot_index(void)
{
    const struct xen_hyperlaunch_domain *rec;
    unsigned int i;

    for ( i = 0; (rec = launch_domain(i)) != NULL; i++ )
        if ( rec->functions & LCM_FUNC_BOOT )
            break;

    return i;
}

static void cf_check time_is_up(void *unused)
{
    launch_lock();
    fail(boot_index(), LCM_ERR_BOOT_TIMEOUT);
    launch_unlock();
}

void launch_prepare(uint32_t timeout_ms)
{
    boot_timeout = MILLISECS((s_time_t)timeout_ms);
    launch_set_state(XEN_HYPERLAUNCH_STATE_PREPARING);
}

static void start_boot_domain(void)
{
    domid_t domid = launch_info()->boot_domid;

    launch_give_console(domid);

    if ( boot_timeout )
    {
        init_timer(&boot_timer, time_is_up, NULL, 0);
        set_timer(&boot_timer, NOW() + boot_timeout);
    }

    start_domain(domid);
}

bool hyperlaunch_start(void)
{
    const struct xen_hyperlaunch_info *info = launch_info();

    /* Failed: a classic dom0 stands in, and its starter starts it. */
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

int launch_ready(void)
{
    struct xen_hyperlaunch_domain *rec;
    int rc = 0;

    launch_lock();
    rec = launch_find(current->domain->domain_id);
    if ( !rec )
        rc = -EPERM;
    else if ( rec->state != XEN_HYPERLAUNCH_DOM_READY )
    {
        launch_set_domain_state(rec, XEN_HYPERLAUNCH_DOM_READY);
        rec->ready_ns = NOW();
        launch_event(XEN_HYPERLAUNCH_EV_READY, rec->domid, rec->index);
    }
    launch_unlock();

    return rc;
}

static bool is_boot_domain(const struct domain *d)
{
    return launch_info() && launch_info()->boot_domid == d->domain_id;
}

/* Decided: the caller has run its last instruction. */
static void end_boot_domain(void)
{
    stop_timer(&boot_timer);
    domain_shutdown(current->domain, SHUTDOWN_poweroff);
}

int launch_boot_done(void)
{
    bool ended;

    if ( !is_boot_domain(current->domain) )
        return -EPERM;

    launch_lock();
    ended = end_preparing(XEN_HYPERLAUNCH_STATE_FINALIZING);
    launch_unlock();

    if ( !ended )
        return -EPERM;

    end_boot_domain();

    return 0;
}

int launch_boot_failed(uint32_t index, uint64_t reason)
{
    bool ended;

    if ( !is_boot_domain(current->domain) )
        return -EPERM;
    if ( index == XEN_HYPERLAUNCH_NO_MODULE )
        index = boot_index();
    if ( !launch_domain(index) || reason >= LCM_NR_ERRS )
        return -EINVAL;

    launch_lock();
    ended = fail(index, reason ?: LCM_ERR_BOOT_FAILED);
    launch_unlock();

    if ( !ended )
        return -EPERM;

    end_boot_domain();

    return 0;
}

int launch_release(domid_t domid)
{
    const struct xen_hyperlaunch_domain *rec;
    int rc = 0;

    launch_lock();
    rec = launch_find(domid);
    if ( !rec )
        rc = -ESRCH;
    else if ( rec->state != XEN_HYPERLAUNCH_DOM_HELD )
        rc = -EBUSY;
    else
        launch_event(XEN_HYPERLAUNCH_EV_RELEASED, domid, rec->index);
    launch_unlock();

    if ( !rc )
        start_domain(domid);

    return rc;
}

void hyperlaunch_domain_started(const struct domain *d)
{
    struct xen_hyperlaunch_domain *rec;

    launch_lock();
    rec = launch_find(d->domain_id);
    if ( rec && rec->state < XEN_HYPERLAUNCH_DOM_STARTED )
    {
        launch_set_domain_state(rec, XEN_HYPERLAUNCH_DOM_STARTED);
        rec->started_ns = NOW();
        launch_event(XEN_HYPERLAUNCH_EV_STARTED, rec->domid, rec->index);
    }
    launch_unlock();
}

void hyperlaunch_domain_shutdown(const struct domain *d, uint8_t reason)
{
    const struct xen_hyperlaunch_domain *rec;

    launch_lock();
    rec = launch_find(d->domain_id);
    if ( rec )
    {
        launch_event(XEN_HYPERLAUNCH_EV_DIED, d->domain_id, reason);
        if ( rec->functions & LCM_FUNC_BOOT )
            fail(rec->index, LCM_ERR_BOOT_DIED);
    }
    launch_unlock();
}

void hyperlaunch_domain_destroyed(const struct domain *d)
{
    const struct xen_hyperlaunch_info *info = launch_info();
    struct xen_hyperlaunch_domain *rec;
    bool had_console;

    if ( !info )
        return;

    launch_lock();
    had_console = info->console_owner == d->domain_id;
    rec = launch_find(d->domain_id);
    if ( rec )
    {
        launch_set_domain_state(rec, XEN_HYPERLAUNCH_DOM_RECLAIMED);
        launch_event(XEN_HYPERLAUNCH_EV_RECLAIMED, d->domain_id, rec->index);
        if ( rec->functions & LCM_FUNC_BOOT )
            fail(rec->index, LCM_ERR_BOOT_DIED);
    }
    launch_unlock();

    if ( had_console )
        launch_default_console();
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
