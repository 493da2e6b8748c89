/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * PV guests, built by dom0's PV builder: RAM, start_info and rings, and
 * nothing of the host.
 */

#include <xen/domain_page.h>
#include <xen/elfstructs.h>
#include <xen/lib.h>
#include <xen/mm.h>
#include <xen/sched.h>
#include <xen/xmalloc.h>

#include <asm/dom0_build.h>
#include <asm/e820.h>
#include <asm/hyperlaunch.h>
#include <asm/setup.h>

#include <public/io/xs_wire.h>

#ifdef CONFIG_COMPAT
#include <compat/xen.h>
#endif

#include "private.h"

struct guest {
    domid_t domid;
    struct hl_pv_frames frames;
};

static struct guest __initdata guests[LCM_MAX_DOMAINS];
static unsigned int __initdata nr_guests;

/*
 * A destroyed domain and its successor have the same domid: take the last one.
 */
const struct hl_pv_frames *__init hyperlaunch_pv_frames(const struct domain *d)
{
    unsigned int i;

    for ( i = nr_guests; i--; )
        if ( guests[i].domid == d->domain_id )
            return &guests[i].frames;

    return NULL;
}

/* The guest waits for an event of the back end, which is not up yet. */
static void __init set_up_store(unsigned long mfn)
{
    struct xenstore_domain_interface *ring = map_domain_page(_mfn(mfn));

    /* The hardware domain's pages are not cleared by its builder. */
    clear_page(ring);
    ring->connection = XENSTORE_RECONNECT;
    unmap_domain_page(ring);
}

void __init hyperlaunch_pv_built(const struct domain *d,
                                 const struct hl_pv_frames *frames)
{
    BUG_ON(nr_guests == ARRAY_SIZE(guests));

    set_up_store(frames->store);
    guests[nr_guests].domid = d->domain_id;
    guests[nr_guests++].frames = *frames;
}

int __init hyperlaunch_check_pv_kernel(const struct lcm_domain *dom,
                                       const struct boot_domain *bd)
{
    const struct boot_module *bm = bd->kernel;
    const uint8_t *ident = bootstrap_map_bm(bm) + bm->headroom;
    unsigned int expected = dom->mode & LCM_MODE_LONG ? ELFCLASS64
                                                      : ELFCLASS32;
    bool good = bm->size > EI_CLASS && ident[EI_CLASS] == expected;

    bootstrap_unmap();

    if ( !good )
        printk(XENLOG_ERR "hyperlaunch: not a %s-bit kernel\n",
               expected == ELFCLASS64 ? "64" : "32");

    return good ? 0 : -EINVAL;
}

/* For XENMEM_memory_map, which would return the host's map otherwise. */
static int __init set_memory_map(struct domain *d, unsigned long nr_pages)
{
    d->arch.e820 = xzalloc(struct e820entry);
    if ( !d->arch.e820 )
        return -ENOMEM;

    *d->arch.e820 = (struct e820entry){
        .size = (uint64_t)nr_pages << PAGE_SHIFT,
        .type = E820_RAM,
    };
    d->arch.nr_e820 = 1;

    return 0;
}

void __init hyperlaunch_clear_tail(const struct boot_module *bm)
{
    memset(maddr_to_virt(bm->start) + bm->size, 0, -bm->size & ~PAGE_MASK);
}

int __init hyperlaunch_construct_pv(struct domain *d,
                                    const struct lcm_domain *dom,
                                    const struct boot_domain *bd)
{
    unsigned long nr_pages = DIV_ROUND_UP(dom->memory_kib, PAGE_SIZE >> 10);
    paddr_t loader_cmdline = bd->kernel->cmdline_pa;
    int rc = set_memory_map(d, nr_pages);

    if ( rc )
        return rc;

    d->max_pages = nr_pages;
    bd->kernel->cmdline_pa = __pa(bd->cmdline);
    rc = dom0_construct_pv(&xen_boot_info, d);
    bd->kernel->cmdline_pa = loader_cmdline;
    bootstrap_unmap();

    if ( !rc && !d->vcpu[d->max_vcpus - 1] )
        rc = -ENOMEM;

    return rc;
}

static void __init set_port(const struct domain *d, bool console,
                            uint32_t port)
{
    mfn_t mfn = _mfn(hyperlaunch_pv_frames(d)->start_info);
    struct start_info *si = map_domain_page(mfn);
    uint32_t *field = console ? &si->console.domU.evtchn : &si->store_evtchn;

#ifdef CONFIG_COMPAT
    if ( is_pv_32bit_domain(d) )
    {
        struct compat_start_info *compat = (void *)si;

        field = console ? &compat->console.domU.evtchn : &compat->store_evtchn;
    }
#endif

    *field = port;
    unmap_domain_page(si);
}

void __init hyperlaunch_pv_set_store(const struct domain *d, uint32_t port)
{
    set_port(d, false, port);
}

void __init hyperlaunch_pv_set_console(const struct domain *d, uint32_t port)
{
    set_port(d, true, port);
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
