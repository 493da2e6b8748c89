/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Jobs that ask a guest to shut down or to reboot, and wait until it has. */
#ifndef HYPERLAUNCHD_LIFECYCLE_SHUTDOWN_H
#define HYPERLAUNCHD_LIFECYCLE_SHUTDOWN_H

#include <stdbool.h>
#include <stdint.h>

struct jobs;
struct shutdown;
struct vms;

#define SHUTDOWN_JOB "shutdown"
#define REBOOT_JOB   "reboot"

/* In milliseconds. */
#define SHUTDOWN_TIMEOUT     60000
#define SHUTDOWN_TIMEOUT_MAX 3600000

/*
 * Data of a new job of either kind.  NULL: no memory.
 * @force: also a domain that others depend on
 * @destroy: a guest that has not shut down by then is destroyed
 */
struct shutdown *shutdown_new(uint32_t timeout_ms, bool force, bool destroy);

int shutdown_register(struct jobs *jobs, struct vms *vms);

#endif
