/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The record of the launch, kept for as long as Xen runs: states, domains,
 * modules, the event log and a copy of the LCM.  Without an LCM there is none.
 *
 * Until SYS_STATE_active the boot CPU alone writes to it, from then on holders
 * of hyperlaunch_lock.
 */
#ifndef XEN__HYPERLAUNCH_RECORD_H
#define XEN__HYPERLAUNCH_RECORD_H

#include <xen/kernel.h>
#include <xen/lib.h>
#include <xen/spinlock.h>
#include <xen/types.h>

#include <public/xen.h>
#include <public/sysctl.h>

extern spinlock_t hyperlaunch_lock;

static inline void hyperlaunch_assert_writable(void)
{
    ASSERT(system_state < SYS_STATE_active ||
           spin_is_locked(&hyperlaunch_lock));
}

/* Copies the LCM and makes room.  Returns 0 or -ENOMEM. */
int hyperlaunch_record_init(const void *lcm, size_t size,
                            unsigned int nr_domains, unsigned int nr_modules);

/* Both return NULL if there is no launch. */
const struct xen_hyperlaunch_info *hyperlaunch_info(void);
struct xen_hyperlaunch_info *hyperlaunch_info_rw(void);

/* Of no launch: a record that says so. */
const struct xen_hyperlaunch_info *hyperlaunch_info_or_none(void);

/* By index, of modules from 1; NULL if there is none. */
struct xen_hyperlaunch_domain *hyperlaunch_domain(unsigned int index);
struct xen_hyperlaunch_module *hyperlaunch_module(unsigned int index);

/* Path of the domain's node, XEN_HYPERLAUNCH_PATH_SIZE bytes. */
char *hyperlaunch_domain_path(unsigned int index);

/*
 * Returns NULL if there is no such initial domain, or it is reclaimed.  Needs
 * no lock, nor do fields that stay until the domain is destroyed: all but
 * states, errors and times.
 */
struct xen_hyperlaunch_domain *hyperlaunch_find_domain(domid_t domid);

/* The copy of the LCM, of info->lcm_size bytes; NULL if there is no launch. */
const void *hyperlaunch_recorded_lcm(void);

/* NULL if that event is overwritten, or has not happened yet. */
const struct xen_hyperlaunch_event *hyperlaunch_get_event(uint32_t seq);

/*
 * Returns a slot of the log for one more event, with its sequence number set;
 * the oldest event may be lost for it.
 */
struct xen_hyperlaunch_event *hyperlaunch_new_event(void);

#endif /* XEN__HYPERLAUNCH_RECORD_H */

/*
 * Local variables:
 * mode: C
 * c-file-style: "BSD"
 * c-basic-offset: 4
 * tab-width: 4
 * indent-tabs-mode: nil
 * End:
 */
