/* SPDX-License-Identifier: GPL-2.0-only */
/* PVH guests: RAM, rings and ACPI tables of their own, nothing of the host. */

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

/* The config module comes after the list of all modules. */
static unsigned int __init config_pages(const struct boot_domain *bd)
{
    return bd->config ? 1 + PFN_UP(bd->config->size) : 0;
}

/*
 * RAM from 0 up, the rest of it from 4 GiB up; sorted, as its users need it.
 */
static int __init set_memory_map(struct domain *d, unsigned long nr_pages,
                                 const struct boot_domain *bd)
{
    uint64_t bytes = (uint64_t)nr_pages << PAGE_SHIFT;
    uint64_t low = min_t(uint64_t, bytes, GUEST_LOW_RAM_END);

    d->arch.e820 = xzalloc_array(struct e820entry, 5);
    if ( !d->arch.e820 )
        return -ENOMEM;

    add_e820(d, 0, low, E820_RAM);
    add_e820(d, GUEST_ACPI_GFN << PAGE_SHIFT, PAGE_SIZE, E820_ACPI);
    add_e820(d, GUEST_CONFIG_GFN << PAGE_SHIFT,
             (uint64_t)config_pages(bd) << PAGE_SHIFT, E820_RESERVED);
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

    return rc;
}

/* Adds a zeroed page at gfn. */
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

/* The guest waits for an event of the back end, which is not up yet. */
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
 * Returns where Xen has `to` mapped, and in *ret_size how many of `size` bytes
 * from there lie in the same p2m entry.  NULL if it is not RAM of the guest.
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

int __init cf_check hyperlaunch_copy_to_guest(struct domain *d, paddr_t to,
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

static int __init load(struct domain *d, const struct boot_domain *bd,
                       paddr_t *ret_entry, paddr_t *ret_start_info)
{
    paddr_t loader_cmdline = bd->kernel->cmdline_pa;
    paddr_t loader_ramdisk = bd->ramdisk ? bd->ramdisk->cmdline_pa : 0;
    int rc;

    /* The guest gets its own command line, and none for the ramdisk. */
    bd->kernel->cmdline_pa = __pa(bd->cmdline);
    if ( bd->ramdisk )
        bd->ramdisk->cmdline_pa = 0;

    rc = pvh_load_kernel(d, bd->kernel, bd->ramdisk, ret_entry,
                         ret_start_info);

    bd->kernel->cmdline_pa = loader_cmdline;
    if ( bd->ramdisk )
        bd->ramdisk->cmdline_pa = loader_ramdisk;

    return rc;
}

static int __init write_guest(struct domain *d, paddr_t addr, const void *data,
                              unsigned int size)
{
    return hvm_copy_to_guest_phys(addr, data, size, d->vcpu[0])
           == HVMTRANS_okay ? 0 : -EFAULT;
}

/* d need not be the current domain. */
static int __init read_guest(struct domain *d, void *data, paddr_t addr,
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

    return write_guest(d, field, &rsdp, sizeof(rsdp));
}

/* Writes a new module list, with the config module at its end. */
static int __init list_config(struct domain *d, paddr_t start_info,
                              paddr_t list, paddr_t config, uint64_t size)
{
    struct hvm_modlist_entry entry;
    struct hvm_start_info info;
    int rc = read_guest(d, &info, start_info, sizeof(info));

    if ( !rc && info.nr_modules )
        rc = read_guest(d, &entry, info.modlist_paddr, sizeof(entry)) ?:
             write_guest(d, list, &entry, sizeof(entry));
    if ( rc )
        return rc;

    entry = (struct hvm_modlist_entry){ .paddr = config, .size = size };
    rc = write_guest(d, list + info.nr_modules * sizeof(entry), &entry,
                     sizeof(entry));

    info.modlist_paddr = list;
    info.nr_modules++;

    return rc ?: write_guest(d, start_info, &info, sizeof(info));
}

static int __init add_config(struct domain *d, const struct boot_domain *bd,
                             paddr_t start_info)
{
    paddr_t list = GUEST_CONFIG_GFN << PAGE_SHIFT;
    unsigned int i;
    mfn_t mfn;
    int rc = 0;

    for ( i = 0; !rc && i < config_pages(bd); i++ )
        rc = add_special_page(d, GUEST_CONFIG_GFN + i, &mfn);

    if ( rc || !bd->config )
        return rc;

    rc = write_guest(d, list + PAGE_SIZE, maddr_to_virt(bd->config->start),
                     bd->config->size);

    return rc ?: list_config(d, start_info, list, list + PAGE_SIZE,
                             bd->config->size);
}

int __init hyperlaunch_pvh_add_flags(struct domain *d, uint32_t flags)
{
    paddr_t start_info = d->vcpu[0]->arch.user_regs.rbx;
    struct hvm_start_info info;
    int rc = read_guest(d, &info, start_info, sizeof(info));

    info.flags |= flags;

    return rc ?: write_guest(d, start_info, &info, sizeof(info));
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
                                     const struct boot_domain *bd)
{
    unsigned long nr_pages = DIV_ROUND_UP(dom->memory_kib, PAGE_SIZE >> 10);
    paddr_t entry, start_info, rsdp;
    mfn_t console;
    int rc;

    if ( bd->config && bd->config->size > CONFIG_MAX_SIZE )
        return -E2BIG;

    d->max_pages = nr_pages + NR_SPECIAL_PAGES + config_pages(bd);

    rc = set_memory_map(d, nr_pages, bd);
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
        rc = load(d, bd, &entry, &start_info);
    if ( !rc )
        rc = set_rsdp(d, start_info, rsdp);
    if ( !rc )
        rc = add_config(d, bd, start_info);
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
