// SPDX-License-Identifier: LGPL-2.1-or-later
/* Reads the wall clock. */
#include "common/clock.h"

#include <time.h>

uint64_t wall_clock_usec(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return (uint64_t)ts.tv_sec * USEC_PER_SEC + (uint64_t)ts.tv_nsec / NSEC_PER_USEC;
}
