/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The order to vmd to make a domain. */
#ifndef HYPERLAUNCHD_LIFECYCLE_VM_CREATE_H
#define HYPERLAUNCHD_LIFECYCLE_VM_CREATE_H

#include <stdbool.h>

#include "lifecycle/vm.h"

struct vm_creation {
	const char *config;  /* JSON for libxl, with the job's UUID */
	int kernel, ramdisk; /* stay the caller's; -1: none */
	enum vm_sandbox sandbox;
	bool start; /* it is unpaused */
	bool keep;  /* what it is made of is kept for a restart */
};

/* For a step, as vm_order_start(). */
int vm_create_start(const struct vms *vms, struct job *job, struct vm_order *order,
		    const struct vm_creation *creation);

#endif
