/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The job that makes a domain of ours again after it has shut down. */
#ifndef HYPERLAUNCHD_LIFECYCLE_RESTART_H
#define HYPERLAUNCHD_LIFECYCLE_RESTART_H

#define RESTART_JOB "restart"

struct jobs;
struct vms;

/* The job's data.  NULL: out of memory. */
void *restart_new(void);

int restart_register(struct jobs *jobs, struct vms *vms);

#endif
