// SPDX-License-Identifier: LGPL-2.1-or-later
/* Makes and examines UUIDs. */
#include "common/uuid.h"

#include <errno.h>
#include <string.h>
#include <sys/random.h>

bool uuid_is_nil(const uint8_t uuid[16])
{
	static const uint8_t nil[16];

	return memcmp(uuid, nil, sizeof(nil)) == 0;
}

int uuid_make_random(uint8_t ret_uuid[16])
{
	uint8_t uuid[16];

	/* getrandom() returns so few bytes all at once, or fails. */
	if (getrandom(uuid, sizeof(uuid), 0) != (ssize_t)sizeof(uuid))
		return errno > 0 ? -errno : -EIO;
	uuid[6] = (uint8_t)((uuid[6] & 0x0f) | 0x40);
	uuid[8] = (uint8_t)((uuid[8] & 0x3f) | 0x80);
	memcpy(ret_uuid, uuid, sizeof(uuid));
	return 0;
}
