/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Relays: a terminal here for each console that another domain serves, for xl console.  Its bytes
 * go through a stream; the terminal outlives that, and this process.
 */
#ifndef CONSOLED_RELAY_H
#define CONSOLED_RELAY_H

#include <stdbool.h>
#include <stdint.h>

#include "util.h"

struct fdstore;
struct relays;
struct streams;

struct relay_status {
	uint32_t domid, backend;
	const char *uuid, *tty;
	bool connected; /* its stream is there */
};

struct relay_events {
	/* xenstore is to name that terminal, as long as the domain's back end is that one. */
	void (*publish)(void *userdata, uint32_t domid, uint32_t backend, const char *tty);
	/* What relays_get() says of it has changed. */
	void (*changed)(void *userdata, uint32_t domid);
	void *userdata;
};

/* Goes on with the terminals of an earlier process that `store` has. */
int relays_new(struct streams *streams, const struct relay_events *events, struct fdstore *store,
	       struct relays **ret_relays);

/* The next process goes on.  Before the streams are freed. */
struct relays *relays_leave(struct relays *relays);

struct relay_config {
	uint32_t self, backend; /* the two domains */
	uint32_t domid;
	char uuid[UUID_SIZE];
	/* As in struct stream_config. */
	void (*opened)(void *userdata, int r, const char *path);
	void *userdata;
};

/* Begins one, or connects one anew.  -EEXIST: it is connected; else as streams_serve(). */
int relays_begin(struct relays *relays, const struct relay_config *config);

/* Closes its terminal.  unpublish: xenstore is to name none.  False: there is none. */
bool relays_end(struct relays *relays, uint32_t domid, bool unpublish);

bool relays_get(const struct relays *relays, uint32_t domid, struct relay_status *ret_status);

/* The next domain with a relay after `domid`, by rising domid; from -1: the first one; -1: none. */
int64_t relays_next(const struct relays *relays, int64_t domid);

#endif
