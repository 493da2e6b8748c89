/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The record of a launch, kept for as long as Xen runs: states, modules, the
 * launch log, a copy of the LCM.  Without an LCM there is none, and everything
 * here does nothing.
 */
#ifndef XEN__HYPERLAUNCH_LAUNCH_H
#define XEN__HYPERLAUNCH_LAUNCH_H

#include <xen/errno.h>
#include <xen/types.h>

struct domain;
struct xen_sysctl_hyperlaunch;

#ifdef CONFIG_HYPERLAUNCH

#include <public/xen.h>
#include <public/sysctl.h>

/* Records while building: single threaded, so no lock is held. */
int launch_record_init(const void *lcm, size_t size, unsigned int nr_domains,
                       unsigned int nr_modules);
struct xen_hyperlaunch_info *launch_info(void);          /* NULL: no launch */
const struct xen_hyperlaunch_info *launch_info_or_none(void);
struct xen_hyperlaunch_domain *launch_domain(unsigned int index);
struct xen_hyperlaunch_module *launch_module(unsigned int index); /* from 1 */

void launch_event(uint16_t event, domid_t domid, uint32_t arg);
void launch_set_state(uint32_t state);

/* From here on Xen is active. */

/* Start what the launch has decided to start.  False: there is no launch. */
bool hyperlaunch_start(void);

/* An initial domain has shut itself down, or is gone. */
void hyperlaunch_domain_shutdown(const struct domain *d, uint8_t reason);
void hyperlaunch_domain_destroyed(const struct domain *d);

/* A domain's event on a port that nobody has bound; the port is locked. */
void hyperlaunch_unserved_port(struct domain *d, uint32_t port);

/* Frame of the ring, if that is the port of an initial domain's console. */
uint64_t launch_console_gfn(domid_t domid, uint32_t port);

int hyperlaunch_sysctl(struct xen_sysctl_hyperlaunch *op);

/* The records, for the sysctl only; NULL: no launch. */
const struct xen_hyperlaunch_event *launch_event_get(uint32_t seq);
const void *launch_lcm(void);
void launch_lock(void);
void launch_unlock(void);

#else /* !CONFIG_HYPERLAUNCH */

static inline bool hyperlaunch_start(void) { return false; }
static inline void hyperlaunch_domain_shutdown(const struct domain *d,
                                               uint8_t reason) {}
static inline void hyperlaunch_domain_destroyed(const struct domain *d) {}
static inline void hyperlaunch_unserved_port(struct domain *d, uint32_t port) {}

static inline int hyperlaunch_sysctl(struct xen_sysctl_hyperlaunch *op)
{
    return -EOPNOTSUPP;
}

#endif /* CONFIG_HYPERLAUNCH */

#endif /* XEN__HYPERLAUNCH_LAUNCH_H */

/*
 * Local variables:
 * mode: C
 * c-file-style: "BSD"
 * c-basic-offset: 4
 * tab-width: 4
 * indent-tabs-mode: nil
 * End:
 */
