/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reads members of requests, and makes those of answers. */
#ifndef CONSOLED_MEMBERS_H
#define CONSOLED_MEMBERS_H

#include <stdbool.h>
#include <stdint.h>

#include "peer.h"

/* error: the last part of an error name of D-Bus */
void answer_fail(struct peer_answer *answer, const char *error, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* For -errno, of what was asked about a domain. */
void answer_fail_with(struct peer_answer *answer, int r, uint32_t domid);

/* Takes `value` over; false: no memory. */
bool member_add(struct json_object *object, const char *name, struct json_object *value);

/* An absent member leaves *value as it is; false: it has another type, and the answer says so. */
bool member_bool(struct json_object *packet, const char *name, bool *value,
		 struct peer_answer *answer);
bool member_number(struct json_object *packet, const char *name, uint32_t max, uint32_t *value,
		   struct peer_answer *answer);
bool member_number64(struct json_object *packet, const char *name, uint64_t *value,
		     struct peer_answer *answer);

/* NULL: it is absent or no text. */
const char *member_text(struct json_object *packet, const char *name);

#endif
