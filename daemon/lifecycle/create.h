/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The job that makes a domain after boot. */
#ifndef HYPERLAUNCHD_LIFECYCLE_CREATE_H
#define HYPERLAUNCHD_LIFECYCLE_CREATE_H

#include <stdbool.h>
#include <stddef.h>

#include "lifecycle/policy.h"
#include "lifecycle/vm.h"

#define CREATE_JOB "create"
#define CREATE_KEY "name/"

/* The job's data.  The descriptors are -1 where there is none. */
struct create {
	struct vm_order order;
	char *config; /* JSON for libxl */
	int kernel, ramdisk;
	struct policy policy; /* but for the UUID, which is the job's */
	enum vm_sandbox sandbox;
	bool start;
	uint32_t domid; /* once it is done */
};

struct jobs;

/* All of it unset. */
struct create *create_new(void);
struct create *create_free(struct create *create);

int create_register(struct jobs *jobs, struct vms *vms);

#endif
