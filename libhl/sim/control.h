/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The control socket: takes commands and returns their replies. */
#ifndef LIBHL_SIM_CONTROL_H
#define LIBHL_SIM_CONTROL_H

#include "sim/state.h"

/*
 * Binds a Unix datagram socket and adds it to epoll_fd.  A stale socket is replaced.
 * Returns 0, or a negative errno, which has been logged.
 */
int sim_control_open(struct sim *sim, const char *path);
/* Removes the socket; no effect if it was never opened. */
void sim_control_close(struct sim *sim);
/* Runs the commands that have arrived, up to a limit, without blocking. */
void sim_control_serve(struct sim *sim);

#endif /* LIBHL_SIM_CONTROL_H */
