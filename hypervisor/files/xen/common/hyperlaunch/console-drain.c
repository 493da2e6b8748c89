/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * PV consoles of initial domains that have no back end.  A guest waits when its
 * ring is full, and the back end may boot later, or not at all in a static
 * launch.  So Xen takes the oldest output, prints it like guests' debug output,
 * and leaves the newest in the ring for the back end.  It takes nothing while
 * a back end is exchanged or restarted, so that no output is lost by that.
 */

#include <xen/ctype.h>
#include <xen/domain_page.h>
#include <xen/event.h>
#include <xen/lib.h>
#include <xen/mm.h>
#include <xen/nospec.h>
#include <xen/sched.h>
#include <xen/spinlock.h>
#include <xen/timer.h>
#include <xen/xmalloc.h>

#include <xen/lib/hyperlaunch/lcm.h>

#include <asm/p2m.h>

#include <public/io/console.h>

#include "private.h"

/* Bytes that are left in the ring. */
#define KEEP (sizeof_field(struct xencons_interface, out) / 2)

/* How long a back end may take to bind a port that another one has closed. */
#define GRACE MILLISECS(XEN_HYPERLAUNCH_CONSOLE_GRACE_MS)

struct ring {
    domid_t domid;
    evtchn_port_t port;
    bool served;                    /* a back end has bound the port once */
    bool incomplete;                /* no memory for the first output */
    uint8_t *kept;                  /* NULL: nothing yet */
    uint32_t nr_kept;
    uint64_t dropped;
    s_time_t takes_from;            /* no output is taken before */
    struct timer timer;             /* for that time */
};

/* By index of the record; of domains that are not destroyed. */
static struct ring *rings[LCM_MAX_DOMAINS];

/* For rings[] and what they point to. */
static DEFINE_SPINLOCK(drain_lock);

static struct ring *find_ring(domid_t domid)
{
    const struct xen_hyperlaunch_domain *rec = hyperlaunch_find_domain(domid);

    return rec ? rings[rec->index] : NULL;
}

/* Memory for the first output, which not every guest makes. */
static void prepare_to_keep(struct ring *ring)
{
    if ( ring->served || ring->kept || ring->incomplete )
        return;

    ring->kept = xmalloc_bytes(XEN_HYPERLAUNCH_CONSOLE_KEPT);
    ring->incomplete = !ring->kept;
}

static void keep(struct ring *ring, uint8_t c)
{
    if ( !ring->served && ring->kept &&
         ring->nr_kept < XEN_HYPERLAUNCH_CONSOLE_KEPT )
        ring->kept[ring->nr_kept++] = c;
    else
        ring->dropped++;
}

/*
 * Takes one line, and prints it without control characters.  Returns the index
 * of the next.
 */
static XENCONS_RING_IDX take_line(struct ring *ring, const struct domain *d,
                                  const struct xencons_interface *intf,
                                  XENCONS_RING_IDX cons,
                                  XENCONS_RING_IDX prod)
{
    char line[DOMAIN_PBUF_SIZE];
    unsigned int n = 0;
    char c = 0;

    while ( cons != prod && c != '\n' && n < sizeof(line) - 1 )
    {
        c = ACCESS_ONCE(intf->out[MASK_XENCONS_IDX(cons++, intf->out)]);
        keep(ring, c);
        if ( isprint(c) || c == '\t' )
            line[n++] = c;
    }

    line[n] = '\0';
    guest_printk(d, XENLOG_G_DEBUG "%s\n", line);

    return cons;
}

/*
 * The guest can write any value to the indices at any time.  Returns true if
 * output was taken.
 */
static bool drain(struct ring *ring, const struct domain *d,
                  struct xencons_interface *intf)
{
    XENCONS_RING_IDX first = ACCESS_ONCE(intf->out_cons), cons = first;
    XENCONS_RING_IDX prod = ACCESS_ONCE(intf->out_prod);

    if ( prod - cons > sizeof(intf->out) || prod - cons <= KEEP )
        return false;

    prepare_to_keep(ring);
    smp_rmb();
    while ( prod - cons > KEEP )
        cons = take_line(ring, d, intf, cons, prod);
    smp_mb();
    ACCESS_ONCE(intf->out_cons) = cons;

    return cons != first;
}

/* Drains the ring in a page of d's, if that is d's to write to. */
static bool drain_page(struct domain *d, struct page_info *pg, p2m_type_t type)
{
    struct ring *ring;
    bool taken = false;
    void *intf;

    /* A PV guest may have turned the page into a page table. */
    if ( type != p2m_ram_rw || !get_page_type(pg, PGT_writable_page) )
        return false;

    intf = __map_domain_page(pg);
    spin_lock(&drain_lock);
    ring = find_ring(d->domain_id);
    if ( ring && NOW() >= ring->takes_from )
        taken = drain(ring, d, intf);
    spin_unlock(&drain_lock);
    unmap_domain_page(intf);
    put_page_type(pg);

    return taken;
}

bool hyperlaunch_console_drain(struct domain *d)
{
    const struct xen_hyperlaunch_domain *rec =
        hyperlaunch_find_domain(d->domain_id);
    struct page_info *pg;
    p2m_type_t type;
    bool taken;

    if ( !rec || rec->console_gfn == XEN_HYPERLAUNCH_NO_GFN )
        return false;

    pg = get_page_from_gfn(d, rec->console_gfn, &type, P2M_ALLOC);
    if ( !pg )
        return false;

    taken = drain_page(d, pg, type);
    put_page(pg);

    return taken;
}

/* A guest whose ring is full sends no more events, and may wait for one. */
static void drain_late(struct domain *d, evtchn_port_t port)
{
    struct evtchn *chn;

    if ( !port_is_valid(d, port) )
        return;

    chn = evtchn_from_port(d, port);
    evtchn_read_lock(chn);
    if ( chn->ring_console && chn->state == ECS_UNBOUND &&
         hyperlaunch_console_drain(d) )
        evtchn_port_set_pending(d, chn->notify_vcpu_id, chn);
    evtchn_read_unlock(chn);
}

static void cf_check ring_timer_fn(void *data)
{
    struct ring *ring = data;
    struct domain *d = rcu_lock_domain_by_id(ring->domid);

    if ( !d )
        return;

    drain_late(d, ring->port);
    rcu_unlock_domain(d);
}

/* Gives a back end time to bind the port. */
static void start_grace(struct ring *ring)
{
    ring->takes_from = NOW() + GRACE;
    set_timer(&ring->timer, ring->takes_from);
}

void hyperlaunch_console_bound(const struct domain *d)
{
    struct ring *ring;

    spin_lock(&drain_lock);
    ring = find_ring(d->domain_id);
    if ( ring )
    {
        ring->served = true;
        stop_timer(&ring->timer);
    }
    spin_unlock(&drain_lock);
}

void hyperlaunch_console_unbound(const struct domain *d)
{
    hyperlaunch_console_exchanged(d);
}

void hyperlaunch_console_exchanged(const struct domain *d)
{
    struct ring *ring;

    spin_lock(&drain_lock);
    ring = find_ring(d->domain_id);
    if ( ring )
        start_grace(ring);
    spin_unlock(&drain_lock);
}

int hyperlaunch_console_read(domid_t domid, uint64_t offset,
                             struct xen_hyperlaunch_console *ret)
{
    const struct ring *ring;
    int rc = 0;

    if ( !hyperlaunch_find_domain(domid) )
        return -ESRCH;

    memset(ret, 0, sizeof(*ret));

    spin_lock(&drain_lock);
    ring = find_ring(domid);
    if ( !ring )
        rc = -ENOENT;
    else if ( offset > ring->nr_kept )
        rc = -EINVAL;
    else
    {
        offset = array_index_nospec(offset, ring->nr_kept + 1UL);
        ret->dropped = ring->dropped;
        ret->kept = ring->nr_kept;
        ret->size = min_t(uint64_t, ring->nr_kept - offset, sizeof(ret->data));
        if ( ret->size )
            memcpy(ret->data, ring->kept + offset, ret->size);
    }
    spin_unlock(&drain_lock);

    return rc;
}

void hyperlaunch_console_remove_ring(const struct xen_hyperlaunch_domain *rec)
{
    struct ring *ring;

    spin_lock(&drain_lock);
    ring = rings[rec->index];
    rings[rec->index] = NULL;
    spin_unlock(&drain_lock);

    if ( !ring )
        return;

    kill_timer(&ring->timer);
    xfree(ring->kept);
    xfree(ring);
}

int hyperlaunch_console_add_ring(const struct xen_hyperlaunch_domain *rec)
{
    struct ring *ring = xzalloc(struct ring);

    if ( !ring )
        return -ENOMEM;

    ring->domid = rec->domid;
    ring->port = rec->console_port;
    init_timer(&ring->timer, ring_timer_fn, ring, 0);

    /* In a recovery the crash domain gets another one. */
    hyperlaunch_console_remove_ring(rec);

    spin_lock(&drain_lock);
    rings[rec->index] = ring;
    spin_unlock(&drain_lock);

    return 0;
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
