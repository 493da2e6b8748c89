/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Hooks of Hyperlaunch in the rest of Xen.  Without a launch control module
 * (LCM), and without CONFIG_HYPERLAUNCH, none of them changes anything.
 */
#ifndef XEN__HYPERLAUNCH_H
#define XEN__HYPERLAUNCH_H

#include <xen/errno.h>
#include <xen/types.h>

#include <public/xen.h>

struct domain;
struct page_info;
struct xen_domctl;
struct xen_sysctl_hyperlaunch;

#ifdef CONFIG_HYPERLAUNCH

/* While Xen boots. */

/* True if module 0 is an LCM, valid or not. */
bool hyperlaunch_enabled(void);

/*
 * Builds every domain of the LCM, paused.  Returns the hardware domain, or
 * NULL if that failed and a classic dom0 is to be built instead.
 */
struct domain *hyperlaunch_build(void);

/*
 * Unpauses the domains that start now.  Returns false if there is no launch,
 * or it has failed: then there is a classic dom0, for the caller to unpause.
 */
bool hyperlaunch_start(void);

/* FLASK cannot load a policy: rejects the LCM if the policy is the LCM's. */
void hyperlaunch_reject_policy(void);

/* Stops Xen if the LCM is rejected; else returns. */
void hyperlaunch_stop_if_rejected(void);

/*
 * Zeroes pages that were just allocated; with dirty_only, only those that the
 * heap has marked PGC_need_scrub.  For use while a launch is built, on one CPU
 * at a time, with no lock held.
 */
void arch_hyperlaunch_zero_pages(const struct page_info *pg, unsigned long nr,
                                 bool dirty_only);

/* Rights, by the role that the LCM gives to a domain. */

/*
 * True while the LCM's roles apply: there is a launch and it has not failed.
 * The hardware domain is then the one that the LCM names, whatever its domid.
 */
bool hyperlaunch_in_force(void);

/* True if d is the hardware domain that the LCM names. */
bool hyperlaunch_is_hwdom(const struct domain *d);

/* True if dom0's command line options apply to d. */
bool hyperlaunch_is_dom0(const struct domain *d);

/* True if other domains are served by d: HARDWARE, CONSOLE or XENSTORE. */
bool hyperlaunch_is_backend(const struct domain *d);

/* True if d's role permits this sub-op.  CONTROL is not considered. */
bool hyperlaunch_sysctl_permitted(const struct domain *d,
                                  const struct xen_sysctl_hyperlaunch *op);

/* True if cur is the boot domain, still at work, and d has not started. */
bool hyperlaunch_boot_may_unpause(const struct domain *cur,
                                  const struct domain *d);

/* True if cur is the boot domain, at work or not, and may not unpause d. */
bool hyperlaunch_boot_unpause_denied(const struct domain *cur,
                                     const struct domain *d);

/* True if cur is the boot domain, still at work, and may do op to d. */
bool hyperlaunch_boot_may_configure(const struct domain *cur,
                                    const struct domain *d,
                                    const struct xen_domctl *op);

/*
 * Holds for the boot domain whatever XSM allows it.  Returns 0, -EPERM if the
 * calling boot domain may not do op to d, or -EINVAL for a memory limit below
 * what d has.  Called with the domctl lock held.
 */
int hyperlaunch_check_domctl(const struct domain *d,
                             const struct xen_domctl *op);

/* True if the domid is never given to another domain. */
bool hyperlaunch_domid_reserved(domid_t domid);

/* What happens to domains and to the Xen console. */

void hyperlaunch_domain_started(const struct domain *d);
void hyperlaunch_domain_shutdown(const struct domain *d, uint8_t reason);
/* The teardown of d starts, and it has ended but for what others hold of d. */
void hyperlaunch_domain_dying(const struct domain *d);
void hyperlaunch_domain_destroyed(const struct domain *d);

/*
 * Raises the VIRQ soon: something that toolstacks show has changed, of which
 * the record has no event.
 */
void hyperlaunch_announce(void);

/* The same if the successful domctl `cmd` of d, or NULL, changes such a thing. */
void hyperlaunch_domctl_done(const struct domain *d, uint32_t cmd);

/*
 * Takes output from the ring of d's PV console, if nobody else will.  Called
 * with its channel locked and unbound.  Returns true if there is more room in
 * the ring now.
 */
bool hyperlaunch_console_drain(struct domain *d);

/* A back end has bound, or closed, d's PV console.  The channel is locked. */
void hyperlaunch_console_bound(const struct domain *d);
void hyperlaunch_console_unbound(const struct domain *d);

/* The Xen console's owner has read all input that is buffered for it. */
void hyperlaunch_console_input_read(void);

int hyperlaunch_sysctl(struct xen_sysctl_hyperlaunch *op);

#else /* !CONFIG_HYPERLAUNCH */

static inline bool hyperlaunch_enabled(void) { return false; }
static inline struct domain *hyperlaunch_build(void) { return NULL; }
static inline bool hyperlaunch_start(void) { return false; }
static inline void hyperlaunch_reject_policy(void) {}
static inline void hyperlaunch_stop_if_rejected(void) {}

static inline void arch_hyperlaunch_zero_pages(const struct page_info *pg,
                                               unsigned long nr,
                                               bool dirty_only)
{
}

static inline bool hyperlaunch_in_force(void) { return false; }
static inline bool hyperlaunch_domid_reserved(domid_t domid) { return false; }

static inline bool hyperlaunch_is_hwdom(const struct domain *d)
{
    return false;
}

#define hyperlaunch_is_dom0(d) ((d)->domain_id == 0)

static inline bool hyperlaunch_is_backend(const struct domain *d)
{
    return false;
}

static inline bool hyperlaunch_sysctl_permitted(
    const struct domain *d, const struct xen_sysctl_hyperlaunch *op)
{
    return false;
}

static inline bool hyperlaunch_boot_may_unpause(const struct domain *cur,
                                                const struct domain *d)
{
    return false;
}

static inline bool hyperlaunch_boot_unpause_denied(const struct domain *cur,
                                                   const struct domain *d)
{
    return false;
}

static inline bool hyperlaunch_boot_may_configure(const struct domain *cur,
                                                  const struct domain *d,
                                                  const struct xen_domctl *op)
{
    return false;
}

static inline int hyperlaunch_check_domctl(const struct domain *d,
                                           const struct xen_domctl *op)
{
    return 0;
}

static inline void hyperlaunch_domain_started(const struct domain *d) {}
static inline void hyperlaunch_domain_shutdown(const struct domain *d,
                                               uint8_t reason) {}
static inline void hyperlaunch_domain_dying(const struct domain *d) {}
static inline void hyperlaunch_domain_destroyed(const struct domain *d) {}
static inline void hyperlaunch_announce(void) {}
static inline void hyperlaunch_domctl_done(const struct domain *d,
                                           uint32_t cmd) {}
static inline bool hyperlaunch_console_drain(struct domain *d)
{
    return false;
}
static inline void hyperlaunch_console_bound(const struct domain *d) {}
static inline void hyperlaunch_console_unbound(const struct domain *d) {}
static inline void hyperlaunch_console_input_read(void) {}

static inline int hyperlaunch_sysctl(struct xen_sysctl_hyperlaunch *op)
{
    return -EOPNOTSUPP;
}

#endif /* CONFIG_HYPERLAUNCH */

#endif /* XEN__HYPERLAUNCH_H */

/*
 * Local variables:
 * mode: C
 * c-file-style: "BSD"
 * c-basic-offset: 4
 * tab-width: 4
 * indent-tabs-mode: nil
 * End:
 */
