/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What every writer of a json-c object uses. */
#ifndef COMMON_JSON_WRITE_H
#define COMMON_JSON_WRITE_H

#include <errno.h>
#include <json-c/json.h>

static inline void json_putp(json_object **object)
{
	json_object_put(*object);
}

/* Takes `value` over, also on failure.  NULL, as of a failed constructor, gives -ENOMEM. */
static inline int json_add(json_object *object, const char *key, json_object *value)
{
	if (!value)
		return -ENOMEM;
	if (json_object_object_add(object, key, value) < 0) {
		json_object_put(value);
		return -ENOMEM;
	}
	return 0;
}

#endif /* COMMON_JSON_WRITE_H */
