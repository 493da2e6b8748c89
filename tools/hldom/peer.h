/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A client of a helper in this domain, as docs/dev/peers.md has it; calls wait for answers. */
#ifndef HLDOM_PEER_H
#define HLDOM_PEER_H

#include <json-c/json.h>

struct peer;

/*
 * Connects, and reads what there is.
 * @event: called for each event, here and while something else waits
 *
 * Returns 0; -ENOENT, -ECONNREFUSED: no helper; -ETIMEDOUT; -EBADMSG, -EPROTO: it breaks the
 * rules; -ECONNRESET; or an error of event() or of connect(2).
 */
int peer_open(const char *dir, const char *kind,
	      int (*event)(void *userdata, const char *name, json_object *members), void *userdata,
	      struct peer **ret_peer);
struct peer *peer_close(struct peer *peer);

struct peer_result {
	json_object *packet, *members; /* the second one is the first one's */
	char error[64], message[512];  /* of -EREMOTEIO; made fit to print */
	int fd;			       /* that came with it; -1: none */
};

/*
 * @members: taken over
 *
 * Returns 0, -EREMOTEIO: the helper refuses; or another errno, as above.  The result must be
 * cleared in any case.
 */
int peer_ask(struct peer *peer, const char *request, json_object *members,
	     struct peer_result *ret_result);

/* Waits for one, however long that takes.  Returns 0, or an errno as peer_open(). */
int peer_wait_event(struct peer *peer);

void peer_result_clear(struct peer_result *result);

#endif /* HLDOM_PEER_H */
