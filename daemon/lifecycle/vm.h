/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Orders to vmd, as the steps of jobs give them. */
#ifndef HYPERLAUNCHD_LIFECYCLE_VM_H
#define HYPERLAUNCHD_LIFECYCLE_VM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "jobs/job.h"

struct hl_domain;
struct json_object;
struct loop;
struct manager;
struct module_searcher;
struct order;
struct policies;

/* The context of the jobs that need vmd. */
struct vms {
	struct loop *loop;
	struct manager *manager;
	const char *peers; /* where helpers listen; NULL: there are none */
	struct policies *policies;
	const char *definitions; /* the directory of domains that persist; NULL: there is none */
	struct module_searcher *modules; /* finds those of the boot */
};

/* By what the sandbox of vmd's process lets it do. */
enum vm_sandbox {
	VM_PLAIN,   /* no more than Xen's devices: "vm" */
	VM_DEVICES, /* what hotplug scripts of disks and NICs need as well: "vm-devices" */
	VM_QEMU,    /* and QEMU, which stays there when the order is done: "vm-qemu" */
};

/* One at a time; all zero: none. */
struct vm_order {
	struct order *order;
	struct job *job;
	bool ended;
	bool settled; /* nothing was begun, or vmd has answered, which took back what it could not
			 finish */
	/* Of one that has ended. */
	enum job_error error; /* JOB_ERROR_NONE: it is done */
	char message[256];
	uint32_t domid; /* HL_NO_DOMID: the result has none */
	char stage[33];
};

/* What vmd is asked; see docs/dev/peers.md. */
struct vm_request {
	const char *name;
	enum vm_sandbox sandbox;
	struct json_object *members; /* taken over, also on failure */
	const int *fds;		     /* stay the caller's */
	size_t nr_fds;
};

/* The members of each order: the UUID.  NULL: out of memory. */
struct json_object *vm_members(const char *uuid);
/* Of an order about a domain that is there: also its number. */
struct json_object *vm_domain_members(const struct hl_domain *domain);

/*
 * For a step: gives the order, or looks whether it is done.  0: it is; -EINPROGRESS: the job is
 * woken when it has ended; else the error of job_fail().
 */
int vm_order_start(const struct vms *vms, struct job *job, struct vm_order *order,
		   const struct vm_request *request);
int vm_order_result(struct job *job, const struct vm_order *order);

/*
 * For the undo() of a step that gave an order to make something: has what was made ended by the
 * domain's UUID, unless there is nothing left to take back.  The job keeps its own error.  0 or
 * -EINPROGRESS.
 * @name: of the request that ends it
 */
int vm_order_undo(const struct vms *vms, struct job *job, struct vm_order *order, bool again,
		  const char *name);

/* vmd gives up what it can. */
void vm_order_clear(struct vm_order *order);

#endif
