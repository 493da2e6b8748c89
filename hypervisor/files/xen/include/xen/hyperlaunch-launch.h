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

/* launch.c: the records.  While building nobody else is there: no lock is held. */

int launch_record_init(const void *lcm, size_t size, unsigned int nr_domains,
                       unsigned int nr_modules);
struct xen_hyperlaunch_info *launch_info(void);          /* NULL: no launch */
const struct xen_hyperlaunch_info *launch_info_or_none(void);
struct xen_hyperlaunch_domain *launch_domain(unsigned int index);
struct xen_hyperlaunch_module *launch_module(unsigned int index); /* from 1 */
char *launch_path(unsigned int index);   /* XEN_HYPERLAUNCH_PATH_SIZE bytes */

void launch_event(uint16_t event, domid_t domid, uint32_t arg);
void launch_set_state(uint32_t state);
void launch_set_domain_state(struct xen_hyperlaunch_domain *rec, uint32_t state);

void launch_lock(void);
void launch_unlock(void);

/* With the lock held.  NULL: no such initial domain, or not any more. */
struct xen_hyperlaunch_domain *launch_find(domid_t domid);

const struct xen_hyperlaunch_event *launch_event_get(uint32_t seq);
const void *launch_lcm(void);

/* Frame of the ring, if that is the port of an initial domain's console. */
uint64_t launch_console_gfn(domid_t domid, uint32_t port);

/* roles.c: who may what, by the role in the launch. */

/* Does a domain of that role hear of changes, and may read the record? */
bool launch_reads(const struct xen_hyperlaunch_domain *rec);

/* May d, by its role, use that sub-op? */
bool hyperlaunch_allows(const struct domain *d,
                        const struct xen_sysctl_hyperlaunch *op);

/* May cur, as the boot domain, unpause d? */
bool hyperlaunch_boot_may_unpause(const struct domain *cur,
                                  const struct domain *d);
/* Is cur the boot domain, and not allowed to unpause d? */
bool hyperlaunch_refuses_unpause(const struct domain *cur,
                                 const struct domain *d);

/* An id that is not given out again. */
bool hyperlaunch_reserves(domid_t domid);

/* Does d serve other domains (HARDWARE, CONSOLE, XENSTORE, or so)? */
bool hyperlaunch_serves(const struct domain *d);

/* Does d have HARDWARE?  A late hardware domain, or a classic dom0, does not. */
bool hyperlaunch_hardware(const struct domain *d);

/* phase.c: from built to complete, or to recovery. */

/* The boot domain goes first, and has so many ms; 0: no limit. */
void launch_prepare(uint32_t timeout_ms);

/* No domain can run: Xen ends with that on its console. */
void noreturn launch_stop(void);

/* Xen is active: start what is to start.  False: there is no launch. */
bool hyperlaunch_start(void);

/* Of the sysctl, for the current domain. */
int launch_ready(void);
int launch_boot_done(void);
int launch_boot_failed(uint32_t index, uint64_t reason);
int launch_release(domid_t domid);

/* What becomes of initial domains. */
void hyperlaunch_domain_started(const struct domain *d);
void hyperlaunch_domain_shutdown(const struct domain *d, uint8_t reason);
void hyperlaunch_domain_destroyed(const struct domain *d);

/* owner.c: who has the Xen console. */
int launch_give_console(domid_t domid);     /* at once */
/* Between two typed lines; -EAGAIN: that will be soon. */
int launch_hand_console(domid_t domid);
/* The owner has read all that is typed for it. */
void hyperlaunch_input_read(void);
void launch_default_console(void);

/* backend.c: who serves a domain's PV console ring. */
int launch_move_console(domid_t domid, domid_t backend);

/* console.c: a domain's event on a port that nobody has bound; it is locked. */
void hyperlaunch_unserved_port(struct domain *d, uint32_t port);

int hyperlaunch_sysctl(struct xen_sysctl_hyperlaunch *op);

#else /* !CONFIG_HYPERLAUNCH */

static inline bool hyperlaunch_start(void) { return false; }
static inline bool hyperlaunch_reserves(domid_t domid) { return false; }
static inline bool hyperlaunch_serves(const struct domain *d) { return false; }
static inline bool hyperlaunch_hardware(const struct domain *d) { return false; }

static inline bool hyperlaunch_allows(const struct domain *d,
                                      const struct xen_sysctl_hyperlaunch *op)
{
    return false;
}

static inline bool hyperlaunch_boot_may_unpause(const struct domain *cur,
                                                const struct domain *d)
{
    return false;
}

static inline bool hyperlaunch_refuses_unpause(const struct domain *cur,
                                               const struct domain *d)
{
    return false;
}

static inline void hyperlaunch_domain_started(const struct domain *d) {}
static inline void hyperlaunch_domain_shutdown(const struct domain *d,
                                               uint8_t reason) {}
static inline void hyperlaunch_domain_destroyed(const struct domain *d) {}
static inline void hyperlaunch_unserved_port(struct domain *d, uint32_t port) {}
static inline void hyperlaunch_input_read(void) {}

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
