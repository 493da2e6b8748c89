/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * PV consoles of initial domains that have no back end yet.  A guest waits
 * when its ring is full, and the back end may boot later, or not at all in a
 * static launch.  As long as the port is unbound Xen takes the oldest output,
 * prints it like guests' debug output, and leaves the newest in the ring for
 * the back end.
 */

#include <xen/ctype.h>
#include <xen/domain_page.h>
#include <xen/lib.h>
#include <xen/mm.h>
#include <xen/sched.h>
#include <xen/spinlock.h>

#include <asm/p2m.h>

#include <public/io/console.h>

#include "private.h"

/* Bytes that are left in the ring. */
#define KEEP (sizeof_field(struct xencons_interface, out) / 2)

static DEFINE_SPINLOCK(drain_lock);

/*
 * Prints one line, without control characters.  Returns the index of the next.
 */
static XENCONS_RING_IDX print_line(const struct domain *d,
                                   const struct xencons_interface *ring,
                                   XENCONS_RING_IDX cons,
                                   XENCONS_RING_IDX prod)
{
    char line[DOMAIN_PBUF_SIZE];
    unsigned int n = 0;
    char c = 0;

    while ( cons != prod && c != '\n' && n < sizeof(line) - 1 )
    {
        c = ACCESS_ONCE(ring->out[MASK_XENCONS_IDX(cons++, ring->out)]);
        if ( isprint(c) || c == '\t' )
            line[n++] = c;
    }

    line[n] = '\0';
    guest_printk(d, XENLOG_G_DEBUG "%s\n", line);

    return cons;
}

/* The guest can write any value to the indices at any time. */
static void drain(const struct domain *d, struct xencons_interface *ring)
{
    XENCONS_RING_IDX cons = ACCESS_ONCE(ring->out_cons);
    XENCONS_RING_IDX prod = ACCESS_ONCE(ring->out_prod);

    if ( prod - cons > sizeof(ring->out) )
        return;

    smp_rmb();
    while ( prod - cons > KEEP )
        cons = print_line(d, ring, cons, prod);
    smp_mb();
    ACCESS_ONCE(ring->out_cons) = cons;
}

void hyperlaunch_console_drain(struct domain *d)
{
    const struct xen_hyperlaunch_domain *rec =
        hyperlaunch_find_domain(d->domain_id);
    struct page_info *pg;
    p2m_type_t type;
    void *ring;

    if ( !rec || rec->console_gfn == XEN_HYPERLAUNCH_NO_GFN )
        return;

    pg = get_page_from_gfn(d, rec->console_gfn, &type, P2M_ALLOC);
    if ( !pg )
        return;

    /* A PV guest may have turned the page into a page table. */
    if ( type == p2m_ram_rw && get_page_type(pg, PGT_writable_page) )
    {
        ring = __map_domain_page(pg);
        spin_lock(&drain_lock);
        drain(d, ring);
        spin_unlock(&drain_lock);
        unmap_domain_page(ring);
        put_page_type(pg);
    }

    put_page(pg);
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
