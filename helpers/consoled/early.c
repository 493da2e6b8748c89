// SPDX-License-Identifier: LGPL-2.1-or-later
/* Puts the parts of a guest's first output together. */
#include "early.h"

#include <errno.h>
#include <string.h>

int early_add(struct early *early, const struct early_part *part)
{
	if (part->size > EARLY_SIZE || part->length > EARLY_PART_SIZE ||
	    part->offset > part->size || part->length > part->size - part->offset)
		return -EINVAL;
	/* Each part brings it forward. */
	if (part->length == 0 && part->size > 0)
		return -EINVAL;
	if (part->offset == 0)
		early->size = 0;
	if (part->offset != early->size)
		return -EAGAIN;
	if (part->length > 0)
		memcpy(early->data + early->size, part->data, part->length);
	early->size += part->length;
	return early->size == part->size;
}
