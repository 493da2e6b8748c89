/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Which consoles there are: those whose back end is this domain, which xenstore lists in our own
 * backend/console.  libxenstore waits for each answer without a deadline, so a thread calls it, and
 * a xenstored that hangs stops no console.
 */
#ifndef CONSOLED_DISCOVERY_H
#define CONSOLED_DISCOVERY_H

#include <stdbool.h>
#include <stdint.h>

#include "util.h"

#define TTY_PATH_SIZE 64

/* What console/type says while a console is served here; a xenconsoled leaves others' alone. */
#define CONSOLE_TYPE		 "hyperlaunch-consoled"
#define CONSOLE_TYPE_XENCONSOLED "xenconsoled"

struct console_facts {
	uint32_t domid;
	uint32_t remote_port;
	uint32_t backend; /* of a relay; else it is us */
	bool other_tty;	  /* of what is published: the terminal is another process's to name */
	uint64_t ring_ref;
	char uuid[UUID_SIZE]; /* "": not known */
	char type[32];
	char tty[TTY_PATH_SIZE];
};

struct discovery_events {
	/* A console is there, or these facts have changed. */
	void (*found)(void *userdata, const struct console_facts *facts);
	void (*gone)(void *userdata, uint32_t domid);
	/* All that there are have been found since the connection was made; self: our own domid. */
	void (*listed)(void *userdata, uint32_t self);
	/* The connection has ended; all will be found once more on the next one. */
	void (*lost)(void *userdata);
	void *userdata;
};

struct discovery;
struct event_base;
struct store_ops;

int discovery_new(struct event_base *base, const struct store_ops *ops,
		  const struct discovery_events *events, struct discovery **ret_discovery);

/* Waits for what was submitted, but not for long where xenstored does not answer. */
struct discovery *discovery_free(struct discovery *discovery);

/*
 * Writes console/tty and console/type of a domain, where its console/port is still that.
 * tty: NULL leaves what is named, as a relay in the control domain names its own.  A failure is
 * reported, and what it means is that xl finds no console.
 */
void discovery_publish(struct discovery *discovery, uint32_t domid, uint32_t remote_port,
		       const char *tty, const char *type);

/* Writes console/tty of a domain, where its console/backend-id is still `backend`. */
void discovery_publish_relay(struct discovery *discovery, uint32_t domid, uint32_t backend,
			     const char *tty);

/* The path of a domain's uuid node, "/vm/UUID", as a uuid; "" where it is none. */
void uuid_from_path(const char *path, char uuid[UUID_SIZE]);

#endif
