/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Cleanup by attribute.  The one private header of libhl that others use, by way of
 * common/cleanup.h.
 */
#ifndef LIBHL_CLEANUP_H
#define LIBHL_CLEANUP_H

#include <stdlib.h>

/* Calls func(&variable) when the variable goes out of scope. */
#define _cleanup_(func) __attribute__((cleanup(func)))

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

/* Takes a pointer away from its _cleanup_(): returns it and sets the variable to NULL. */
#define steal(p)                           \
	({                                 \
		__auto_type _taken = *(p); \
		*(p) = NULL;               \
		_taken;                    \
	})

/* For _cleanup_() of a pointer from malloc(). */
static inline void freep(void *p)
{
	free(*(void **)p);
}

#endif /* LIBHL_CLEANUP_H */
