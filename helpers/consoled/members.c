// SPDX-License-Identifier: LGPL-2.1-or-later
/* Members of requests, and of answers. */
#include "members.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void answer_fail(struct peer_answer *answer, const char *error, const char *format, ...)
{
	va_list args;

	answer->error = error;
	va_start(args, format);
	vsnprintf(answer->message, sizeof(answer->message), format, args);
	va_end(args);
}

void answer_fail_with(struct peer_answer *answer, int r, uint32_t domid)
{
	switch (r) {
	case -EBUSY:
		answer_fail(answer, "Busy", "domain %" PRIu32 ": another one has it", domid);
		break;
	case -EMFILE:
		answer_fail(answer, "LimitsExceeded", "domain %" PRIu32 ": too many readers",
			    domid);
		break;
	case -EAGAIN:
	case -EEXIST:
		answer_fail(answer, "WrongState", "domain %" PRIu32 ": its console is %s", domid,
			    r == -EAGAIN ? "not being served" : "being served already");
		break;
	case -ENOMEM:
		answer_fail(answer, "NoMemory", "no memory");
		break;
	default:
		answer_fail(answer, "Failed", "domain %" PRIu32 ": %s", domid, strerror(-r));
	}
}

bool member_add(struct json_object *object, const char *name, struct json_object *value)
{
	if (value && json_object_object_add(object, name, value) == 0)
		return true;
	json_object_put(value);
	return false;
}

/* An absent member has its default; false: it has another type, and the answer says so. */
bool member_bool(struct json_object *packet, const char *name, bool *value,
		 struct peer_answer *answer)
{
	struct json_object *member = NULL;

	if (!json_object_object_get_ex(packet, name, &member))
		return true;
	if (!json_object_is_type(member, json_type_boolean)) {
		answer_fail(answer, "InvalidArgs", "%s is no boolean", name);
		return false;
	}
	*value = json_object_get_boolean(member);
	return true;
}

/* Of 64 bits.  json-c has more than INT64_MAX as INT64_MAX. */
bool member_number64(struct json_object *packet, const char *name, uint64_t *value,
		     struct peer_answer *answer)
{
	struct json_object *member = NULL;

	if (!json_object_object_get_ex(packet, name, &member))
		return true;
	if (!json_object_is_type(member, json_type_int) || json_object_get_int64(member) < 0) {
		answer_fail(answer, "InvalidArgs", "%s is no number", name);
		return false;
	}
	*value = json_object_get_uint64(member);
	return true;
}

bool member_number(struct json_object *packet, const char *name, uint32_t max, uint32_t *value,
		   struct peer_answer *answer)
{
	struct json_object *member = NULL;
	int64_t number;

	if (!json_object_object_get_ex(packet, name, &member))
		return true;
	number = json_object_get_int64(member);
	if (!json_object_is_type(member, json_type_int) || number < 0 || number > (int64_t)max) {
		answer_fail(answer, "InvalidArgs", "%s is no number from 0 to %" PRIu32, name, max);
		return false;
	}
	*value = (uint32_t)number;
	return true;
}

const char *member_text(struct json_object *packet, const char *name)
{
	struct json_object *member = NULL;

	if (!json_object_object_get_ex(packet, name, &member) ||
	    !json_object_is_type(member, json_type_string))
		return NULL;
	return json_object_get_string(member);
}
