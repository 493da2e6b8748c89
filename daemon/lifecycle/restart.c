// SPDX-License-Identifier: LGPL-2.1-or-later
/* The step of the job: vmd ends what is left of the domain, and makes it again of what it has kept.
 */
#include "lifecycle/restart.h"

#include <errno.h>
#include <json-c/json.h>
#include <stdlib.h>

#include "common/cleanup.h"
#include "common/clock.h"
#include "common/json-write.h"
#include "domains/manager.h"
#include "jobs/job.h"
#include "lifecycle/policy.h"
#include "lifecycle/vm.h"

#define RESTART_MAX (30 * 60 * USEC_PER_SEC)

void *restart_new(void)
{
	return calloc(1, sizeof(struct vm_order));
}

static int order(struct job *job, struct vms *vms)
{
	const struct policy *policy = policies_find(vms->policies, job->subject.uuid);
	struct vm_request request = {
		.name = "restart",
		.sandbox = policy && policy->qemu ? VM_QEMU : VM_DEVICES,
		.members = vm_members(job->subject.uuid),
	};

	return request.members ? vm_order_start(vms, job, job->data, &request)
			       : job_fail(job, JOB_ERROR_NO_MEMORY, "out of memory");
}

/* Repeated, it ends what was made by then, and makes it once more. */
static int restart(struct job *job, bool again)
{
	struct vms *vms = job->context;
	int r = again ? vm_order_result(job, job->data) : order(job, vms);

	if (r != -EINPROGRESS)
		manager_refresh(vms->manager);
	return r;
}

/* What vmd has begun when it was killed would never run. */
static int undo(struct job *job, bool again)
{
	struct vms *vms = job->context;
	int r = vm_order_undo(vms, job, job->data, again, "destroy");

	if (r == 0)
		manager_refresh(vms->manager);
	return r;
}

static void clear(struct job *job)
{
	vm_order_clear(job->data);
}

static int save(const struct job *job, json_object *object)
{
	return 0;
}

static int load(struct job *job, json_object *object)
{
	job->data = restart_new();
	return job->data ? 0 : -ENOMEM;
}

static const struct job_step steps[] = {
	{.name = "restart", .run = restart, .undo = undo, .deadline = RESTART_MAX},
};

static const struct job_type type = {
	.kind = RESTART_JOB,
	.steps = steps,
	.nr_steps = ARRAY_SIZE(steps),
	.save = save,
	.load = load,
	.clear = clear,
};

int restart_register(struct jobs *jobs, struct vms *vms)
{
	return jobs_register(jobs, &type, vms);
}
