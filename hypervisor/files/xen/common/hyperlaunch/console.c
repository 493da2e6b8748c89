/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The consoles of initial domains until somebody serves them.  A guest waits
 * when its ring is full, and the domain that will empty it boots beside it, or
 * does not exist in a static launch.  So for as long as nobody has bound the
 * port Xen takes the oldest output, prints it as it prints guests' debug
 * output, and leaves the newest in the ring for whoever comes.
 */

#include <xen/ctype.h>
#include <xen/domain_page.h>
#include <xen/hyperlaunch-launch.h>
#include <xen/lib.h>
#include <xen/mm.h>
#include <xen/sched.h>
#include <xen/spinlock.h>

#include <asm/p2m.h>

#include <public/io/console.h>

/* So much is left in the ring, bytes. */
#define KEEP (sizeof_field(struct xencons_interface, out) / 2)

static DEFINE_SPINLOCK(drain_lock);

/*
 * One line, without what a terminal would take for a command.  Gives the index
 * after it.
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

/* The guest writes the indices: they may say anything, at any time. */
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

void hyperlaunch_unserved_port(struct domain *d, uint32_t port)
{
    uint64_t gfn = launch_console_gfn(d->domain_id, port);
    struct page_info *pg;
    p2m_type_t type;
    void *ring;

    if ( gfn == XEN_HYPERLAUNCH_NO_GFN )
        return;

    pg = get_page_from_gfn(d, gfn, &type, P2M_ALLOC);
    if ( !pg )
        return;

    /* A PV guest might have made a page table of it. */
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
