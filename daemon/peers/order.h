/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * An order to a helper that is started for it, as docs/dev/peers.md has it: a connection for each,
 * at which it tells what it is doing, and then the result.
 */
#ifndef HYPERLAUNCHD_PEERS_ORDER_H
#define HYPERLAUNCHD_PEERS_ORDER_H

#include <stddef.h>

struct json_object;
struct loop;
struct order;
struct peer_reply;

/* Neither call may come from within order_new(). */
struct order_config {
	struct loop *loop;
	const char *kind;	     /* of the helper, which it says in hello; stays the caller's */
	const char *path;	     /* of the socket */
	const char *name;	     /* of the request */
	struct json_object *members; /* taken over, also on failure */
	const int *fds;		     /* PACKET_FDS_MAX at most; the caller's */
	size_t nr_fds;
	void (*stage)(void *userdata, const char *stage);
	/* Once; as of a request to a peer, or -EBUSY: no helper was started.  It may free the
	 * order. */
	void (*done)(void *userdata, struct peer_reply *reply);
	void *userdata;
};

/*
 * -ENOENT, -ECONNREFUSED: no helper listens there; -EAGAIN: too many orders wait there; -EBUSY:
 * as of done(); -EPERM: another user than root and ourselves listens there; -EMSGSIZE; -ENOMEM.
 */
int order_new(const struct order_config *config, struct order **ret_order);

/* Closes the connection, at which the helper gives up what it can. */
struct order *order_free(struct order *order);

#endif
