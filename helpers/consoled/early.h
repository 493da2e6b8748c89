/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a guest printed before it had a back end, as a client gives it: in parts, as a packet does
 * not hold it.  Pure.
 */
#ifndef CONSOLED_EARLY_H
#define CONSOLED_EARLY_H

#include <stddef.h>
#include <stdint.h>

#define EARLY_SIZE	16384u /* bytes at most */
#define EARLY_PART_SIZE 1024u

struct early_part {
	uint32_t size, offset; /* of the whole; of this part in it */
	uint64_t dropped;      /* bytes that were printed after these, and are nowhere */
	const uint8_t *data;
	size_t length;
};

struct early {
	uint8_t data[EARLY_SIZE];
	size_t size; /* so far */
};

/*
 * The first part begins again.  Returns 1: that was the last one; 0: the next one is to come;
 * -EINVAL: no part of anything; -EAGAIN: another one is to come.
 */
int early_add(struct early *early, const struct early_part *part);

#endif
