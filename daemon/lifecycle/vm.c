// SPDX-License-Identifier: LGPL-2.1-or-later
/* Sends orders, and keeps what vmd answers for the step that waits for it. */
#include "lifecycle/vm.h"

#include <errno.h>
#include <hyperlaunch/hl.h>
#include <inttypes.h>
#include <json-c/json.h>
#include <stdio.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/json-write.h"
#include "common/packet.h"
#include "lifecycle/check.h"
#include "loop/log.h"
#include "peers/order.h"
#include "peers/peer.h"

#define KIND	 "vm"
#define TOO_MANY "too many orders to hyperlaunch-vmd are open"

json_object *vm_members(const char *uuid)
{
	json_object *members = json_object_new_object();

	if (members && json_add(members, "uuid", json_object_new_string(uuid)) == 0)
		return members;
	json_object_put(members);
	return NULL;
}

json_object *vm_domain_members(const struct hl_domain *domain)
{
	json_object *members = vm_members(domain->handle_text);

	if (members && json_add(members, "domid", json_object_new_int64(domain->domid)) == 0)
		return members;
	json_object_put(members);
	return NULL;
}

static enum job_error error_of(const char *code)
{
	static const struct {
		const char *code;
		enum job_error error;
	} errors[] = {
		{"Busy", JOB_ERROR_BUSY},
		{"InvalidArgs", JOB_ERROR_INVALID_ARGS},
		{"NoMemory", JOB_ERROR_NO_MEMORY},
		{"NoSuchDomain", JOB_ERROR_NO_SUCH_DOMAIN},
		{"NotSupported", JOB_ERROR_NOT_SUPPORTED},
		{"WrongState", JOB_ERROR_WRONG_STATE},
	};

	for (size_t i = 0; i < ARRAY_SIZE(errors); i++)
		if (strcmp(errors[i].code, code) == 0)
			return errors[i].error;
	return JOB_ERROR_FAILED;
}

/* Most of the time goes by in build and destroy. */
static uint32_t percent_of(const char *stage)
{
	static const struct {
		const char *stage;
		uint32_t percent;
	} stages[] = {{"check", 5},   {"build", 10},  {"destroy", 10},
		      {"attach", 10}, {"detach", 10}, {"start", 90}};

	for (size_t i = 0; i < ARRAY_SIZE(stages); i++)
		if (strcmp(stages[i].stage, stage) == 0)
			return stages[i].percent;
	return 0;
}

static void on_stage(void *userdata, const char *stage)
{
	struct vm_order *order = userdata;

	snprintf(order->stage, sizeof(order->stage), "%s", stage);
	job_report(order->job, order->stage, percent_of(stage));
}

static void note_result(struct vm_order *order, json_object *result)
{
	uint64_t domid;

	order->domid = HL_NO_DOMID;
	if (packet_get_uint(result, "domid", HL_NO_DOMID - 1, &domid) == 0)
		order->domid = (uint32_t)domid;
}

static void note_error(struct vm_order *order, const struct peer_reply *reply)
{
	_cleanup_(freep) char *clean = NULL;

	order->error = reply->error == -EBUSY ? JOB_ERROR_BUSY : JOB_ERROR_FAILED;
	order->settled = reply->error == -EBUSY || reply->error == -EREMOTEIO;
	if (reply->error == -EREMOTEIO) {
		order->error = error_of(reply->code);
		clean = hl_utf8_dup(reply->message);
	}
	snprintf(order->message, sizeof(order->message), "%s",
		 clean			       ? clean
		 : reply->error == -ECONNRESET ? "hyperlaunch-vmd has ended before it was done"
		 : reply->error == -EBUSY      ? TOO_MANY
		 : reply->error == -EREMOTEIO  ? "out of memory"
					       : strerror(-reply->error));
}

/* The job may be freed by the step that this wakes, and the order with it. */
static void on_done(void *userdata, struct peer_reply *reply)
{
	struct vm_order *order = userdata;

	order->ended = true;
	if (reply->error == 0)
		note_result(order, reply->result);
	else
		note_error(order, reply);
	job_wake(order->job);
}

static int refuse(struct job *job, int r)
{
	if (r == -ENOENT || r == -ECONNREFUSED)
		return job_fail(job, JOB_ERROR_NOT_SUPPORTED,
				"nobody listens for orders to hyperlaunch-vmd: "
				"hyperlaunch-vmd.socket is not started");
	if (r == -EAGAIN || r == -EBUSY)
		return job_fail(job, JOB_ERROR_BUSY, TOO_MANY);
	return job_fail(job, r == -ENOMEM ? JOB_ERROR_NO_MEMORY : JOB_ERROR_FAILED,
			"hyperlaunch-vmd cannot be asked: %s", strerror(-r));
}

int vm_order_start(const struct vms *vms, struct job *job, struct vm_order *order,
		   const struct vm_request *request)
{
	static const char *const names[] = {
		[VM_PLAIN] = "vm",
		[VM_DEVICES] = "vm-devices",
		[VM_QEMU] = "vm-qemu",
	};
	struct order_config config = {
		.loop = vms->loop,
		.kind = KIND,
		.name = request->name,
		.members = request->members,
		.fds = request->fds,
		.nr_fds = request->nr_fds,
		.stage = on_stage,
		.done = on_done,
		.userdata = order,
	};
	int refused = check_is_acting(job, vms->manager);
	char path[128];
	int r = -ENOENT;

	vm_order_clear(order);
	order->job = job;
	snprintf(path, sizeof(path), "%s/%s", vms->peers ? vms->peers : "",
		 names[request->sandbox]);
	config.path = path;
	if (vms->peers && refused == 0)
		r = order_new(&config, &order->order);
	else
		json_object_put(request->members);
	order->settled = r < 0;
	if (refused < 0)
		return refused;
	return r < 0 ? refuse(job, r) : -EINPROGRESS;
}

int vm_order_result(struct job *job, const struct vm_order *order)
{
	if (!order->ended)
		return -EINPROGRESS;
	return order->error == JOB_ERROR_NONE ? 0
					      : job_fail(job, order->error, "%s", order->message);
}

static int order_end(const struct vms *vms, struct job *job, struct vm_order *order,
		     const char *name)
{
	const enum job_error error = job->error;
	char message[sizeof(job->message)];
	struct vm_request request = {
		.name = name, .sandbox = VM_DEVICES, .members = vm_members(job->subject.uuid)};
	int r;

	memcpy(message, job->message, sizeof(message));
	r = request.members ? vm_order_start(vms, job, order, &request) : -ENOMEM;
	if (r == -EINPROGRESS)
		return r;
	log_error("what was made for job %" PRIu32 ", %s, may still be there: %s", job->id,
		  job->doing, r == -ENOMEM ? "out of memory" : job->message);
	job->error = error;
	memcpy(job->message, message, sizeof(message));
	return 0;
}

int vm_order_undo(const struct vms *vms, struct job *job, struct vm_order *order, bool again,
		  const char *name)
{
	if (!again && order->settled)
		return 0;
	if (!again)
		return order_end(vms, job, order, name);
	if (!order->ended)
		return -EINPROGRESS;
	if (order->error != JOB_ERROR_NONE)
		log_error("what was made for job %" PRIu32 ", %s, may still be there: %s", job->id,
			  job->doing, order->message);
	return 0;
}

void vm_order_clear(struct vm_order *order)
{
	order_free(order->order);
	*order = (struct vm_order){.order = NULL};
}
