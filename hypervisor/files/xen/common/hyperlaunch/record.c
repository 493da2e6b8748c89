/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Storage of the record of a launch: written while the launch is built,
 * updated while it runs, and read through the sysctl for as long as Xen runs.
 */

#include <xen/hyperlaunch-record.h>
#include <xen/lib.h>
#include <xen/nospec.h>
#include <xen/sha2.h>
#include <xen/spinlock.h>
#include <xen/string.h>
#include <xen/time.h>
#include <xen/xmalloc.h>

#define NR_EVENTS 256               /* the log is a ring */

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
DEFINE_SPINLOCK(hyperlaunch_lock);

static void free_launch(struct launch *l)
{
    xfree(l->domains);
    xfree(l->modules);
    xfree(l->paths);
    xfree(l->lcm);
    xfree(l);
}

int hyperlaunch_record_init(const void *lcm, size_t size,
                            unsigned int nr_domains, unsigned int nr_modules)
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

const struct xen_hyperlaunch_info *hyperlaunch_info(void)
{
    return launch ? &launch->info : NULL;
}

struct xen_hyperlaunch_info *hyperlaunch_info_rw(void)
{
    hyperlaunch_assert_writable();

    return launch ? &launch->info : NULL;
}

const struct xen_hyperlaunch_info *hyperlaunch_info_or_none(void)
{
    return launch ? &launch->info : &no_launch;
}

struct xen_hyperlaunch_domain *hyperlaunch_domain(unsigned int index)
{
    if ( !launch || index >= launch->info.nr_domains )
        return NULL;

    /* A guest may choose it: keep speculation within the array as well. */
    index = array_index_nospec(index, launch->info.nr_domains);

    return &launch->domains[index];
}

struct xen_hyperlaunch_module *hyperlaunch_module(unsigned int index)
{
    if ( !launch || !index || index > launch->info.nr_modules )
        return NULL;

    index = array_index_nospec(index - 1, launch->info.nr_modules);

    return &launch->modules[index];
}

char *hyperlaunch_domain_path(unsigned int index)
{
    if ( !launch || index >= launch->info.nr_domains )
        return NULL;

    return launch->paths[array_index_nospec(index, launch->info.nr_domains)];
}

const void *hyperlaunch_recorded_lcm(void)
{
    return launch ? launch->lcm : NULL;
}

const struct xen_hyperlaunch_event *hyperlaunch_get_event(uint32_t seq)
{
    ASSERT(spin_is_locked(&hyperlaunch_lock));

    if ( !launch || seq < launch->info.first_event ||
         seq >= launch->info.nr_events )
        return NULL;

    return &launch->events[seq % NR_EVENTS];
}

struct xen_hyperlaunch_event *hyperlaunch_new_event(void)
{
    struct xen_hyperlaunch_info *info = &launch->info;
    struct xen_hyperlaunch_event *ev =
        &launch->events[info->nr_events % NR_EVENTS];

    hyperlaunch_assert_writable();

    ev->seq = info->nr_events++;
    if ( info->nr_events > NR_EVENTS )
        info->first_event = info->nr_events - NR_EVENTS;

    return ev;
}

struct xen_hyperlaunch_domain *hyperlaunch_find_domain(domid_t domid)
{
    unsigned int i;

    for ( i = 0; launch && i < launch->info.nr_domains; i++ )
    {
        struct xen_hyperlaunch_domain *rec = &launch->domains[i];

        if ( ACCESS_ONCE(rec->state) == XEN_HYPERLAUNCH_DOM_RECLAIMED )
            continue;

        /* A reclaimed one may get another domid, and then its new state. */
        smp_rmb();
        if ( ACCESS_ONCE(rec->domid) == domid )
            return rec;
    }

    return NULL;
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
