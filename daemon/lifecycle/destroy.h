/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The job that ends a domain at once, with all that was made for it. */
#ifndef HYPERLAUNCHD_LIFECYCLE_DESTROY_H
#define HYPERLAUNCHD_LIFECYCLE_DESTROY_H

#define DESTROY_JOB "destroy"

#include <stdbool.h>

struct destroy;
struct jobs;
struct vms;

/* The job's data.  force: also a domain that others depend on.  NULL: out of memory. */
struct destroy *destroy_new(bool force);

int destroy_register(struct jobs *jobs, struct vms *vms);

#endif
