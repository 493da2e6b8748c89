/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Building the initial domains of a launch control module (LCM).  All of it
 * runs once, before SYS_STATE_active; what stays is in hyperlaunch-launch.h.
 */
#ifndef XEN__HYPERLAUNCH_BUILD_H
#define XEN__HYPERLAUNCH_BUILD_H

#include <xen/errno.h>
#include <xen/init.h>
#include <xen/types.h>

struct domain;

#ifdef CONFIG_HYPERLAUNCH

#include <xen/lib/hyperlaunch/lcm.h>

/*
 * Is this blob an LCM?  Keeps a copy, parses it and reports what is wrong
 * with it.  False: a classic boot.
 */
bool hyperlaunch_detect(const void *blob, size_t size);

/* An LCM was found, sound or not. */
bool hyperlaunch_enabled(void);

/* The config node's module of that type; NULL: none, or the LCM is not sound. */
const struct lcm_module *hyperlaunch_config_module(enum lcm_module_type type);

/* What Xen's own parts find wrong before anything is built.  The first error counts. */
void hyperlaunch_refuse(enum lcm_err code, int node, const char *prop);

/* FLASK can't load a policy.  Refuses the LCM if it brought that policy. */
void hyperlaunch_refuse_policy(void);

/* Nothing can run, of a refused LCM either: Xen stops.  Else it returns. */
void hyperlaunch_stop_if_refused(void);

/*
 * Build every domain, all of them paused.  Gives the hardware domain; NULL:
 * the LCM came to nothing, and the classic dom0 was asked for instead.
 */
struct domain *hyperlaunch_build(void);

/* Do others depend on it?  Then it has the means: event channels, processor time. */
static inline bool hyperlaunch_is_server(const struct lcm_domain *dom)
{
    return dom->permissions ||
           (dom->functions & (LCM_FUNC_CONSOLE | LCM_FUNC_XENSTORE));
}

/* XSM's number for the label of a domain; 0: this Xen runs without labels. */
uint32_t hyperlaunch_ssidref(unsigned int index);

/* Where building failed, and why. */
struct hl_build_error {
    struct lcm_error lcm;
    int rc;                        /* -errno, 0 where the LCM is to blame */
};

int hyperlaunch_fail(struct hl_build_error *err, enum lcm_err code, int node,
                     const char *prop, int rc);

/* End a domain that has never run. */
void hyperlaunch_destroy(struct domain *d);

/* What an architecture provides. */

/* Limits that the LCM is held against. */
void arch_hyperlaunch_limits(struct lcm_limits *limits);

/* Can this Xen build that domain?  Else *err says what stands in the way. */
int arch_hyperlaunch_supports(const struct lcm_domain *dom,
                              struct hl_build_error *err);

/* Has XSM taken that module of the chain for a policy?  So if it takes none. */
bool arch_hyperlaunch_policy_found(unsigned int index);

/* Digest each module of the chain, hold it against what the LCM expects. */
int arch_hyperlaunch_digest(const struct lcm *lcm, struct hl_build_error *err);

/* Create and fill one domain; on failure nothing of it is left. */
int arch_hyperlaunch_create(const struct lcm *lcm, unsigned int index,
                            struct domain **ret_d, struct hl_build_error *err);

/* Tell the domain of its store or console page and port. */
void arch_hyperlaunch_set_store(struct domain *d, uint64_t gfn, uint32_t port);
void arch_hyperlaunch_set_console(struct domain *d, uint64_t gfn,
                                  uint32_t port);
/* d is the server of its own store: tells its kernel so. */
int arch_hyperlaunch_serves_itself(struct domain *d);

/* Guest frame of the page; ~0: this domain has none. */
uint64_t arch_hyperlaunch_store_gfn(const struct domain *d);
uint64_t arch_hyperlaunch_console_gfn(const struct domain *d);

/* Arrange the modules after the LCM as a classic dom0's; -ENOENT: there are none. */
int arch_hyperlaunch_fallback(void);

#else /* !CONFIG_HYPERLAUNCH */

static inline bool hyperlaunch_enabled(void) { return false; }

static inline bool hyperlaunch_detect(const void *blob, size_t size)
{
    return false;
}

static inline struct domain *hyperlaunch_build(void) { return NULL; }
static inline void hyperlaunch_refuse_policy(void) {}
static inline void hyperlaunch_stop_if_refused(void) {}

#endif /* CONFIG_HYPERLAUNCH */

#endif /* XEN__HYPERLAUNCH_BUILD_H */

/*
 * Local variables:
 * mode: C
 * c-file-style: "BSD"
 * c-basic-offset: 4
 * tab-width: 4
 * indent-tabs-mode: nil
 * End:
 */
