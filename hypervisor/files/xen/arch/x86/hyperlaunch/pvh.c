/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A PVH guest: RAM, rings and tables of its own, and nothing of the host's.
 */

#include <xen/domain_page.h>
#include <xen/lib.h>
#include <xen/mm.h>
#include <xen/sched.h>
#include <xen/sizes.h>
#include <xen/softirq.h>
#include <xen/xmalloc.h>

#include <asm/dom0_build.h>
#include <asm/e820.h>
#include <asm/hvm/support.h>
#include <asm/p2m.h>
#include <asm/paging.h>

#include <public/arch-x86/hvm/start_info.h>
#include <public/io/xs_wire.h>

#include "private.h"

#define NR_SPECIAL_PAGES 3          /* tables, store, console */
#define CONFIG_MAX_SIZE  MB(1)

static void __init add_e820(struct domain *d, uint64_t addr, uint64_t size,
                            unsigned int type)
{
    if ( size )
        d->arch.e820[d->arch.nr_e820++] = (struct e820entry){
            .addr = addr,
            .size = size,
            .type = type,
        };
}

/* The config module, behind the list of all modules. */
static unsigned int __init config_pages(const struct hl_modules *mods)
{
    return mods->config ? 1 + PFN_UP(mods->config->size) : 0;
}

/* RAM from 0 up, the rest of it from 4 GiB up; sorted, as its users expect. */
static int __init set_memory_map(struct domain *d, unsigned long nr_pages,
                                 const struct hl_modules *mods)
{
    uint64_t bytes = (uint64_t)nr_pages << PAGE_SHIFT;
    uint64_t low = min_t(uint64_t, bytes, GUEST_LOW_RAM_END);

    d->arch.e820 = xzalloc_array(struct e820entry, 5);
    if ( !d->arch.e820 )
        return -ENOMEM;

    add_e820(d, 0, low, E820_RAM);
    add_e820(d, GUEST_ACPI_GFN << PAGE_SHIFT, PAGE_SIZE, E820_ACPI);
    add_e820(d, GUEST_CONFIG_GFN << PAGE_SHIFT,
             (uint64_t)config_pages(mods) << PAGE_SHIFT, E820_RESERVED);
    add_e820(d, GUEST_STORE_GFN << PAGE_SHIFT, 2 * PAGE_SIZE, E820_RESERVED);
    add_e820(d, GB(4), bytes - low, E820_RAM);

    return 0;
}

static int __init set_paging_pool(struct domain *d, unsigned long nr_pages)
{
    bool preempted;
    int rc;

    do {
        preempted = false;
        rc = paging_set_allocation(d, dom0_paging_pages(d, nr_pages),
                                   &preempted);
        process_pending_softirqs();
    } while ( preempted );

    return rc;
}

static void __init clear_frame_run(mfn_t first, unsigned long nr)
{
    void *to = mfn_to_virt(mfn_x(first));
    unsigned long words = nr << (PAGE_SHIFT - 3);

    asm volatile ( "rep stosq"
                   : "+D" (to), "+c" (words) : "a" (0UL) : "memory" );
}

/*
 * Memory may hold what others left in it, and the heap is not scrubbed yet.
 * Frames that follow each other are cleared in one go, up to so many: nobody
 * may be kept waiting for long.
 */
static void __init clear_memory(struct domain *d)
{
    const unsigned long most = PFN_DOWN(MB(16));
    mfn_t first = INVALID_MFN;
    unsigned long nr = 0;
    struct page_info *pg;

    page_list_for_each ( pg, &d->page_list )
    {
        mfn_t mfn = page_to_mfn(pg);

        if ( nr && (nr == most || !mfn_eq(mfn, mfn_add(first, nr))) )
        {
            clear_frame_run(first, nr);
            process_pending_softirqs();
            nr = 0;
        }
        if ( !nr++ )
            first = mfn;
    }

    if ( nr )
        clear_frame_run(first, nr);
}

static int __init populate(struct domain *d)
{
    unsigned int i;
    int rc = 0;

    for ( i = 0; !rc && i < d->arch.nr_e820; i++ )
    {
        const struct e820entry *e = &d->arch.e820[i];

        if ( e->type == E820_RAM )
            rc = pvh_populate_memory_range(d, PFN_DOWN(e->addr),
                                           PFN_DOWN(e->size));
    }

    if ( !rc )
        clear_memory(d);

    return rc;
}

/* One zeroed page of the guest's at gfn. */
static int __init add_special_page(struct domain *d, unsigned long gfn,
                                   mfn_t *ret_mfn)
{
    struct page_info *pg = alloc_domheap_page(d, MEMF_no_scrub);

    if ( !pg )
        return -ENOMEM;

    clear_domain_page(page_to_mfn(pg));
    *ret_mfn = page_to_mfn(pg);

    return p2m_add_page(d, _gfn(gfn), *ret_mfn, PAGE_ORDER_4K, p2m_ram_rw);
}

/* Whoever serves the store is not up yet: the guest waits for it by event. */
static int __init add_store(struct domain *d)
{
    struct xenstore_domain_interface *ring;
    mfn_t mfn;
    int rc = add_special_page(d, GUEST_STORE_GFN, &mfn);

    if ( rc )
        return rc;

    ring = map_domain_page(mfn);
    ring->connection = XENSTORE_RECONNECT;
    unmap_domain_page(ring);

    return 0;
}

static int __init add_tables(struct domain *d, paddr_t *ret_rsdp)
{
    void *page;
    mfn_t mfn;
    int rc = add_special_page(d, GUEST_ACPI_GFN, &mfn);

    if ( rc )
        return rc;

    page = map_domain_page(mfn);
    rc = hyperlaunch_acpi(d, page, GUEST_ACPI_GFN << PAGE_SHIFT, ret_rsdp);
    unmap_domain_page(page);

    return rc;
}

/*
 * The part of [to, to + size) that lies in one entry of the p2m, from `to` on:
 * where it is, and how many bytes.  NULL: not RAM of the guest's.
 */
static void *__init guest_run(struct domain *d, paddr_t to, uint64_t size,
                              uint64_t *ret_size)
{
    unsigned long gfn = PFN_DOWN(to);
    unsigned int order;
    p2m_type_t t;
    p2m_access_t a;
    mfn_t mfn = get_gfn_type_access(p2m_get_hostp2m(d), gfn, &t, &a,
                                    P2M_ALLOC, &order);
    uint64_t entry = (uint64_t)PAGE_SIZE << order;

    put_gfn(d, gfn);

    if ( t != p2m_ram_rw || !mfn_valid(mfn) )
        return NULL;

    *ret_size = min(size, entry - (to & (entry - 1)));

    return mfn_to_virt(mfn_x(mfn)) + (to & ~PAGE_MASK);
}

int __init hyperlaunch_copy_to_guest(struct domain *d, paddr_t to,
                                     const void *from, uint64_t size)
{
    while ( size )
    {
        uint64_t part;
        void *run = guest_run(d, to, size, &part);

        if ( !run )
            return -EFAULT;

        memcpy(run, from, part);
        process_pending_softirqs();
        to += part;
        from += part;
        size -= part;
    }

    return 0;
}

static int __init load(struct domain *d, const struct hl_modules *mods,
                       paddr_t *ret_entry, paddr_t *ret_start_info)
{
    paddr_t loader_cmdline = mods->kernel->cmdline_pa;
    paddr_t loader_ramdisk = mods->ramdisk ? mods->ramdisk->cmdline_pa : 0;
    int rc;

    /* Of the loader's strings the guest sees its own command line only. */
    mods->kernel->cmdline_pa = __pa(mods->cmdline);
    if ( mods->ramdisk )
        mods->ramdisk->cmdline_pa = 0;

    rc = pvh_load_kernel(d, mods->kernel, mods->ramdisk, ret_entry,
                         ret_start_info);

    mods->kernel->cmdline_pa = loader_cmdline;
    if ( mods->ramdisk )
        mods->ramdisk->cmdline_pa = loader_ramdisk;

    return rc;
}

static int __init put(struct domain *d, paddr_t addr, const void *data,
                      unsigned int size)
{
    return hvm_copy_to_guest_phys(addr, data, size, d->vcpu[0])
           == HVMTRANS_okay ? 0 : -EFAULT;
}

/* Of a domain that is not the current one. */
static int __init get(struct domain *d, void *data, paddr_t addr,
                      unsigned int size)
{
    while ( size )
    {
        unsigned int offset = addr & ~PAGE_MASK;
        unsigned int len = min_t(unsigned int, size, PAGE_SIZE - offset);
        struct page_info *pg = get_page_from_gfn(d, PFN_DOWN(addr), NULL,
                                                 P2M_ALLOC);
        const void *page;

        if ( !pg )
            return -EFAULT;

        page = __map_domain_page(pg);
        memcpy(data, page + offset, len);
        unmap_domain_page(page);
        put_page(pg);

        data += len;
        addr += len;
        size -= len;
    }

    return 0;
}

static int __init set_rsdp(struct domain *d, paddr_t start_info, uint64_t rsdp)
{
    paddr_t field = start_info + offsetof(struct hvm_start_info, rsdp_paddr);

    return put(d, field, &rsdp, sizeof(rsdp));
}

/* A list of modules with the config module as its last one. */
static int __init list_config(struct domain *d, paddr_t start_info,
                              paddr_t list, paddr_t config, uint64_t size)
{
    struct hvm_modlist_entry entry;
    struct hvm_start_info info;
    int rc = get(d, &info, start_info, sizeof(info));

    if ( !rc && info.nr_modules )
        rc = get(d, &entry, info.modlist_paddr, sizeof(entry)) ?:
             put(d, list, &entry, sizeof(entry));
    if ( rc )
        return rc;

    entry = (struct hvm_modlist_entry){ .paddr = config, .size = size };
    rc = put(d, list + info.nr_modules * sizeof(entry), &entry, sizeof(entry));

    info.modlist_paddr = list;
    info.nr_modules++;

    return rc ?: put(d, start_info, &info, sizeof(info));
}

static int __init add_config(struct domain *d, const struct hl_modules *mods,
                             paddr_t start_info)
{
    paddr_t list = GUEST_CONFIG_GFN << PAGE_SHIFT;
    unsigned int i;
    mfn_t mfn;
    int rc = 0;

    for ( i = 0; !rc && i < config_pages(mods); i++ )
        rc = add_special_page(d, GUEST_CONFIG_GFN + i, &mfn);

    if ( rc || !mods->config )
        return rc;

    rc = put(d, list + PAGE_SIZE, maddr_to_virt(mods->config->start),
             mods->config->size);

    return rc ?: list_config(d, start_info, list, list + PAGE_SIZE,
                             mods->config->size);
}

int __init hyperlaunch_pvh_add_flags(struct domain *d, uint32_t flags)
{
    paddr_t start_info = d->vcpu[0]->arch.user_regs.rbx;
    struct hvm_start_info info;
    int rc = get(d, &info, start_info, sizeof(info));

    info.flags |= flags;

    return rc ?: put(d, start_info, &info, sizeof(info));
}

static int __init start_cpus(struct domain *d, paddr_t entry,
                             paddr_t start_info)
{
    int rc = pvh_setup_cpus(d, entry, start_info);

    if ( !rc && !d->vcpu[d->max_vcpus - 1] )
        rc = -ENOMEM;

    return rc;
}

int __init hyperlaunch_construct_pvh(struct domain *d,
                                     const struct lcm_domain *dom,
                                     const struct hl_modules *mods)
{
    unsigned long nr_pages = DIV_ROUND_UP(dom->memory_kib, PAGE_SIZE >> 10);
    paddr_t entry, start_info, rsdp;
    mfn_t console;
    int rc;

    if ( mods->config && mods->config->size > CONFIG_MAX_SIZE )
        return -E2BIG;

    d->max_pages = nr_pages + NR_SPECIAL_PAGES + config_pages(mods);

    rc = set_memory_map(d, nr_pages, mods);
    if ( !rc )
        rc = set_paging_pool(d, nr_pages);
    if ( !rc )
        rc = populate(d);
    if ( !rc && cpu_has_vmx && paging_mode_hap(d) &&
         !vmx_unrestricted_guest(d->vcpu[0]) )
        rc = pvh_setup_vmx_realmode_helpers(d);
    if ( !rc )
        rc = add_store(d);
    if ( !rc )
        rc = add_special_page(d, GUEST_CONSOLE_GFN, &console);
    if ( !rc )
        rc = add_tables(d, &rsdp);
    if ( !rc )
        rc = load(d, mods, &entry, &start_info);
    if ( !rc )
        rc = set_rsdp(d, start_info, rsdp);
    if ( !rc )
        rc = add_config(d, mods, start_info);
    if ( !rc )
        rc = start_cpus(d, entry, start_info);

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
