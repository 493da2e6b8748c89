// SPDX-License-Identifier: LGPL-2.1-or-later
/* The step of both jobs: vmd has libxl write what the guest is to use, and the guest follows. */
#include "lifecycle/resize.h"

#include <errno.h>
#include <inttypes.h>
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/clock.h"
#include "common/json-write.h"
#include "common/packet.h"
#include "domains/manager.h"
#include "jobs/job.h"
#include "jobs/subject.h"
#include "lifecycle/check.h"
#include "lifecycle/vm.h"

/* libxl waits for other toolstacks that change the same domain. */
#define RESIZE_MAX (60 * USEC_PER_SEC)

struct resize {
	struct vm_order order;
	uint64_t value;
};

struct resize *resize_new(uint64_t value)
{
	struct resize *resize = calloc(1, sizeof(*resize));

	if (resize)
		resize->value = value;
	return resize;
}

static bool is_of_memory(const struct job *job)
{
	return strcmp(job->type->kind, SET_MEMORY_JOB) == 0;
}

static int check_memory(struct job *job, const struct hl_domain *domain, uint64_t kib)
{
	const uint32_t servers = 1u << HL_ROLE_HARDWARE | 1u << HL_ROLE_CONTROL |
				 1u << HL_ROLE_XENSTORE | 1u << HL_ROLE_LEGACY_DOM0;

	if ((domain->roles & servers) && kib < RESIZE_MEMORY_MIN_SERVER / 1024)
		return job_fail(job, JOB_ERROR_INVALID_ARGS,
				"other domains depend on it, so it must have %" PRIu64
				" bytes at least",
				RESIZE_MEMORY_MIN_SERVER);
	return 0;
}

static int check_vcpus(struct job *job, const struct hl_domain *domain, uint64_t nr)
{
	if (nr > domain->vcpus_max)
		return job_fail(job, JOB_ERROR_INVALID_ARGS,
				"it may have from 1 to %" PRIu32 " vCPUs", domain->vcpus_max);
	return 0;
}

static int check(struct job *job, const struct hl_domain *domain)
{
	const struct resize *resize = job->data;
	int r = check_has_uuid(job, domain);

	if (r == 0 && domain->state == HL_DOMAIN_SHUTDOWN)
		r = job_fail(job, JOB_ERROR_WRONG_STATE, "it has shut down (%s)", domain->reason);
	if (r < 0)
		return r;
	return is_of_memory(job) ? check_memory(job, domain, resize->value)
				 : check_vcpus(job, domain, resize->value);
}

static int order(struct job *job, struct vms *vms, const struct hl_domain *domain)
{
	struct resize *resize = job->data;
	struct vm_request request = {.name = job->type->kind, .sandbox = VM_PLAIN};
	int r = -ENOMEM;

	request.members = vm_domain_members(domain);
	if (request.members)
		r = json_add(request.members, is_of_memory(job) ? "memory" : "vcpus",
			     json_object_new_uint64(resize->value));
	if (r < 0) {
		json_object_put(request.members);
		return job_fail(job, JOB_ERROR_NO_MEMORY, "out of memory");
	}
	return vm_order_start(vms, job, &resize->order, &request);
}

/* It can be repeated. */
static int resize(struct job *job, bool again)
{
	struct vms *vms = job->context;
	const struct resize *resize = job->data;
	const struct hl_domain *domain;
	int r;

	if (again) {
		r = vm_order_result(job, &resize->order);
		if (r != -EINPROGRESS)
			manager_refresh(vms->manager);
		return r;
	}
	manager_refresh(vms->manager);
	r = job_get_domain(job, vms->manager, &domain);
	if (r == 0)
		r = check(job, domain);
	return r < 0 ? r : order(job, vms, domain);
}

static void clear(struct job *job)
{
	struct resize *resize = job->data;

	vm_order_clear(&resize->order);
}

static int save(const struct job *job, json_object *object)
{
	const struct resize *resize = job->data;

	return json_add(object, "value", json_object_new_uint64(resize->value));
}

static int load(struct job *job, json_object *object)
{
	uint64_t value;
	int r = packet_get_uint(object, "value", INT64_MAX, &value);

	if (r < 0 || value == 0)
		return -EINVAL;
	job->data = resize_new(value);
	return job->data ? 0 : -ENOMEM;
}

/* The same call with another number takes it back, so there is no undo(). */
static const struct job_step steps[] = {
	{.name = "resize", .run = resize, .deadline = RESIZE_MAX},
};

static const struct job_type memory_type = {
	.kind = SET_MEMORY_JOB,
	.steps = steps,
	.nr_steps = ARRAY_SIZE(steps),
	.save = save,
	.load = load,
	.clear = clear,
};

static const struct job_type vcpus_type = {
	.kind = SET_VCPUS_JOB,
	.steps = steps,
	.nr_steps = ARRAY_SIZE(steps),
	.save = save,
	.load = load,
	.clear = clear,
};

int resize_register(struct jobs *jobs, struct vms *vms)
{
	int r = jobs_register(jobs, &memory_type, vms);

	return r < 0 ? r : jobs_register(jobs, &vcpus_type, vms);
}
