/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The host that is simulated; functions as those of <hyperlaunch/records.h>. */
#ifndef LIBHL_SIM_HOST_H
#define LIBHL_SIM_HOST_H

#include "sim/state.h"

int sim_get_host(void *backend, struct hl_host *ret_host);
int sim_read_log(void *backend, char **ret_text, size_t *ret_size);

#endif /* LIBHL_SIM_HOST_H */
