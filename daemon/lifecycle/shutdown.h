/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Jobs that ask a guest to shut down or to reboot, and wait until it has. */
#ifndef HYPERLAUNCHD_LIFECYCLE_SHUTDOWN_H
#define HYPERLAUNCHD_LIFECYCLE_SHUTDOWN_H

#include <stdbool.h>
#include <stdint.h>

struct jobs;
struct manager;
struct shutdown;

#define SHUTDOWN_JOB "shutdown"
#define REBOOT_JOB   "reboot"

/* In milliseconds. */
#define SHUTDOWN_TIMEOUT     60000
#define SHUTDOWN_TIMEOUT_MAX 3600000

/*
 * Data of a new job of either kind.  NULL: no memory.
 * @force: also a domain that others depend on
 */
struct shutdown *shutdown_new(uint32_t timeout_ms, bool force);

int shutdown_register(struct jobs *jobs, struct manager *manager);

#endif
