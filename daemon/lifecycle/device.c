// SPDX-License-Identifier: LGPL-2.1-or-later
/* The steps of both jobs: vmd does it, and takes back a device that it cannot attach. */
#include "lifecycle/device.h"

#include <errno.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/clock.h"
#include "common/json-write.h"
#include "common/packet.h"
#include "common/sealed.h"
#include "domains/manager.h"
#include "jobs/job.h"
#include "jobs/subject.h"
#include "lifecycle/check.h"
#include "lifecycle/vm.h"

/* libxl gives a hotplug script 40 s, and a back end 10 s. */
#define DEVICE_MAX (3 * 60 * USEC_PER_SEC)

struct device_change {
	struct vm_order order;
	char type[DEVICE_TYPE_MAX + 1];
	char *config;			/* of one to be attached; NULL: not known any more */
	char name[DEVICE_NAME_MAX + 1]; /* of one to be detached */
	bool force;			/* likewise */
};

static struct device_change *new_change(const char *type)
{
	struct device_change *change = calloc(1, sizeof(*change));

	if (change)
		snprintf(change->type, sizeof(change->type), "%s", type);
	return change;
}

struct device_change *device_attach_new(const char *type, const char *config)
{
	struct device_change *change = new_change(type);

	if (change)
		change->config = strdup(config);
	if (change && !change->config) {
		free(change);
		return NULL;
	}
	return change;
}

struct device_change *device_detach_new(const char *type, const char *name, bool force)
{
	struct device_change *change = new_change(type);

	if (change) {
		snprintf(change->name, sizeof(change->name), "%s", name);
		change->force = force;
	}
	return change;
}

/*
 * libxl counts on domain 0: elsewhere it leaves the front end of what is detached, so that nothing
 * can be attached in its place.
 */
static int check_own_domain(struct job *job, const struct vms *vms)
{
	uint32_t self = hl_table_summary(manager_table(vms->manager))->self_domid;

	return self == 0 || self == HL_NO_DOMID
		       ? 0
		       : job_fail(job, JOB_ERROR_NOT_SUPPORTED,
				  "libxl changes devices of running domains from domain 0 only, "
				  "and hyperlaunchd runs in another one");
}

static int check(struct job *job, const struct vms *vms, const struct hl_domain **ret_domain)
{
	int r;

	manager_refresh(vms->manager);
	r = job_get_domain(job, vms->manager, ret_domain);
	if (r == 0)
		r = check_own_domain(job, vms);
	if (r == 0)
		r = check_has_uuid(job, *ret_domain);
	if (r == 0 && (*ret_domain)->state == HL_DOMAIN_SHUTDOWN)
		r = job_fail(job, JOB_ERROR_WRONG_STATE, "it has shut down (%s)",
			     (*ret_domain)->reason);
	return r;
}

/* Taken over, with what it has by then. */
static int send(struct job *job, const struct vms *vms, struct vm_request *request, int r)
{
	struct device_change *change = job->data;

	if (r < 0) {
		json_object_put(request->members);
		return job_fail(job, JOB_ERROR_NO_MEMORY, "out of memory");
	}
	return vm_order_start(vms, job, &change->order, request);
}

static int order_attach(struct job *job, const struct vms *vms, const struct hl_domain *domain)
{
	struct device_change *change = job->data;
	_cleanup_(closep) int config =
		sealed_memfd("vm-device", change->config, strlen(change->config));
	json_object *names = json_object_new_array();
	struct vm_request request = {
		.name = "attach",
		.sandbox = VM_DEVICES,
		.members = vm_domain_members(domain),
		.fds = &config,
		.nr_fds = 1,
	};
	int r = request.members && config >= 0 ? 0 : -ENOMEM;

	if (r < 0)
		json_object_put(names);
	else
		r = json_add(request.members, "fds", names);
	if (r == 0 && json_object_array_add(names, json_object_new_string("config")) < 0)
		r = -ENOMEM;
	if (r == 0)
		r = json_add(request.members, "type", json_object_new_string(change->type));
	return send(job, vms, &request, r);
}

/* The device went with the daemon that was asked for it; undo() ends what vmd had begun. */
static int attach(struct job *job, bool again)
{
	const struct device_change *change = job->data;
	const struct hl_domain *domain;
	int r;

	if (again)
		return vm_order_result(job, &change->order);
	if (!change->config)
		return job_fail(job, JOB_ERROR_CANCELLED,
				"hyperlaunchd was restarted while the device was being attached");
	r = check(job, job->context, &domain);
	return r < 0 ? r : order_attach(job, job->context, domain);
}

/* For a vmd that was killed, or did not come to an end. */
static int undo_attach(struct job *job, bool again)
{
	struct device_change *change = job->data;

	if (!change->order.job && !job->resumed)
		return 0;
	return vm_order_undo(job->context, job, &change->order, again, "undo-attach");
}

static int order_detach(struct job *job, const struct vms *vms, const struct hl_domain *domain)
{
	const struct device_change *change = job->data;
	struct vm_request request = {
		.name = "detach",
		.sandbox = VM_DEVICES,
		.members = vm_domain_members(domain),
	};
	int r = request.members
			? json_add(request.members, "type", json_object_new_string(change->type))
			: -ENOMEM;

	if (r == 0)
		r = json_add(request.members, "device", json_object_new_string(change->name));
	if (r == 0)
		r = json_add(request.members, "force", json_object_new_boolean(change->force));
	return send(job, vms, &request, r);
}

/* It can be repeated: a device that is not there any more is what is wanted. */
static int detach(struct job *job, bool again)
{
	const struct device_change *change = job->data;
	const struct hl_domain *domain;
	int r;

	if (again && job->resumed && change->order.ended &&
	    change->order.error == JOB_ERROR_INVALID_ARGS)
		return 0;
	if (again)
		return vm_order_result(job, &change->order);
	r = check(job, job->context, &domain);
	return r < 0 ? r : order_detach(job, job->context, domain);
}

static void clear(struct job *job)
{
	struct device_change *change = job->data;

	vm_order_clear(&change->order);
	free(change->config);
	change->config = NULL;
}

static int save(const struct job *job, json_object *object)
{
	const struct device_change *change = job->data;
	int r = json_add(object, "type", json_object_new_string(change->type));

	if (r == 0)
		r = json_add(object, "device", json_object_new_string(change->name));
	return r < 0 ? r : json_add(object, "force", json_object_new_boolean(change->force));
}

static int load(struct job *job, json_object *object)
{
	const char *type, *name;
	bool force;

	if (packet_get_text(object, "type", DEVICE_TYPE_MAX, &type) < 0 ||
	    packet_get_text(object, "device", DEVICE_NAME_MAX, &name) < 0 ||
	    packet_get_bool(object, "force", &force) < 0)
		return -EINVAL;
	job->data = device_detach_new(type, name, force);
	return job->data ? 0 : -ENOMEM;
}

static const struct job_step attach_steps[] = {
	{.name = "attach", .run = attach, .undo = undo_attach, .deadline = DEVICE_MAX},
};

/* What the guest has let go of is not forced upon it again. */
static const struct job_step detach_steps[] = {
	{.name = "detach", .run = detach, .deadline = DEVICE_MAX},
};

static const struct job_type attach_type = {
	.kind = ATTACH_DEVICE_JOB,
	.steps = attach_steps,
	.nr_steps = ARRAY_SIZE(attach_steps),
	.save = save,
	.load = load,
	.clear = clear,
};

static const struct job_type detach_type = {
	.kind = DETACH_DEVICE_JOB,
	.steps = detach_steps,
	.nr_steps = ARRAY_SIZE(detach_steps),
	.save = save,
	.load = load,
	.clear = clear,
};

int device_register(struct jobs *jobs, struct vms *vms)
{
	int r = jobs_register(jobs, &attach_type, vms);

	return r < 0 ? r : jobs_register(jobs, &detach_type, vms);
}
