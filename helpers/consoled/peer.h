/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The helper's side of docs/dev/peers.md.  It knows nothing of consoles: objects are numbers, and
 * have an event that says what they are.
 */
#ifndef CONSOLED_PEER_H
#define CONSOLED_PEER_H

#include <json-c/json.h>
#include <stdbool.h>
#include <stdint.h>

#define PEER_PACKET_SIZE 2048
#define PEER_ID_SIZE	 65
#define PEER_CLIENTS	 16 /* connections */

struct event_base;
struct peer;
struct peer_later;
struct store_ops;

struct peer_request; /* one that is being handled */

struct peer_answer {
	struct json_object *result; /* if there is no error */
	const char *error;	    /* the last part of an error name of D-Bus */
	char message[256];
	int fd; /* goes with the result, and is closed; -1: none */
	const struct peer_request *request;
	bool later; /* it was deferred: nothing else counts */
};

/*
 * An answer that comes later, by peer_answer_later(): to be called in request(), where nothing is
 * to be done any more that can fail.  NULL: no memory, or too many are open, and the answer says
 * so.
 */
struct peer_later *peer_defer(struct peer_answer *answer);

/*
 * Answers, and frees `later`.  Also to be called where the client may have left; not after the peer
 * has been freed.
 * @answer: taken over
 */
void peer_answer_later(struct peer_later *later, struct peer_answer *answer);

struct peer_ops {
	/* packet: that of the request, valid for as long as the call lasts */
	void (*request)(void *userdata, const char *id, const char *name,
			struct json_object *packet, struct peer_answer *answer);
	/* What an object is now, as the members of its event, with its name; NULL: no memory. */
	struct json_object *(*event)(void *userdata, uint32_t object);
	/* The next object after that one, from -1 on; -1: none. */
	int64_t (*next)(void *userdata, int64_t object);
	void *userdata;
};

int peer_new(struct event_base *base, const char *kind, const struct peer_ops *ops,
	     struct peer **ret_peer);
struct peer *peer_free(struct peer *peer);

/*
 * Clients in our own domain, once.
 * @fd: a listening socket of type SOCK_SEQPACKET, taken over on success
 */
int peer_listen(struct peer *peer, int fd);

/*
 * A client in another domain, once.
 * @self: our own domid
 */
int peer_listen_remote(struct peer *peer, const struct store_ops *ops, uint32_t self);

/* All objects are known: clients get their hello. */
void peer_start(struct peer *peer, uint32_t self);

/* An object has changed, has come, or is gone. */
void peer_changed(struct peer *peer, uint32_t object);

/*
 * Parses a packet, which must be one JSON object and nothing else; NULL: it is not.
 */
struct json_object *peer_parse(const char *packet, size_t size);

/* The id of a request, or NULL: none, or an invalid one. */
const char *peer_request_id(struct json_object *packet);

#endif
