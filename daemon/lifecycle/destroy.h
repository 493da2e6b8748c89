/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The job that ends a domain at once, with all that was made for it. */
#ifndef HYPERLAUNCHD_LIFECYCLE_DESTROY_H
#define HYPERLAUNCHD_LIFECYCLE_DESTROY_H

#define DESTROY_JOB "destroy"

struct jobs;
struct vms;

int destroy_register(struct jobs *jobs, struct vms *vms);

#endif
