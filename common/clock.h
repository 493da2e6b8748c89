/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Units of time, and the wall clock. */
#ifndef COMMON_CLOCK_H
#define COMMON_CLOCK_H

#include <stdint.h>

#define USEC_PER_SEC  UINT64_C(1000000)
#define USEC_PER_MSEC UINT64_C(1000)
#define NSEC_PER_USEC UINT64_C(1000)

/* Returns the time in microseconds since 1970. */
uint64_t wall_clock_usec(void);

#endif /* COMMON_CLOCK_H */
