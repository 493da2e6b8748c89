// SPDX-License-Identifier: LGPL-2.1-or-later
/* The step of the job that makes a domain: vmd does it, and takes back what it cannot finish. */
#include "lifecycle/create.h"

#include <errno.h>
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/clock.h"
#include "domains/manager.h"
#include "jobs/job.h"
#include "lifecycle/vm-create.h"

/* libxl unpacks the kernel and clears the memory meanwhile. */
#define CREATE_MAX (15 * 60 * USEC_PER_SEC)

struct create *create_new(void)
{
	struct create *create = calloc(1, sizeof(*create));

	if (create)
		*create = (struct create){.kernel = -1, .ramdisk = -1, .domid = HL_NO_DOMID};
	return create;
}

static void release(struct create *create)
{
	vm_order_clear(&create->order);
	closep(&create->kernel);
	closep(&create->ramdisk);
	free(create->config);
	*create = (struct create){.kernel = -1, .ramdisk = -1, .domid = HL_NO_DOMID};
}

struct create *create_free(struct create *create)
{
	if (create)
		release(create);
	free(create);
	return NULL;
}

static void clear(struct job *job)
{
	release(job->data);
}

/* QEMU opens modules by name, in a process that does not have the order's descriptors. */
static bool is_kept(const struct create *create)
{
	return policy_restarts(&create->policy) ||
	       (create->sandbox == VM_QEMU && (create->kernel >= 0 || create->ramdisk >= 0));
}

static int order(struct job *job, const struct vms *vms, struct create *create)
{
	const struct vm_creation creation = {
		.config = create->config,
		.kernel = create->kernel,
		.ramdisk = create->ramdisk,
		.sandbox = create->sandbox,
		.start = create->start,
		.keep = is_kept(create),
	};

	return vm_create_start(vms, job, &create->order, &creation);
}

/* A Xen without Hyperlaunch has one dom0. */
static bool has_dom0(const struct vms *vms)
{
	uint32_t self = hl_table_summary(manager_table(vms->manager))->self_domid;

	return self == 0 || self == HL_NO_DOMID;
}

/* The domain's directory is there before vmd keeps anything in it. */
static int record_and_order(struct job *job, const struct vms *vms, struct create *create)
{
	int r;

	/* Nothing is begun before the order. */
	create->order.settled = true;
	if (create->sandbox == VM_QEMU && !has_dom0(vms))
		return job_fail(job, JOB_ERROR_NOT_SUPPORTED,
				"it needs QEMU, which libxl runs for domain 0 only, and "
				"hyperlaunchd runs in another domain");
	memcpy(create->policy.uuid, job->subject.uuid, sizeof(create->policy.uuid));
	create->policy.qemu = create->sandbox == VM_QEMU;
	r = policies_add(vms->policies, &create->policy);
	if (r < 0)
		return job_fail(job, JOB_ERROR_FAILED,
				"what becomes of it when it ends cannot be recorded: %s",
				strerror(-r));
	return order(job, vms, create);
}

/* What it is made of went with the daemon that was asked for it. */
static int create(struct job *job, bool again)
{
	struct vms *vms = job->context;
	struct create *create = job->data;
	int r;

	if (job->resumed || !create->config)
		return job_fail(job, JOB_ERROR_CANCELLED,
				"hyperlaunchd was restarted while it was being made");
	r = again ? vm_order_result(job, &create->order) : record_and_order(job, vms, create);
	if (r == 0) {
		create->domid = create->order.domid;
		manager_refresh(vms->manager);
	}
	return r;
}

/* For a vmd that was killed, or did not come to an end. */
static int undo(struct job *job, bool again)
{
	struct vms *vms = job->context;
	struct create *create = job->data;
	int r = vm_order_undo(vms, job, &create->order, again, "destroy");

	if (r == 0)
		manager_refresh(vms->manager);
	return r;
}

/* The descriptors cannot be kept, so there is nothing to continue with. */
static int save(const struct job *job, json_object *object)
{
	return 0;
}

static int load(struct job *job, json_object *object)
{
	job->data = create_new();
	return job->data ? 0 : -ENOMEM;
}

static const struct job_step steps[] = {
	{.name = "create", .run = create, .undo = undo, .deadline = CREATE_MAX},
};

static const struct job_type type = {
	.kind = CREATE_JOB,
	.steps = steps,
	.nr_steps = ARRAY_SIZE(steps),
	.save = save,
	.load = load,
	.clear = clear,
};

int create_register(struct jobs *jobs, struct vms *vms)
{
	return jobs_register(jobs, &type, vms);
}
