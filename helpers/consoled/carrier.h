/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What carries the packets of one connection of a client: a socket in our own domain
 * (peer-local.c), nodes of xenstore for a client in another domain (peer-remote.c).
 */
#ifndef CONSOLED_CARRIER_H
#define CONSOLED_CARRIER_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct carrier;

struct carrier_type {
	size_t packet_max;
	bool passes_fds;
	/* One packet, a string; fd -1: without a descriptor, which stays the caller's.  -EAGAIN:
	 * there is no room: writable() is called when there is. */
	int (*send)(struct carrier *carrier, const char *text, int fd);
	/* One packet.  Returns its size; -EAGAIN: there is none; else the connection is over:
	 * -EBADMSG: by what was sent, -ECONNRESET: the client has ended it. */
	ssize_t (*receive)(struct carrier *carrier, char *data, size_t size);
	/* Ends the connection. */
	void (*free)(struct carrier *carrier);
};

/* At the beginning of each carrier's own structure. */
struct carrier {
	const struct carrier_type *type;
	/* The connection's, which may free the carrier in them. */
	void (*readable)(void *userdata);
	void (*writable)(void *userdata);
	void *userdata;
};

/* A client has come.  Takes the carrier over, and sets its functions; false: it is refused, and
 * freed. */
typedef bool (*carrier_accept_t)(void *userdata, struct carrier *carrier);

#endif
