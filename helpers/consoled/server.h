/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* All consoles of which this domain is the back end. */
#ifndef CONSOLED_SERVER_H
#define CONSOLED_SERVER_H

#include <stdbool.h>
#include <stdint.h>

#include "console.h"

struct event_base;
struct fdstore;
struct server;
struct store_ops;
struct xen_ops;

struct server_config {
	const struct xen_ops *xen;
	const struct store_ops *store;
	const char *log_dir;
	uint64_t log_size;
};

struct server_observer {
	void (*changed)(void *userdata, struct console *console);
	void (*gone)(void *userdata, uint32_t domid);
	/* All consoles are known. */
	void (*listed)(void *userdata);
	void *userdata;
};

/* A loop that turns to other descriptors while one has much to do. */
struct event_base *server_base_new(void);

/*
 * Goes on with what `store` has of an earlier process.  -ENODEV, -ENOENT, -EACCES: no device of
 * Xen's. The configuration's strings are the caller's.
 */
int server_new(struct event_base *base, const struct server_config *config, struct fdstore *store,
	       struct server **ret_server);

/* The next process goes on. */
struct server *server_leave(struct server *server);

/* A xenconsoled in this domain goes on, with consoles that have xenstore nodes. */
struct server *server_hand_over(struct server *server);

/* observer: its memory is the caller's; one at a time. */
void server_observe(struct server *server, const struct server_observer *observer);

/* Our own domid once listed; -1 until then. */
int server_self(const struct server *server);

struct console *server_find(struct server *server, uint32_t domid);
struct console *server_find_uuid(struct server *server, const char *uuid);

/* The next console after `domid`, by rising domid; from -1: the first one; NULL: none. */
struct console *server_next(struct server *server, int64_t domid);

/* The log of a domain that has no console now.  -ENOENT, -EMFILE. */
int server_follow(struct server *server, const char *uuid, int *ret_fd, uint64_t *ret_size);

#endif
