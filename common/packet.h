/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is in a packet: one JSON object, and its members, of which none is trusted. */
#ifndef COMMON_PACKET_H
#define COMMON_PACKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct json_object;

#define PACKET_MAX 2048

/* -EBADMSG: it is not one JSON object in UTF-8, or too deep; -ENOMEM. */
int packet_parse(const char *data, size_t size, struct json_object **ret_object);

/*
 * A member.  -EBADMSG: it is not there, of another type, or out of range (text: longer than
 * `max` bytes, or with a zero byte).  The text is the object's.
 */
int packet_get_text(struct json_object *object, const char *key, size_t max, const char **ret_text);
int packet_get_bool(struct json_object *object, const char *key, bool *ret_value);
int packet_get_uint(struct json_object *object, const char *key, uint64_t max, uint64_t *ret_value);

#endif /* COMMON_PACKET_H */
