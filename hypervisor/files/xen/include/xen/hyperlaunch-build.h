/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Building the initial domains of an LCM: what common code and an architecture
 * provide to each other.  All of it but the last functions, of domains that a
 * toolstack may have built, runs before SYS_STATE_active.
 */
#ifndef XEN__HYPERLAUNCH_BUILD_H
#define XEN__HYPERLAUNCH_BUILD_H

#include <xen/errno.h>
#include <xen/hyperlaunch.h>
#include <xen/init.h>
#include <xen/types.h>

#include <xen/lib/hyperlaunch/lcm.h>

struct xen_hyperlaunch_domain;

/* Where building failed, and why. */
struct hl_build_error {
    struct lcm_error lcm;
    int rc;                        /* -errno, or 0 for an error of the LCM */
};

/* Fills *err.  Returns rc, or -EINVAL if that is 0. */
int hyperlaunch_fail(struct hl_build_error *err, enum lcm_err code, int node,
                     const char *prop, int rc);

/*
 * Copies and parses the blob, and prints what is wrong with it.  Returns false
 * if it is no LCM: a classic boot.
 */
bool hyperlaunch_detect(const void *blob, size_t size);

/* The config node's module of the type; NULL if none or the LCM is invalid. */
const struct lcm_module *hyperlaunch_config_module(enum lcm_module_type type);

/* The HARDWARE domain's ramdisk; NULL if none or the LCM is invalid. */
const struct lcm_module *hyperlaunch_hwdom_ramdisk(void);

/*
 * For errors that Xen finds in the LCM before anything is built.  Prints the
 * error and keeps it; only the first one counts.
 */
void hyperlaunch_reject_lcm(enum lcm_err code, int node, const char *prop);

/* True if other domains depend on it: it gets more ports and CPU time. */
static inline bool hyperlaunch_is_server(const struct lcm_domain *dom)
{
    return dom->permissions ||
           (dom->functions & (LCM_FUNC_CONSOLE | LCM_FUNC_XENSTORE));
}

/* SSID of domain `index` of the LCM; 0 if this Xen has no labels. */
uint32_t hyperlaunch_ssidref(unsigned int index);

/* Destroys a domain that has never run. */
void hyperlaunch_destroy(struct domain *d);

/* What the LCM, valid or not, has for a module of this digest. */
enum hl_trust {
    HL_TRUST_NO_DIGEST,
    HL_TRUST_AS_LINKED,
    HL_TRUST_MISMATCH,
};

enum hl_trust hyperlaunch_trust(unsigned int index, const uint8_t sha256[32]);

/* True if the LCM, valid or not, has it as microcode or as XSM policy. */
bool hyperlaunch_is_for_xen(unsigned int index);

/* --- provided by the architecture ---------------------------------------- */

/* Limits of this Xen and this host for lcm_check(). */
void arch_hyperlaunch_limits(struct lcm_limits *limits);

/* Returns 0 if this Xen can build the domain, or -errno with *err filled. */
int arch_hyperlaunch_supports(const struct lcm *lcm,
                              const struct lcm_domain *dom,
                              struct hl_build_error *err);

/*
 * Returns 0 if the domain may run on this host with its roles, or -EOPNOTSUPP
 * with *err filled.
 */
int arch_hyperlaunch_may_run(const struct lcm_domain *dom,
                             struct hl_build_error *err);

/* True if XSM has taken that module for a policy, or takes no policies. */
bool arch_hyperlaunch_policy_found(unsigned int index);

/* Records the digest of each module. */
void arch_hyperlaunch_digest(void);

/*
 * Creates domain `index` and loads its kernel.  Returns 0, or -errno with *err
 * filled and nothing left of the domain.
 */
int arch_hyperlaunch_create(const struct lcm *lcm, unsigned int index,
                            struct domain **ret_d, struct hl_build_error *err);

/*
 * Makes sure that there is a hardware domain, if need be one of dom's domid
 * with neither memory nor kernel, which never runs.  Returns 0 or -errno.
 */
int arch_hyperlaunch_stand_in(const struct lcm_domain *dom, uint32_t ssidref);

/* Write a ring's frame and port to where d's kernel looks for them. */
void arch_hyperlaunch_set_store(struct domain *d, uint64_t gfn, uint32_t port);
void arch_hyperlaunch_set_console(struct domain *d, uint64_t gfn,
                                  uint32_t port);

/* Lets d's kernel know that the store is its own.  Returns 0 or -errno. */
int arch_hyperlaunch_set_xenstore_domain(struct domain *d);

/* Guest frame of the ring's page, or XEN_HYPERLAUNCH_NO_GFN if d has none. */
uint64_t arch_hyperlaunch_store_gfn(const struct domain *d);
uint64_t arch_hyperlaunch_console_gfn(const struct domain *d);

/*
 * Makes the modules after the LCM those of a classic dom0.  Returns 0, -ENOENT
 * if there are none or hyperlaunch=fallback is not given, or -EPERM if one
 * differs from its digest in the LCM or, with need_digest, has none.
 */
int arch_hyperlaunch_fallback(bool need_digest);

/* --- later, too --- */

/* True if d's kernel may look at that port for its console, not its store. */
bool arch_hyperlaunch_is_console_port(const struct domain *d, uint32_t port);

/* True if d has the type that the mode of an LCM stands for. */
bool arch_hyperlaunch_is_type(const struct domain *d, uint32_t mode);

/*
 * Records d's ports and frames for store and console, as far as its kernel has
 * them from Xen.
 */
void arch_hyperlaunch_find_rings(const struct domain *d,
                                 struct xen_hyperlaunch_domain *rec);

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
