/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* All consoles of which this domain is the back end. */
#ifndef CONSOLED_SERVER_H
#define CONSOLED_SERVER_H

#include <stdbool.h>
#include <stdint.h>

#include "console.h"
#include "keep.h"

struct event_base;
struct fdstore;
struct server;
struct store_ops;
struct xen_ops;

struct server_config {
	const struct xen_ops *xen;
	const struct store_ops *store;
	const char *log_dir;
	const char *runtime_dir; /* of what is to be forgotten at the next boot */
	bool no_tty; /* names no terminal in xenstore: xl console runs in another domain */
	uint64_t log_size;
	uint64_t expect_usec;	 /* until xenstore says what was handed to us; 0: 30 s */
	struct keep_limits keep; /* of domains that have no console */
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

/* What is told of a console, and of what serves it where it was released. */
void server_get_status(struct server *server, const struct console *console,
		       struct console_status *ret_status);

/*
 * Releases it as console_release() does.
 * @yield: a xenconsoled in this domain is to serve it
 */
int server_release(struct server *server, struct console *console, const char *id, bool yield,
		   uint8_t *ret_input, size_t *ret_size);

/*
 * Takes it as console_take() does.  One that is not known (yet) is served all the same, for as long
 * as it is expected that xenstore names it.  -ENOENT: it is not known, and has no port.
 * @facts: domid, uuid, remote_port, ring_ref
 */
int server_take(struct server *server, const struct console_facts *facts, const char *id,
		const uint8_t *input, size_t size);

/* As discovery_publish_relay() does. */
void server_publish_relay(struct server *server, uint32_t domid, uint32_t backend, const char *tty);

/* The log of a domain that has no console now.  -ENOENT, -EMFILE. */
int server_follow(struct server *server, const char *uuid, int *ret_fd, uint64_t *ret_size);

#endif
