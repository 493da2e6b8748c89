/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What every file of the daemon uses: cleanup by attribute, and small arithmetic. */
#ifndef HYPERLAUNCHD_UTIL_H
#define HYPERLAUNCHD_UTIL_H

#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#define _cleanup_(f) __attribute__((cleanup(f)))

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

#define USEC_PER_SEC  UINT64_C(1000000)
#define USEC_PER_MSEC UINT64_C(1000)
#define NSEC_PER_USEC UINT64_C(1000)

/* Takes what a cleaned-up variable holds out of its reach. */
#define steal(p)                           \
	({                                 \
		__auto_type _taken = *(p); \
		*(p) = NULL;               \
		_taken;                    \
	})

static inline void freep(void *p)
{
	free(*(void **)p);
}

static inline void closep(const int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

static inline int steal_fd(int *fd)
{
	int taken = *fd;

	*fd = -1;
	return taken;
}

#endif
