/* SPDX-License-Identifier: GPL-2.0-only */
/* Functions of each file here that only other files here call. */
#ifndef COMMON__HYPERLAUNCH__PRIVATE_H
#define COMMON__HYPERLAUNCH__PRIVATE_H

#include <xen/hyperlaunch-build.h>
#include <xen/hyperlaunch-record.h>
#include <xen/time.h>

/* --- access.c --- */

/* True if a domain of that role may read the record, and so gets the VIRQ. */
bool hyperlaunch_may_read(const struct xen_hyperlaunch_domain *rec);

/* --- events.c: callers hold hyperlaunch_lock, or run on the boot CPU --- */

void hyperlaunch_add_event(uint16_t event, domid_t domid, uint32_t arg);

/* Adds an event, and prints the state. */
void hyperlaunch_set_state(uint32_t state);

/* Prints the state.  Events of domains have arguments, so callers add them. */
void hyperlaunch_set_domain_state(struct xen_hyperlaunch_domain *rec,
                                  uint32_t state);

/* --- console-owner.c --- */

/*
 * Gives the Xen console to a domain at once.  Returns 0, -ENOENT without a
 * launch, -ESRCH if there is no such domain or it is dying, or -ENXIO if it is
 * shut down.
 */
int hyperlaunch_console_set_owner(domid_t domid);

/*
 * Gives it to a domain between two typed lines.  After `duration` it returns
 * to the domain that has it now; 0 for a hand-off without end.  Returns as
 * above, -EAGAIN if the hand-off now waits for the end of a line, or -EBUSY if
 * one to another domain does.
 */
int hyperlaunch_console_request_handoff(domid_t domid, s_time_t duration);

void hyperlaunch_console_set_default_owner(void);

/* The domain has shut down, or is destroyed.  Called with the lock held. */
void hyperlaunch_console_domain_shutdown(domid_t domid);
void hyperlaunch_console_domain_destroyed(domid_t domid);

/* --- console-backend.c --- */

/*
 * Moves a domain's PV console ring to another back end.  port: the domain's
 * own for it, or 0 for the recorded one.  Returns 0, -ESRCH if one of the two
 * domains does not exist or is dying, -EINVAL if they are the same or the port
 * is not the console's, -ENOENT if the domain has no ring, or what XSM, event
 * channels or grant table return.
 */
int hyperlaunch_console_set_backend(domid_t domid, uint32_t port,
                                    domid_t backend);

/*
 * True if d has bound, or may bind, the port that Xen has opened for the PV
 * console of the initial domain `domid`.
 */
bool hyperlaunch_console_is_backend(const struct domain *d, domid_t domid);

/* --- console-drain.c --- */

/* A ring to the console domain exists now.  Returns 0 or -ENOMEM. */
int hyperlaunch_console_add_ring(const struct xen_hyperlaunch_domain *rec);

/* The domain is destroyed. */
void hyperlaunch_console_remove_ring(const struct xen_hyperlaunch_domain *rec);

/* d's ring gets another back end, which has not bound the port yet. */
void hyperlaunch_console_exchanged(const struct domain *d);

/*
 * Fills *ret for READ_CONSOLE.  Returns 0, -ESRCH, -ENOENT or -EINVAL, as that
 * does.
 */
int hyperlaunch_console_read(domid_t domid, uint64_t offset,
                             struct xen_hyperlaunch_console *ret);

/* --- launch.c --- */

/* The boot domain is to start first, and has timeout_ms; 0 for no limit. */
void hyperlaunch_prepare(uint32_t timeout_ms);

/* No domain can run: stops Xen with a message on its console. */
void noreturn hyperlaunch_stop(void);

/*
 * The sub-ops of those names, for the current domain.  They return 0 or
 * -EPERM; of boot_failed also -EINVAL for an index or a reason that does not
 * exist.
 */
int hyperlaunch_ready(void);
int hyperlaunch_boot_done(void);
int hyperlaunch_boot_failed(uint32_t index, uint64_t reason);

/* Starts a held domain.  Returns 0, -ESRCH, or -EBUSY if it is not held. */
int hyperlaunch_release(domid_t domid);

/* The launch has no pause of that domain, which a toolstack has built. */
void hyperlaunch_has_no_pause(const struct xen_hyperlaunch_domain *rec);

/* --- adopt.c --- */

/*
 * Binds a domain to the record `index`.  Returns 0 or an error as ADOPT does.
 */
int hyperlaunch_adopt(uint32_t index, domid_t domid);

/* --- lcm.c, at boot --- */

/* *ret_err: why the LCM is rejected, with the code LCM_OK if it is not. */
struct lcm *hyperlaunch_lcm(size_t *ret_size, struct hl_build_error *ret_err);
const void *hyperlaunch_blob(void);
void hyperlaunch_report_error(const struct hl_build_error *err);

/* Path of the node with the error, "/" for the LCM as a whole. */
void hyperlaunch_error_path(const struct hl_build_error *err, char *buf,
                            size_t size);

/* --- digest.c, at boot --- */

/*
 * Compares the recorded digests with the LCM's: of the modules of one domain,
 * or of all with LCM_NONE.  Returns 0, or -EINVAL with *err filled for the
 * first that differs.
 */
int hyperlaunch_check_digests(const struct lcm *lcm, int domain,
                              struct hl_build_error *err);

/* --- xsm.c, at boot --- */

/*
 * Looks up each domain's label in the XSM policy.  Returns 0, or -errno with
 * *err filled for the policy, or for the first domain whose label is invalid.
 */
int hyperlaunch_resolve_labels(const struct lcm *lcm,
                               struct hl_build_error *err);

/* --- affinity.c, at boot --- */

/*
 * Returns 0, or -EINVAL with *err filled if a vCPU is to run on a missing CPU.
 */
int hyperlaunch_check_affinity(const struct lcm *lcm,
                               struct hl_build_error *err);

/*
 * Sets the hard affinity of d's vCPUs.  Returns 0, or -errno with *err filled.
 */
int hyperlaunch_set_affinity(const struct lcm *lcm, unsigned int index,
                             struct domain *d, struct hl_build_error *err);

/* --- xenstore.c, at boot --- */

/*
 * Opens the port of a PV domain's store, and pauses the domain until the back
 * end sends its first event there.  Returns 0 or -errno.
 */
int hyperlaunch_store_port(struct domain *d, domid_t backend,
                           uint32_t *ret_port);

/* --- rings.c, at boot --- */

/*
 * Connects each domain to its XENSTORE and CONSOLE domains, and sets the
 * weight of those that serve others.  domains[] has NULL for those that are
 * not built.  Returns 0, or -errno with *err filled.
 */
int hyperlaunch_connect(const struct lcm *lcm, struct domain *const domains[],
                        struct hl_build_error *err);

/* --- build-record.c, at boot --- */

/* Opens the record with what the LCM asks for.  Returns 0 or -ENOMEM. */
int hyperlaunch_record_launch(const struct lcm *lcm, size_t size,
                              unsigned int nr_modules);

/* Domain `index` is built, as d. */
void hyperlaunch_record_built(unsigned int index, const struct domain *d);

/* The error of the launch, and of the domain whose node has it. */
void hyperlaunch_record_error(const struct lcm *lcm,
                              const struct hl_build_error *err);

/* --- build-domains.c, at boot --- */

/* Builds and connects all domains.  Returns 0, or -errno with *err filled. */
int hyperlaunch_build_domains(const struct lcm *lcm,
                              struct hl_build_error *err);

/* Marks the domains that do not start with the launch as held or paused. */
void hyperlaunch_hold_domains(const struct lcm *lcm);

/*
 * Destroys all domains but the crash domain and the hardware domain, which Xen
 * cannot do without, and builds the crash domain if there is none yet.
 * Returns 0, -ENOENT if the LCM has no crash domain or building it has failed
 * before, or -errno with *err filled.
 */
int hyperlaunch_keep_crash_domain(const struct lcm *lcm,
                                  struct hl_build_error *err);

#endif /* COMMON__HYPERLAUNCH__PRIVATE_H */

/*
 * Local variables:
 * mode: C
 * c-file-style: "BSD"
 * c-basic-offset: 4
 * tab-width: 4
 * indent-tabs-mode: nil
 * End:
 */
