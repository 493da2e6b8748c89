/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Output of initial domains that nobody serves: Xen takes it from their console rings. */
#ifndef LIBHL_SIM_OUTPUT_H
#define LIBHL_SIM_OUTPUT_H

#include "sim/state.h"

/*
 * A domain prints a line of text `lines` times, and Xen takes all of it.
 * -ESRCH: not an initial domain; -ENOENT: it has no console ring.
 */
int sim_print(struct sim *sim, uint32_t domid, const char *text, uint64_t lines);

/* As hl_read_console(), without the permission check. */
int sim_copy_output(struct sim *sim, uint32_t domid, char **ret_text, size_t *ret_size,
		    uint64_t *ret_dropped);

/* Forgets what the record's former domain has printed. */
void sim_clear_output(struct sim *sim, uint32_t index);

void sim_free_output(struct sim *sim);

#endif /* LIBHL_SIM_OUTPUT_H */
