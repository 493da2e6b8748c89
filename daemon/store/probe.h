/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One request over an open xenstore connection, to see whether it is answered. */
#ifndef HYPERLAUNCHD_STORE_PROBE_H
#define HYPERLAUNCHD_STORE_PROBE_H

#include <stdbool.h>

struct loop;
struct xs_probe;

/* alive: an answer has begun to come; else the connection is closed or broken. */
typedef void (*xs_probe_done_t)(void *userdata, bool alive);

/*
 * Takes `fd` over, also on failure; it must not block.  `done` is called once at
 * most, from the loop; it should free the probe.
 */
int xs_probe_new(struct loop *loop, int fd, xs_probe_done_t done, void *userdata,
		 struct xs_probe **ret_probe);
struct xs_probe *xs_probe_free(struct xs_probe *probe);

/* The descriptor, which is the caller's from now on; the rest of the answer is still to be read. */
int xs_probe_take(struct xs_probe *probe);

#endif
