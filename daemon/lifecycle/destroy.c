// SPDX-License-Identifier: LGPL-2.1-or-later
/* The step of the job that ends a domain: vmd does it. */
#include "lifecycle/destroy.h"

#include <errno.h>
#include <json-c/json.h>
#include <stdlib.h>

#include "common/cleanup.h"
#include "common/clock.h"
#include "common/json-write.h"
#include "common/packet.h"
#include "domains/manager.h"
#include "jobs/job.h"
#include "lifecycle/check.h"
#include "lifecycle/vm.h"

/* Xen clears each page of the domain: some minutes for a terabyte. */
#define DESTROY_MAX (15 * 60 * USEC_PER_SEC)

struct destroy {
	struct vm_order order;
	bool force;
};

struct destroy *destroy_new(bool force)
{
	struct destroy *destroy = calloc(1, sizeof(*destroy));

	if (destroy)
		destroy->force = force;
	return destroy;
}

static const struct hl_domain *find(const struct job *job, const struct vms *vms)
{
	const struct hl_domain *domain;

	if (hl_table_find(manager_table(vms->manager), job->subject.domid, job->subject.generation,
			  &domain) < 0)
		return NULL;
	return domain->live ? domain : NULL;
}

static int order(struct job *job, struct vms *vms, const struct hl_domain *domain)
{
	struct vm_request request = {.name = "destroy", .sandbox = VM_DEVICES};
	struct destroy *destroy = job->data;

	request.members = vm_domain_members(domain);
	if (!request.members)
		return job_fail(job, JOB_ERROR_NO_MEMORY, "out of memory");
	return vm_order_start(vms, job, &destroy->order, &request);
}

/* It can be repeated: a domain that is gone is what is wanted. */
static int destroy(struct job *job, bool again)
{
	struct vms *vms = job->context;
	const struct destroy *data = job->data;
	const struct hl_domain *domain;
	int r = again ? vm_order_result(job, &data->order) : 0;

	if (r == -EINPROGRESS)
		return r;
	manager_refresh(vms->manager);
	domain = find(job, vms);
	if (!domain && (again || job->resumed))
		return 0;
	if (!domain)
		return job_fail(job, JOB_ERROR_NO_SUCH_DOMAIN, "it has gone meanwhile");
	if (!again) {
		r = check_may_destroy(job, vms->manager, domain, data->force);
		return r < 0 ? r : order(job, vms, domain);
	}
	return r < 0 ? r
		     : job_fail(job, JOB_ERROR_FAILED,
				"libxl has ended it, and Xen still has it: another domain maps "
				"its memory");
}

static void clear(struct job *job)
{
	struct destroy *destroy = job->data;

	vm_order_clear(&destroy->order);
}

static int save(const struct job *job, json_object *object)
{
	const struct destroy *destroy = job->data;

	return json_add(object, "force", json_object_new_boolean(destroy->force));
}

static int load(struct job *job, json_object *object)
{
	bool force;
	int r = packet_get_bool(object, "force", &force);

	if (r < 0)
		return -EINVAL;
	job->data = destroy_new(force);
	return job->data ? 0 : -ENOMEM;
}

static const struct job_step steps[] = {
	{.name = "destroy", .run = destroy, .deadline = DESTROY_MAX},
};

static const struct job_type type = {
	.kind = DESTROY_JOB,
	.steps = steps,
	.nr_steps = ARRAY_SIZE(steps),
	.save = save,
	.load = load,
	.clear = clear,
};

int destroy_register(struct jobs *jobs, struct vms *vms)
{
	return jobs_register(jobs, &type, vms);
}
