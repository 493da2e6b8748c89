/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What can happen to a domain after the launch. */
#ifndef LIBHL_SIM_DOMAIN_H
#define LIBHL_SIM_DOMAIN_H

#include "sim/state.h"

/*
 * Adds a post-boot domain.
 * @wanted: its domid may be HL_NO_DOMID: the next free one
 * -EEXIST: the domid is in use, or reserved; -ENOSPC: too many domains.
 */
int sim_domain_add(struct sim *sim, const struct hl_live_domain *wanted, uint32_t *ret_domid);

/*
 * -ENOENT: no such domain, of all of these; -EINVAL: it is not paused; -EOVERFLOW: it is
 * paused as often as Xen counts; -ENAMETOOLONG: the text does not fit.
 */
int sim_domain_remove(struct sim *sim, uint32_t domid);
int sim_domain_shutdown(struct sim *sim, uint32_t domid, uint32_t code);
int sim_domain_dying(struct sim *sim, uint32_t domid);
int sim_domain_pause(struct sim *sim, uint32_t domid);
int sim_domain_unpause(struct sim *sim, uint32_t domid);
int sim_domain_rename(struct sim *sim, uint32_t domid, const char *name);
int sim_domain_handle(struct sim *sim, uint32_t domid, const uint8_t handle[16]);
int sim_domain_label(struct sim *sim, uint32_t domid, const char *label);
int sim_domain_memory(struct sim *sim, uint32_t domid, uint64_t bytes);
int sim_domain_weight(struct sim *sim, uint32_t domid, uint32_t weight);
int sim_domain_cap(struct sim *sim, uint32_t domid, uint32_t cap);
int sim_domain_affinity(struct sim *sim, uint32_t domid, const char *text);

enum sim_figure {
	SIM_FIGURE_CPU_TIME, /* nanoseconds; it goes on from there */
	SIM_FIGURE_LOAD,     /* percent of a CPU that it uses while it runs */
	SIM_FIGURE_CURRENT,  /* memory, as those that follow, in bytes */
	SIM_FIGURE_OUTSTANDING,
	SIM_FIGURE_SHARED,
	SIM_FIGURE_PAGED,
	SIM_FIGURE_ONLINE, /* vCPUs */
	SIM_NR_FIGURES
};

/* Sets resource usage, which is not announced.  -ERANGE: more vCPUs than it has. */
int sim_domain_figure(struct sim *sim, uint32_t domid, enum sim_figure figure, uint64_t value);
/* As hl_get_vcpu(). */
int sim_domain_vcpu(struct sim *sim, uint32_t domid, uint32_t vcpu, struct hl_vcpu *ret_vcpu);

/* -EPERM: not an initial domain; -EBUSY: it has not started. */
int sim_domain_ready(struct sim *sim, uint32_t domid);
/* -ESRCH: not an initial domain; -EBUSY: it is not held. */
int sim_domain_release(struct sim *sim, uint32_t domid);
/*
 * As hl_adopt(), without the permission check and but for the label, which no record of
 * the simulator has.
 */
int sim_domain_adopt(struct sim *sim, uint32_t index, uint32_t domid);
/*
 * Makes the build of an initial domain fail after the fact; the launch ends as by
 * sim_recover().  @code: enum lcm_err; @prop: "": none.
 * -ENOENT: not an initial domain; -ENAMETOOLONG: prop does not fit.
 */
int sim_domain_fail(struct sim *sim, uint32_t domid, uint32_t code, const char *prop);

/* -ENOENT: the launch has no hardware domain without the control permission. */
int sim_set_weak_hwdom(struct sim *sim, bool weak);

#endif /* LIBHL_SIM_DOMAIN_H */
