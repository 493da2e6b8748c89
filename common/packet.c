// SPDX-License-Identifier: LGPL-2.1-or-later
/* Packets by json-c, strictly. */
#include "common/packet.h"

#include <errno.h>
#include <json-c/json.h>
#include <string.h>

#include "common/cleanup.h"

/* No packet of the protocol has more than two. */
#define DEPTH_MAX 8

static void tokener_freep(json_tokener **tokener)
{
	json_tokener_free(*tokener);
}

int packet_parse(const char *data, size_t size, json_object **ret_object)
{
	_cleanup_(tokener_freep) json_tokener *tokener = json_tokener_new_ex(DEPTH_MAX);
	json_object *object;

	if (!tokener)
		return -ENOMEM;
	json_tokener_set_flags(tokener, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
	object = json_tokener_parse_ex(tokener, data, (int)size);
	if (!object)
		return -EBADMSG;
	if (!json_object_is_type(object, json_type_object) ||
	    json_tokener_get_parse_end(tokener) != size) {
		json_object_put(object);
		return -EBADMSG;
	}
	*ret_object = object;
	return 0;
}

static json_object *member(json_object *object, const char *key, json_type type)
{
	json_object *value;

	if (!json_object_object_get_ex(object, key, &value))
		return NULL;
	return json_object_is_type(value, type) ? value : NULL;
}

int packet_get_text(json_object *object, const char *key, size_t max, const char **ret_text)
{
	json_object *value = member(object, key, json_type_string);
	size_t length;

	if (!value)
		return -EBADMSG;
	length = (size_t)json_object_get_string_len(value);
	if (length > max || strlen(json_object_get_string(value)) != length)
		return -EBADMSG;
	*ret_text = json_object_get_string(value);
	return 0;
}

int packet_get_bool(json_object *object, const char *key, bool *ret_value)
{
	json_object *value = member(object, key, json_type_boolean);

	if (!value)
		return -EBADMSG;
	*ret_value = json_object_get_boolean(value);
	return 0;
}

/* What does not fit in the library's 64 bits with a sign it clamps, which `max` refuses. */
int packet_get_uint(json_object *object, const char *key, uint64_t max, uint64_t *ret_value)
{
	json_object *value = member(object, key, json_type_int);
	int64_t number = value ? json_object_get_int64(value) : -1;

	if (number < 0 || (uint64_t)number > max)
		return -EBADMSG;
	*ret_value = (uint64_t)number;
	return 0;
}
