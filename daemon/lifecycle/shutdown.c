// SPDX-License-Identifier: LGPL-2.1-or-later
/* The steps of the jobs that have a guest shut down or reboot. */
#include "lifecycle/shutdown.h"

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
#include "domains/watch.h"
#include "jobs/job.h"
#include "jobs/subject.h"
#include "lifecycle/check.h"
#include "lifecycle/guest-request.h"
#include "lifecycle/vm.h"
#include "loop/log.h"
#include "loop/loop.h"

/* To take a request back, where xenstored does not answer. */
#define TAKE_BACK_MAX (10 * USEC_PER_SEC)
/* Xen clears each page of the domain: some minutes for a terabyte. */
#define DESTROY_MAX (15 * 60 * USEC_PER_SEC)

struct shutdown {
	struct guest_request request;
	struct vm_order order; /* to destroy it */
	uint64_t asked_on;     /* connection to xenstored that it has been asked on; 0: none */
	uint64_t undo_until;

	/* What the record has. */
	uint32_t timeout_ms;
	bool force;
	bool destroy;	  /* a guest that does not go in time */
	bool late;	  /* it has not */
	bool asked;	  /* the node may have the request */
	bool written;	  /* it had it */
	uint64_t ends_at; /* of the monotonic clock; 0: the job has not begun */
};

static struct manager *manager_of(const struct job *job)
{
	const struct vms *vms = job->context;

	return vms->manager;
}

static struct store *store_of(const struct job *job)
{
	return watch_store(manager_watch(manager_of(job)));
}

/* The same for the node, and as what Xen has the domain end. */
static const char *word_of(const struct job *job)
{
	return strcmp(job->type->kind, REBOOT_JOB) == 0 ? "reboot" : "poweroff";
}

/* *ret_reason: "": not known. */
static bool has_ended(const struct job *job, const char **ret_reason)
{
	const struct manager *manager = manager_of(job);
	const struct hl_domain *domain;

	*ret_reason = "";
	if (hl_table_find(manager_table(manager), job->subject.domid, job->subject.generation,
			  &domain) < 0 ||
	    !domain->live)
		return true;
	if (domain->state != HL_DOMAIN_SHUTDOWN && domain->state != HL_DOMAIN_DYING)
		return false;
	*ret_reason = domain->reason;
	return true;
}

static bool is_paused(const struct job *job)
{
	const struct manager *manager = manager_of(job);
	const struct hl_domain *domain;

	return hl_table_find(manager_table(manager), job->subject.domid, job->subject.generation,
			     &domain) == 0 &&
	       check_is_paused(domain);
}

static int check_running(struct job *job, const struct hl_domain *domain)
{
	const struct shutdown *shutdown = job->data;
	int r = shutdown->destroy ? check_may_destroy(job, manager_of(job), domain, shutdown->force)
				  : check_may_stop(job, manager_of(job), domain, shutdown->force);

	if (r == 0 && shutdown->destroy)
		r = check_has_uuid(job, domain);
	if (r == 0)
		r = check_started(job, manager_of(job), domain);
	if (r == 0 && check_is_paused(domain))
		r = job_fail(job, JOB_ERROR_WRONG_STATE,
			     "it is paused and cannot answer; Unpause comes first");
	return r;
}

/* A daemon that has just started again has no connection yet. */
static int check_store(struct job *job)
{
	const struct store *store = store_of(job);

	if (!store)
		return job_fail(job, JOB_ERROR_NOT_SUPPORTED,
				"there is no xenstore to ask it through");
	if (store_state(store) != STORE_CONNECTED && !job->resumed)
		return job_fail(job, JOB_ERROR_FAILED,
				"xenstored, through which it is asked, does not %s now",
				store_state(store) == STORE_UNRESPONSIVE ? "answer" : "run");
	return 0;
}

/* 1: it has ended already, as a guest that was asked to may have. */
static int begin(struct job *job)
{
	const struct hl_domain *domain;
	const char *reason;
	int r;

	manager_refresh(manager_of(job));
	if (job->resumed && has_ended(job, &reason))
		return 1;
	r = job_get_domain(job, manager_of(job), &domain);
	if (r < 0)
		return r;
	if (domain->state == HL_DOMAIN_SHUTDOWN && strcmp(job->type->kind, SHUTDOWN_JOB) == 0)
		return 1;
	r = check_running(job, domain);
	return r < 0 ? r : check_store(job);
}

/* Asked: before the request can be in the node; written: once it is. */
static void note(struct job *job, bool asked, bool written)
{
	struct shutdown *shutdown = job->data;

	if (shutdown->asked == asked && shutdown->written == written)
		return;
	shutdown->asked = asked;
	shutdown->written = written;
	job_save(job);
}

static int fail_unacknowledged(struct job *job)
{
	const struct shutdown *shutdown = job->data;
	const struct shutdown_found *found = &shutdown->request.found;
	const char *more = "";

	if (store_state(store_of(job)) != STORE_CONNECTED || found->request == SHUTDOWN_NOT_READ)
		more = ": xenstored does not answer";
	else if (is_paused(job))
		more = ": it is paused";
	else if (found->request == SHUTDOWN_NOWHERE)
		more = ": its nodes in xenstore are gone";
	else if (found->request == SHUTDOWN_OTHER)
		more = ": its node control/shutdown has something else by now";
	else if (found->feature == SHUTDOWN_UNKNOWN)
		more = "; its kernel has not written that it takes such requests: it is "
		       "booting still, or does not support them";
	return job_fail(job, JOB_ERROR_TIMEOUT,
			"it has not acknowledged the request within %" PRIu32 " ms%s",
			shutdown->timeout_ms, more);
}

/* The step is done then, and what is left of the job is to destroy it.  Returns whether it is so.
 */
static bool give_up(struct job *job)
{
	struct shutdown *shutdown = job->data;

	shutdown->late = shutdown->destroy;
	return shutdown->late;
}

static int still_waiting(struct job *job)
{
	if (!job->overdue)
		return -EINPROGRESS;
	return give_up(job) ? 0 : fail_unacknowledged(job);
}

static int fail_store(struct job *job, int r)
{
	if (r == -EACCES)
		return job_fail(job, JOB_ERROR_NOT_SUPPORTED,
				"xenstored does not let this domain write control/shutdown");
	return job_fail(job, r == -ENOMEM ? JOB_ERROR_NO_MEMORY : JOB_ERROR_FAILED,
			"control/shutdown cannot be written: %s", strerror(-r));
}

/* A domain that has no nodes yet gets them when it is introduced. */
static int fail_without_nodes(struct job *job)
{
	const struct domain *domain = domains_find(manager_domains(manager_of(job)),
						   job->subject.domid, job->subject.generation);

	if (domain && !domain->xenstore.introduced)
		return job_fail(job, JOB_ERROR_WRONG_STATE,
				"it has not been introduced to xenstored, so it cannot be asked");
	return job_fail(job, JOB_ERROR_NOT_SUPPORTED,
			"it has no node \"control\" in xenstore, through which it could be asked");
}

static int await_acknowledgement(struct job *job)
{
	struct shutdown *shutdown = job->data;
	struct guest_request *request = &shutdown->request;
	int r = -EINPROGRESS;

	if (request->changed || request->answered)
		r = guest_request_do(request, SHUTDOWN_LOOK);
	if (r == 0 && request->found.request == SHUTDOWN_EMPTY) {
		note(job, false, false);
		return 0;
	}
	return r < 0 && r != -EINPROGRESS ? fail_store(job, r) : still_waiting(job);
}

/* Nothing was written: what the node has is another toolstack's, and not taken back. */
static int fail_not_asked(struct job *job, bool has_nodes)
{
	const struct shutdown *shutdown = job->data;

	if (shutdown->asked_on == 0 && !job->resumed)
		note(job, false, false);
	if (!has_nodes)
		return fail_without_nodes(job);
	return job_fail(job, JOB_ERROR_NOT_SUPPORTED,
			"its kernel does not take such requests (control/feature-%s)",
			word_of(job));
}

static int check_asked(struct job *job, int r)
{
	struct shutdown *shutdown = job->data;
	const struct shutdown_found *found = &shutdown->request.found;

	if (r < 0)
		return fail_store(job, r);
	/* After an end of xenstored the nodes may be made again, which fires the watch. */
	if (found->request == SHUTDOWN_NOWHERE)
		return shutdown->asked_on != 0 || job->resumed ? still_waiting(job)
							       : fail_not_asked(job, false);
	if (found->feature == SHUTDOWN_NOT_WATCHED)
		return fail_not_asked(job, true);
	shutdown->asked_on = store_connection(store_of(job));
	note(job, true, true);
	return await_acknowledgement(job);
}

/* On each connection once more: an xenstored that was started again may have forgotten it. */
static int ask(struct job *job)
{
	struct shutdown *shutdown = job->data;
	int r;

	note(job, true, shutdown->written);
	guest_request_begin(&shutdown->request, job, store_of(job), word_of(job));
	r = guest_request_do(&shutdown->request, SHUTDOWN_ASK);
	return r == -EINPROGRESS ? still_waiting(job) : check_asked(job, r);
}

/* By the daemon before this one: the guest may have acknowledged it meanwhile. */
static int follow(struct job *job)
{
	struct shutdown *shutdown = job->data;
	struct guest_request *request = &shutdown->request;
	int r;

	guest_request_begin(request, job, store_of(job), word_of(job));
	r = guest_request_do(request, SHUTDOWN_FOLLOW);
	if (r < 0)
		return r == -EINPROGRESS ? still_waiting(job) : fail_store(job, r);
	if (request->found.request == SHUTDOWN_NOWHERE) {
		note(job, true, false);
		return still_waiting(job);
	}
	shutdown->asked_on = store_connection(store_of(job));
	if (request->found.request != SHUTDOWN_EMPTY)
		return still_waiting(job);
	note(job, false, false);
	return 0;
}

static int run_request(struct job *job, bool again)
{
	const struct shutdown *shutdown = job->data;
	const char *reason;
	int r = again ? 0 : begin(job);

	if (r != 0)
		return r < 0 ? r : 0;
	if (job->overdue)
		manager_refresh(manager_of(job));
	if (has_ended(job, &reason))
		return 0;
	if (shutdown->asked_on == 0 && shutdown->written)
		return follow(job);
	if (shutdown->asked_on == 0 || shutdown->asked_on != store_connection(store_of(job)))
		return ask(job);
	return await_acknowledgement(job);
}

/* What is not in the node any more the guest has read. */
static int undo_request(struct job *job, bool again)
{
	struct shutdown *shutdown = job->data;
	const char *reason;
	int r;

	if (!again)
		shutdown->undo_until = loop_now() + TAKE_BACK_MAX;
	if (!shutdown->asked || !store_of(job) || has_ended(job, &reason))
		return 0;
	guest_request_begin(&shutdown->request, job, store_of(job), word_of(job));
	r = guest_request_do(&shutdown->request, SHUTDOWN_TAKE_BACK);
	if (r == 0)
		return 0;
	if (r == -EINPROGRESS && loop_now() < shutdown->undo_until) {
		guest_request_wake_in(&shutdown->request, shutdown->undo_until - loop_now());
		return -EINPROGRESS;
	}
	log_warning("%s: the request cannot be taken back, so the guest may act on it later: %s",
		    job->doing, r == -EINPROGRESS ? "xenstored does not answer" : strerror(-r));
	return 0;
}

static int run_end(struct job *job, bool again)
{
	const struct shutdown *shutdown = job->data;
	const char *reason;

	if (!again || job->overdue)
		manager_refresh(manager_of(job));
	if (shutdown->late)
		return 0;
	if (!has_ended(job, &reason) && job->overdue && give_up(job))
		return 0;
	if (!has_ended(job, &reason))
		return job->overdue ? job_fail(job, JOB_ERROR_TIMEOUT,
					       "it has acknowledged the request, but has not shut "
					       "down within %" PRIu32 " ms%s",
					       shutdown->timeout_ms,
					       is_paused(job) ? ": it is paused" : "")
				    : -EINPROGRESS;
	if (reason[0] != '\0' && strcmp(reason, word_of(job)) != 0)
		return job_fail(job, JOB_ERROR_FAILED, "it has shut down with the reason %s",
				reason);
	return 0;
}

static int order_destroy(struct job *job)
{
	struct shutdown *shutdown = job->data;
	struct vm_request request = {.name = "destroy", .sandbox = VM_DEVICES};
	const struct hl_domain *domain;
	int r = job_get_domain(job, manager_of(job), &domain);

	if (r == 0)
		r = check_has_uuid(job, domain);
	if (r < 0)
		return r;
	log_notice("%s: it has not within %" PRIu32 " ms, and is destroyed", job->doing,
		   shutdown->timeout_ms);
	request.members = vm_domain_members(domain);
	if (!request.members)
		return job_fail(job, JOB_ERROR_NO_MEMORY, "out of memory");
	return vm_order_start(job->context, job, &shutdown->order, &request);
}

/* It can be repeated: a domain that has ended by itself meanwhile is what was wanted first. */
static int run_destroy(struct job *job, bool again)
{
	const struct shutdown *shutdown = job->data;
	const char *reason;
	int r;

	if (!shutdown->late)
		return 0;
	if (!again) {
		manager_refresh(manager_of(job));
		return has_ended(job, &reason) ? 0 : order_destroy(job);
	}
	r = vm_order_result(job, &shutdown->order);
	if (r != -EINPROGRESS)
		manager_refresh(manager_of(job));
	return r;
}

/* Of both steps together. */
static uint64_t get_deadline(const struct job *job)
{
	struct shutdown *shutdown = job->data;
	uint64_t now = loop_now();

	if (shutdown->ends_at == 0)
		shutdown->ends_at = now + shutdown->timeout_ms * USEC_PER_MSEC;
	return shutdown->ends_at > now ? shutdown->ends_at - now : 1;
}

/* A guest that has acknowledged the request does not stop shutting down. */
static const struct job_step steps[] = {
	{.name = "request", .run = run_request, .undo = undo_request, .get_deadline = get_deadline},
	{.name = "end", .run = run_end, .get_deadline = get_deadline},
	{.name = "destroy", .run = run_destroy, .deadline = DESTROY_MAX},
};

static int save(const struct job *job, json_object *object)
{
	const struct shutdown *shutdown = job->data;
	int r = json_add(object, "timeout-ms", json_object_new_int64(shutdown->timeout_ms));

	if (r == 0)
		r = json_add(object, "force", json_object_new_boolean(shutdown->force));
	if (r == 0)
		r = json_add(object, "destroy", json_object_new_boolean(shutdown->destroy));
	if (r == 0)
		r = json_add(object, "late", json_object_new_boolean(shutdown->late));
	if (r == 0)
		r = json_add(object, "asked", json_object_new_boolean(shutdown->asked));
	if (r == 0)
		r = json_add(object, "written", json_object_new_boolean(shutdown->written));
	if (r == 0)
		r = json_add(object, "ends-at", json_object_new_uint64(shutdown->ends_at));
	return r;
}

static int load(struct job *job, json_object *object)
{
	struct shutdown *shutdown = calloc(1, sizeof(*shutdown));
	uint64_t timeout;

	if (!shutdown)
		return -ENOMEM;
	job->data = shutdown;
	if (packet_get_uint(object, "timeout-ms", SHUTDOWN_TIMEOUT_MAX, &timeout) < 0 ||
	    packet_get_bool(object, "force", &shutdown->force) < 0 ||
	    packet_get_bool(object, "destroy", &shutdown->destroy) < 0 ||
	    packet_get_bool(object, "late", &shutdown->late) < 0 ||
	    packet_get_bool(object, "asked", &shutdown->asked) < 0 ||
	    packet_get_bool(object, "written", &shutdown->written) < 0 ||
	    packet_get_uint(object, "ends-at", INT64_MAX, &shutdown->ends_at) < 0)
		return -EINVAL;
	shutdown->timeout_ms = (uint32_t)timeout;
	return 0;
}

static void clear(struct job *job)
{
	struct shutdown *shutdown = job->data;

	guest_request_end(&shutdown->request);
	vm_order_clear(&shutdown->order);
}

static const struct job_type shutdown_type = {
	.kind = SHUTDOWN_JOB,
	.steps = steps,
	.nr_steps = ARRAY_SIZE(steps),
	.save = save,
	.load = load,
	.clear = clear,
};

static const struct job_type reboot_type = {
	.kind = REBOOT_JOB,
	.steps = steps,
	.nr_steps = ARRAY_SIZE(steps),
	.save = save,
	.load = load,
	.clear = clear,
};

struct shutdown *shutdown_new(uint32_t timeout_ms, bool force, bool destroy)
{
	struct shutdown *shutdown = calloc(1, sizeof(*shutdown));

	if (shutdown) {
		shutdown->timeout_ms = timeout_ms;
		shutdown->force = force;
		shutdown->destroy = destroy;
	}
	return shutdown;
}

int shutdown_register(struct jobs *jobs, struct vms *vms)
{
	int r = jobs_register(jobs, &shutdown_type, vms);

	return r < 0 ? r : jobs_register(jobs, &reboot_type, vms);
}
