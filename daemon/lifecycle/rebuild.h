/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The job that makes an initial domain again, of the same modules, once its own is gone. */
#ifndef HYPERLAUNCHD_LIFECYCLE_REBUILD_H
#define HYPERLAUNCHD_LIFECYCLE_REBUILD_H

#include <stdbool.h>
#include <stdint.h>

#define REBUILD_JOB "rebuild"

struct jobs;
struct rebuild;
struct vms;

/*
 * Data of a new job.  NULL: no memory.
 * @force: one that has not shut down is ended
 */
struct rebuild *rebuild_new(bool force);

/* Of a job that is done. */
uint32_t rebuild_domid(const struct rebuild *rebuild);

int rebuild_register(struct jobs *jobs, struct vms *vms);

#endif
