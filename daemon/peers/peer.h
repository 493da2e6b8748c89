/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A helper: the connection to it and the requests that it is sent, as docs/dev/peers.md
 * has them.  Nothing here knows what a helper does.  The connection is made again, after
 * a delay that grows, whenever it has ended.
 */
#ifndef HYPERLAUNCHD_PEERS_PEER_H
#define HYPERLAUNCHD_PEERS_PEER_H

#include <stdbool.h>
#include <stdint.h>

struct carrier;
struct json_object;
struct loop;
struct peer;
struct peer_call;

/* None of them may free the peer. */
struct peer_config {
	struct loop *loop;
	const char *kind;	 /* such as "console"; stays the caller's */
	struct carrier *carrier; /* taken over, also on failure */
	/* The helper has said hello: events for all there is follow. */
	void (*connected)(void *userdata, uint32_t domid);
	/* -EBADMSG: the event breaks the rules, which ends the connection. */
	int (*event)(void *userdata, const char *name, struct json_object *members);
	/* That was all; requests can be sent. */
	void (*ready)(void *userdata);
	/* A connection has ended that connected() was called for. */
	void (*disconnected)(void *userdata);
	void *userdata;
};

/* Connects in the next turn of the loop.  -EINVAL: no carrier. */
int peer_new(const struct peer_config *config, struct peer **ret_peer);

/* Calls that are open end with -ECONNRESET. */
struct peer *peer_free(struct peer *peer);

bool peer_is_ready(const struct peer *peer);

/* Whether a descriptor can come with a result: not from another domain. */
bool peer_passes_fds(const struct peer *peer);

struct peer_reply {
	/*
	 * 0: done; -EREMOTEIO: the helper refused, see code; -ETIMEDOUT; -ECONNRESET: the
	 * connection has ended meanwhile; -EBADMSG: the answer broke the rules.
	 */
	int error;
	const char *code;    /* of -EREMOTEIO: the last part of a D-Bus error's name */
	const char *message; /* of -EREMOTEIO: any text */
	struct json_object *result;
	int fd; /* that came with the result; -1: none, or taken */
};

struct peer_request {
	const char *name;
	struct json_object *members; /* taken over, also on failure */
	bool wants_fd;		     /* a descriptor comes with the result */
	/* Called once.  -EBADMSG: the result breaks the rules, which ends the connection. */
	int (*done)(void *userdata, struct peer_reply *reply);
	void *userdata;
};

/*
 * -ENOTCONN: no helper is ready; -EBUSY: too many requests are open; -EOPNOTSUPP: the helper is in
 * another domain, from where no descriptor comes; -EMSGSIZE; -ENOMEM.
 * @ret_call: valid until done() is called
 */
int peer_send_request(struct peer *peer, const struct peer_request *request,
		      struct peer_call **ret_call);

/* done() is not called, and what the helper answers is thrown away. */
void peer_call_cancel(struct peer_call *call);

#endif
