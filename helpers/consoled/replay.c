// SPDX-License-Identifier: LGPL-2.1-or-later
/* The last output, as a ring of bytes. */
#include "replay.h"

#include <string.h>

void replay_put(uint8_t replay[REPLAY_SIZE], uint64_t total, const uint8_t *data, size_t size)
{
	while (size > 0) {
		size_t offset = total % REPLAY_SIZE;
		size_t part = REPLAY_SIZE - offset < size ? REPLAY_SIZE - offset : size;

		memcpy(replay + offset, data, part);
		total += part;
		data += part;
		size -= part;
	}
}

uint64_t replay_oldest(uint64_t total)
{
	return total > REPLAY_SIZE ? total - REPLAY_SIZE : 0;
}

size_t replay_peek(const uint8_t replay[REPLAY_SIZE], uint64_t total, uint64_t position,
		   const uint8_t **ret_data)
{
	size_t offset = position % REPLAY_SIZE;

	*ret_data = replay + offset;
	return total - position < REPLAY_SIZE - offset ? total - position : REPLAY_SIZE - offset;
}
