/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What each file of consoled uses. */
#ifndef CONSOLED_UTIL_H
#define CONSOLED_UTIL_H

#include <stdint.h>
#include <time.h>

#include "common/cleanup.h"
#include "common/clock.h"

#define UUID_SIZE 37 /* as text, with its zero byte */

/* Microseconds of the monotonic clock. */
static inline uint64_t now_usec(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * USEC_PER_SEC + (uint64_t)now.tv_nsec / NSEC_PER_USEC;
}

#endif
