/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The last output of a console, as a ring of bytes in memory that the caller owns.  Positions are
 * counted from the first byte of the console; readers keep one each.  Pure.
 */
#ifndef CONSOLED_REPLAY_H
#define CONSOLED_REPLAY_H

#include <stddef.h>
#include <stdint.h>

#define REPLAY_SIZE 65536u

/* Writes `size` bytes, which follow `total` earlier ones. */
void replay_put(uint8_t replay[REPLAY_SIZE], uint64_t total, const uint8_t *data, size_t size);

/* The oldest position that is still there. */
uint64_t replay_oldest(uint64_t total);

/* Bytes from `position`, which must be there, up to the end of the memory or of the output. */
size_t replay_peek(const uint8_t replay[REPLAY_SIZE], uint64_t total, uint64_t position,
		   const uint8_t **ret_data);

#endif
