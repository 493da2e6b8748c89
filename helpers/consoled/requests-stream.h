/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Requests about streams, of docs/dev/peers.md. */
#ifndef CONSOLED_REQUESTS_STREAM_H
#define CONSOLED_REQUESTS_STREAM_H

#include <stdbool.h>
#include <stdint.h>

#include "vchan.h"

struct json_object;
struct peer_answer;
struct requests;
struct streams;

/* Where a request wants its descriptor's bytes; path "": it wants the descriptor. */
struct stream_target {
	uint32_t domid;
	char path[VCHAN_PATH_SIZE];
};

/* The member "stream".  False: it is invalid, or not possible, and the answer says so. */
bool stream_target_get(const struct requests *requests, struct json_object *packet,
		       struct stream_target *ret_target, struct peer_answer *answer);

/* Sends there what comes from the answer's descriptor, and defers the answer until that is
 * possible. */
void stream_divert(struct streams *streams, const struct stream_target *target, unsigned int ways,
		   struct peer_answer *answer);

/* The requests "keep-streams", "stream", "relay" and "unrelay". */
void do_keep_streams(struct requests *requests, const char *id, struct json_object *packet,
		     struct peer_answer *answer);
void do_stream(struct requests *requests, const char *id, struct json_object *packet,
	       struct peer_answer *answer);
void do_relay(struct requests *requests, const char *id, struct json_object *packet,
	      struct peer_answer *answer);
void do_unrelay(struct requests *requests, const char *id, struct json_object *packet,
		struct peer_answer *answer);

#endif
