/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The simulator's commands, as <hyperlaunch/simulator.h> lists them. */
#ifndef LIBHL_SIM_COMMAND_H
#define LIBHL_SIM_COMMAND_H

#include "sim/state.h"

/* As hl_sim_command(); backend is a struct sim. */
int sim_command(void *backend, const char *command, char **ret_reply);

#endif /* LIBHL_SIM_COMMAND_H */
