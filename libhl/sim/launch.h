/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The simulated launch: what Xen does with an LCM, except for the building itself. */
#ifndef LIBHL_SIM_LAUNCH_H
#define LIBHL_SIM_LAUNCH_H

#include "sim/state.h"

/*
 * Launches sim->blob.  An LCM that is rejected is no failure: the launch state and
 * the error are in the records.  Returns 0, -ENOMEM, or -EINVAL if a module index
 * exceeds the limits.
 */
int sim_launch(struct sim *sim);
/* Boots without an LCM: a dom0, and launch state NONE. */
int sim_boot_classic(struct sim *sim);
/* Unpauses an initial domain for the first time. */
int sim_start(struct sim *sim, struct hl_launch_domain *domain);
/* Ends the launch in state RECOVERY, or FAILED if no crash domain can run. */
int sim_recover(struct sim *sim);
/* Makes domid the console owner, without any check; no event if it is already. */
int sim_move_console(struct sim *sim, uint32_t domid);

#endif /* LIBHL_SIM_LAUNCH_H */
