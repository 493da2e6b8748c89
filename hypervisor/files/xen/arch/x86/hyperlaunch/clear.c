/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Clearing the memory of domains when it is allocated, by all CPUs at once.
 * Pages that are known to be zero are left out.
 */

#include <xen/domain_page.h>
#include <xen/hyperlaunch.h>
#include <xen/lib.h>
#include <xen/mm.h>
#include <xen/sched.h>
#include <xen/sizes.h>
#include <xen/smp.h>
#include <xen/softirq.h>
#include <xen/time.h>

#include <asm/atomic.h>
#include <asm/hyperlaunch.h>

#include "private.h"

/* What a CPU takes at a time, and how many of these each has in one round. */
#define UNIT_PAGES  PFN_DOWN(MB(2))
#define ROUND_UNITS 8

static struct {
    const struct page_info *page;
    unsigned long nr;               /* pages */
    unsigned int end;               /* of this round, in units */
    bool dirty_only;
    atomic_t next;                  /* unit that no CPU has taken yet */
    atomic_t cleared;               /* pages */
} work;

/* For the domain that is being built. */
static struct {
    unsigned long allocated, cleared;       /* pages */
    s_time_t time;
} sum;

static void clear_run(mfn_t first, unsigned long nr)
{
    void *to = mfn_to_virt(mfn_x(first));
    unsigned long words = nr << (PAGE_SHIFT - 3);

    atomic_add(nr, &work.cleared);

    /*
     * A PV builder runs on the guest's page tables, which map no more than
     * that.
     */
    if ( mfn_x(first) + nr - 1 > PFN_DOWN(__pa(HYPERVISOR_VIRT_END - 1)) )
    {
        for ( ; nr--; first = mfn_add(first, 1) )
            clear_domain_page(first);
        return;
    }

    asm volatile ( "rep stosq"
                   : "+D" (to), "+c" (words) : "a" (0UL) : "memory" );
}

static bool is_dirty(const struct page_info *pg)
{
    return !work.dirty_only || (pg->count_info & PGC_need_scrub);
}

/* Clears runs of consecutive pages. */
static void clear_unit(const struct page_info *pg, const struct page_info *end)
{
    const struct page_info *first;

    while ( pg < end )
    {
        for ( first = pg; pg < end && is_dirty(pg); pg++ )
            continue;
        if ( pg > first )
            clear_run(page_to_mfn(first), pg - first);
        for ( ; pg < end && !is_dirty(pg); pg++ )
            continue;
    }
}

static void cf_check clear_units(void *unused)
{
    unsigned int unit;

    while ( (unit = atomic_inc_return(&work.next) - 1) < work.end )
        clear_unit(work.page + unit * UNIT_PAGES,
                   work.page + min_t(unsigned long, (unit + 1) * UNIT_PAGES,
                                     work.nr));
}

/*
 * In rounds, with softirqs in between: interrupts are off on the other CPUs.
 */
void arch_hyperlaunch_zero_pages(const struct page_info *pg, unsigned long nr,
                                 bool dirty_only)
{
    unsigned int units = DIV_ROUND_UP(nr, UNIT_PAGES);
    unsigned int round = ROUND_UNITS * num_online_cpus();
    s_time_t start = NOW();

    work.page = pg;
    work.nr = nr;
    work.dirty_only = dirty_only;
    work.end = 0;
    atomic_set(&work.cleared, 0);

    while ( work.end < units )
    {
        atomic_set(&work.next, work.end);
        work.end = min(work.end + round, units);
        if ( units == 1 )
            clear_units(NULL);
        else
            on_selected_cpus(&cpu_online_map, clear_units, NULL, 1);
        process_pending_softirqs();
    }

    sum.allocated += nr;
    sum.cleared += atomic_read(&work.cleared);
    sum.time += NOW() - start;
}

void __init hyperlaunch_report_clearing(const struct domain *d)
{
    if ( d && sum.allocated )
        printk(XENLOG_DEBUG
               "hyperlaunch: %pd: cleared %lu of %lu KiB in %ld us, %u CPUs\n",
               d, sum.cleared << (PAGE_SHIFT - 10),
               sum.allocated << (PAGE_SHIFT - 10), sum.time / MICROSECS(1),
               num_online_cpus());

    memset(&sum, 0, sizeof(sum));
}

/* Only a domain with all of the host may see what its memory held before. */
unsigned int __init hyperlaunch_memflags(const struct domain *d)
{
    if ( !hyperlaunch_enabled() ||
         (is_hardware_domain(d) && is_control_domain(d)) )
        return 0;

    return MEMF_zero;
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
