/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Cleanup by attribute, of memory and of file descriptors. */
#ifndef COMMON_CLEANUP_H
#define COMMON_CLEANUP_H

#include <unistd.h>

#include "libhl/cleanup.h"

/* For _cleanup_() of a file descriptor; -1: there is none. */
static inline void closep(const int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

/* Takes a descriptor away from its _cleanup_(): returns it and sets the variable to -1. */
static inline int steal_fd(int *fd)
{
	int taken = *fd;

	*fd = -1;
	return taken;
}

#endif /* COMMON_CLEANUP_H */
