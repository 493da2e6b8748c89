/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The record of a launch: written while Xen builds, kept up to date and read
 * through the sysctl ever after.
 */

#include <xen/event.h>
#include <xen/hyperlaunch-launch.h>
#include <xen/lib.h>
#include <xen/rcupdate.h>
#include <xen/sched.h>
#include <xen/sha2.h>
#include <xen/spinlock.h>
#include <xen/string.h>
#include <xen/time.h>
#include <xen/xmalloc.h>

#define NR_EVENTS 256               /* the log is a ring of that many */

struct launch {
    struct xen_hyperlaunch_info info;
    struct xen_hyperlaunch_domain *domains;
    struct xen_hyperlaunch_module *modules; /* [0] is module 1 */
    struct xen_hyperlaunch_event events[NR_EVENTS];
    char (*paths)[XEN_HYPERLAUNCH_PATH_SIZE]; /* of each domain's node */
    void *lcm;
};

static const struct xen_hyperlaunch_info no_launch = {
    .version = XEN_HYPERLAUNCH_VERSION,
    .state = XEN_HYPERLAUNCH_STATE_NONE,
    .hwdom_domid = XEN_HYPERLAUNCH_NO_DOMID,
    .boot_domid = XEN_HYPERLAUNCH_NO_DOMID,
    .crash_domid = XEN_HYPERLAUNCH_NO_DOMID,
    .console_domid = XEN_HYPERLAUNCH_NO_DOMID,
    .xenstore_domid = XEN_HYPERLAUNCH_NO_DOMID,
    .console_owner = XEN_HYPERLAUNCH_NO_DOMID,
    .virq = XEN_HYPERLAUNCH_VIRQ,
    .error_domain = XEN_HYPERLAUNCH_NO_MODULE,
};

static struct launch *__read_mostly launch;
static DEFINE_SPINLOCK(lock);

void launch_lock(void)
{
    spin_lock(&lock);
}

void launch_unlock(void)
{
    spin_unlock(&lock);
}

static void free_launch(struct launch *l)
{
    xfree(l->domains);
    xfree(l->modules);
    xfree(l->paths);
    xfree(l->lcm);
    xfree(l);
}

int launch_record_init(const void *lcm, size_t size, unsigned int nr_domains,
                       unsigned int nr_modules)
{
    struct launch *l = xzalloc(struct launch);
    unsigned int i;

    if ( !l )
        return -ENOMEM;

    l->domains = xzalloc_array(struct xen_hyperlaunch_domain, nr_domains);
    l->modules = xzalloc_array(struct xen_hyperlaunch_module, nr_modules + 1);
    l->paths = xzalloc_bytes((nr_domains + 1) * sizeof(*l->paths));
    l->lcm = xmalloc_bytes(size);
    if ( !l->domains || !l->modules || !l->paths || !l->lcm )
    {
        free_launch(l);
        return -ENOMEM;
    }

    memcpy(l->lcm, lcm, size);
    l->info = no_launch;
    l->info.nr_domains = nr_domains;
    l->info.nr_modules = nr_modules;
    l->info.lcm_size = size;
    sha2_256_digest(l->info.lcm_sha256, lcm, size);
    l->info.start_ns = NOW();

    for ( i = 0; i < nr_modules; i++ )
    {
        l->modules[i].index = i + 1;
        l->modules[i].type = XEN_HYPERLAUNCH_NO_MODULE;
    }

    launch = l;

    return 0;
}

struct xen_hyperlaunch_info *launch_info(void)
{
    return launch ? &launch->info : NULL;
}

const struct xen_hyperlaunch_info *launch_info_or_none(void)
{
    return launch ? &launch->info : &no_launch;
}

struct xen_hyperlaunch_domain *launch_domain(unsigned int index)
{
    return launch && index < launch->info.nr_domains ? &launch->domains[index]
                                                     : NULL;
}

struct xen_hyperlaunch_module *launch_module(unsigned int index)
{
    return launch && index && index <= launch->info.nr_modules
           ? &launch->modules[index - 1] : NULL;
}

char *launch_path(unsigned int index)
{
    return launch && index < launch->info.nr_domains ? launch->paths[index]
                                                     : NULL;
}

const void *launch_lcm(void)
{
    return launch ? launch->lcm : NULL;
}

const struct xen_hyperlaunch_event *launch_event_get(uint32_t seq)
{
    if ( !launch || seq < launch->info.first_event ||
         seq >= launch->info.nr_events )
        return NULL;

    return &launch->events[seq % NR_EVENTS];
}

/* Whoever may read the record hears that it has changed. */
static void announce(void)
{
    unsigned int i;

    for ( i = 0; i < launch->info.nr_domains; i++ )
    {
        const struct xen_hyperlaunch_domain *rec = &launch->domains[i];
        struct domain *d;

        if ( !launch_reads(rec) )
            continue;

        d = rcu_lock_domain_by_id(rec->domid);
        if ( d )
        {
            send_guest_global_virq(d, XEN_HYPERLAUNCH_VIRQ);
            rcu_unlock_domain(d);
        }
    }
}

void launch_event(uint16_t event, domid_t domid, uint32_t arg)
{
    uint32_t seq = launch->info.nr_events++;

    launch->events[seq % NR_EVENTS] = (struct xen_hyperlaunch_event){
        .time_ns = NOW(),
        .seq = seq,
        .event = event,
        .domid = domid,
        .arg = arg,
    };

    if ( launch->info.nr_events > NR_EVENTS )
        launch->info.first_event = launch->info.nr_events - NR_EVENTS;

    announce();
}

/* For those who have no more than Xen's log. */
void launch_set_domain_state(struct xen_hyperlaunch_domain *rec, uint32_t state)
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

void launch_set_state(uint32_t state)
{
    launch->info.state = state;
    if ( state >= XEN_HYPERLAUNCH_STATE_COMPLETE )
        launch->info.end_ns = NOW();
    launch_event(XEN_HYPERLAUNCH_EV_STATE, XEN_HYPERLAUNCH_NO_DOMID, state);
    printk("hyperlaunch: %s\n", state_name(state));
}

struct xen_hyperlaunch_domain *launch_find(domid_t domid)
{
    unsigned int i;

    for ( i = 0; launch && i < launch->info.nr_domains; i++ )
    {
        struct xen_hyperlaunch_domain *rec = &launch->domains[i];

        if ( rec->domid == domid &&
             rec->state != XEN_HYPERLAUNCH_DOM_RECLAIMED )
            return rec;
    }

    return NULL;
}

uint64_t launch_console_gfn(domid_t domid, uint32_t port)
{
    const struct xen_hyperlaunch_domain *rec;
    uint64_t gfn = XEN_HYPERLAUNCH_NO_GFN;

    if ( !launch )
        return gfn;

    launch_lock();
    rec = launch_find(domid);
    if ( rec && port && rec->console_port == port )
        gfn = rec->console_gfn;
    launch_unlock();

    return gfn;
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
