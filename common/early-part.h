/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The request "early": what a guest printed before it had a back end goes to the helper in
 * parts, as docs/dev/peers.md has it.  Pure.
 */
#ifndef COMMON_EARLY_PART_H
#define COMMON_EARLY_PART_H

#include <json-c/json.h>
#include <stddef.h>
#include <stdint.h>

/* What Xen kept of a guest. */
struct early_output {
	const char *text;
	size_t size;
	uint64_t dropped; /* bytes that were printed after these */
};

/*
 * The members of the part at *offset, apart from the domain's; moves *offset behind it.
 * Returns NULL where there is no memory.
 */
json_object *early_part_next(const struct early_output *output, size_t *offset);

#endif /* COMMON_EARLY_PART_H */
