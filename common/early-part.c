// SPDX-License-Identifier: LGPL-2.1-or-later
/* Cuts a guest's first output into the parts that a packet can hold. */
#include "common/early-part.h"

#include "common/base64.h"
#include "common/cleanup.h"
#include "common/json-write.h"

/* Bytes of a part: whole groups of Base64, which fit into a packet with the rest of it. */
#define PART_SIZE 1020u

json_object *early_part_next(const struct early_output *output, size_t *offset)
{
	_cleanup_(json_putp) json_object *members = json_object_new_object();
	uint64_t dropped = output->dropped < INT64_MAX ? output->dropped : INT64_MAX;
	size_t left = output->size - *offset;
	size_t size = left < PART_SIZE ? left : PART_SIZE;
	char data[BASE64_SIZE(PART_SIZE)];

	base64_encode((const uint8_t *)output->text + *offset, size, data);
	if (!members ||
	    json_add(members, "size", json_object_new_int64((int64_t)output->size)) < 0 ||
	    json_add(members, "offset", json_object_new_int64((int64_t)*offset)) < 0 ||
	    json_add(members, "dropped", json_object_new_int64((int64_t)dropped)) < 0 ||
	    json_add(members, "data", json_object_new_string(data)) < 0)
		return NULL;
	*offset += size;
	return steal(&members);
}
