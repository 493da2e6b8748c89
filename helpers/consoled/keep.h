/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How many logs of domains that have no console are kept, and how much of them. */
#ifndef CONSOLED_KEEP_H
#define CONSOLED_KEEP_H

#include <stdbool.h>
#include <stdint.h>

#include "log.h"

struct keep_limits {
	uint32_t nr;   /* logs, at most */
	uint64_t size; /* of all their files, in bytes, at most */
};

/*
 * Removes the logs that were not written to for the longest time, until the rest is within the
 * limits.  Those that is_used() names neither count nor are removed, nor is any file that is no
 * log's.  A failure is reported.
 */
void keep_logs(struct log_dir *dir, const struct keep_limits *limits,
	       bool (*is_used)(void *userdata, const char *log), void *userdata);

#endif
