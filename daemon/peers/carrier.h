/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What carries the packets of one connection to a helper: a socket in our own domain (local.c),
 * nodes of xenstore to another domain (remote.c).
 */
#ifndef HYPERLAUNCHD_PEERS_CARRIER_H
#define HYPERLAUNCHD_PEERS_CARRIER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct carrier;

struct carrier_type {
	size_t packet_max;
	bool passes_fds;
	/*
	 * Without waiting.  0: there is a connection; -EINPROGRESS: call it again when ready() is
	 * called; else it has failed.  After anything but a failure comes close().
	 */
	int (*connect)(struct carrier *carrier);
	/* One packet.  -EAGAIN: the other side has not read earlier ones; else the connection has
	 * ended. */
	int (*send)(struct carrier *carrier, const char *data, size_t size);
	/*
	 * One packet.  Returns its size; 0: the connection has ended; -EAGAIN: none is there;
	 * -EMSGSIZE: it is too long; -EBADMSG: it is no packet; or another negative errno.
	 * @ret_fd: the descriptor that came with it, -1: none
	 */
	ssize_t (*receive)(struct carrier *carrier, char *data, size_t size, int *ret_fd);
	/* What ready() is called for from now on, again and again while it is so. */
	int (*wait)(struct carrier *carrier, bool readable, bool writable);
	void (*close)(struct carrier *carrier);
	struct carrier *(*free)(struct carrier *carrier);
};

/* At the beginning of each carrier's own structure. */
struct carrier {
	const struct carrier_type *type;
	const char *where; /* for messages */
	int64_t domid;	   /* of the helper, as xenstored knows it; -1: it is in our domain */
	/* The peer's; never called from within the functions above. */
	void (*ready)(void *userdata);
	void *userdata;
};

#endif
