// SPDX-License-Identifier: LGPL-2.1-or-later
/* Answers calls when their jobs have ended, and forgets those of callers that are gone. */
#include "bus/call.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bus/auth.h"
#include "bus/connection.h"
#include "bus/error.h"
#include "common/cleanup.h"
#include "domains/manager.h"
#include "jobs/job.h"
#include "loop/log.h"

struct kept_call {
	struct bus *bus;
	sd_bus_message *call;
	sd_bus_track *sender;
	int (*reply)(struct bus *bus, sd_bus_message *call, const struct job *job);
	uint32_t job;		/* 0: jobs_start() has not returned yet */
	struct kept_call *next; /* which waits for the same job */
};

static void kept_call_free(struct kept_call *kept)
{
	sd_bus_track_unref(kept->sender);
	sd_bus_message_unref(kept->call);
	free(kept);
}

enum bus_error bus_call_error_of(enum job_error error)
{
	static const enum bus_error codes[] = {
		[JOB_ERROR_NO_SUCH_DOMAIN] = BUS_ERROR_NO_SUCH_DOMAIN,
		[JOB_ERROR_WRONG_STATE] = BUS_ERROR_WRONG_STATE,
		[JOB_ERROR_BUSY] = BUS_ERROR_BUSY,
		[JOB_ERROR_TIMEOUT] = BUS_ERROR_TIMEOUT,
		[JOB_ERROR_CANCELLED] = BUS_ERROR_CANCELLED,
		[JOB_ERROR_NO_MEMORY] = BUS_ERROR_NO_MEMORY,
		[JOB_ERROR_NOT_SUPPORTED] = BUS_ERROR_NOT_SUPPORTED,
		[JOB_ERROR_INVALID_ARGS] = BUS_ERROR_INVALID_ARGS,
		[JOB_ERROR_FAILED] = BUS_ERROR_FAILED,
	};

	return codes[error];
}

int bus_call_set_error(sd_bus_error *error, const struct job *job)
{
	if (job->error == JOB_ERROR_HYPERVISOR)
		return bus_error_set_hypervisor(error, job->errnum, job->doing);
	return bus_error_set(error, bus_call_error_of(job->error), "Cannot %s: %s", job->doing,
			     job->message);
}

static void answer(struct kept_call *kept, const struct job *job)
{
	_cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
	int r;

	if (job->state != JOB_DONE) {
		(void)bus_call_set_error(&error, job);
		r = sd_bus_reply_method_error(kept->call, &error);
	} else if (kept->reply) {
		r = kept->reply(kept->bus, kept->call, job);
	} else {
		r = sd_bus_reply_method_return(kept->call, "");
	}
	if (r < 0)
		log_debug("cannot answer: %s", strerror(-r));
	kept_call_free(kept);
}

static void on_ended(struct job *job, void *userdata)
{
	struct kept_call *next;

	for (struct kept_call *kept = userdata; kept; kept = next) {
		next = kept->next;
		answer(kept, job);
	}
}

static void add_to(struct job *job, struct kept_call *kept)
{
	kept->next = job->userdata;
	job->userdata = kept;
	job->ended = on_ended;
	kept->job = job->id;
}

/* Whether nobody else waits for the job. */
static bool take_from(struct job *job, const struct kept_call *kept)
{
	struct kept_call *before = job->userdata;

	if (before == kept) {
		job->userdata = kept->next;
	} else {
		while (before->next != kept)
			before = before->next;
		before->next = kept->next;
	}
	if (!job->userdata)
		job->ended = NULL;
	return !job->userdata;
}

static int on_sender_left(sd_bus_track *track, void *userdata)
{
	struct kept_call *kept = userdata;
	struct job *job = jobs_find(bus_jobs_of(kept->bus), kept->job);

	if (job && take_from(job, kept) && job->state == JOB_WAITING)
		(void)job_cancel(job);
	kept_call_free(kept);
	return 0;
}

static void follow(struct kept_call *kept)
{
	int r = sd_bus_track_new(sd_bus_message_get_bus(kept->call), &kept->sender, on_sender_left,
				 kept);

	if (r >= 0)
		r = sd_bus_track_add_sender(kept->sender, kept->call);
	/* Where the sender is gone already the track says so at its next dispatch; else it must
	 * not. */
	if (r == -ENOMEM || r == -ETIMEDOUT)
		kept->sender = sd_bus_track_unref(kept->sender);
}

static struct kept_call *keep(struct bus *bus, const struct bus_allowed *allowed,
			      const struct bus_verb *verb)
{
	struct kept_call *kept = calloc(1, sizeof(*kept));

	if (!kept)
		return NULL;
	kept->bus = bus;
	kept->call = sd_bus_message_ref(allowed->call);
	kept->reply = verb->reply;
	return kept;
}

static int start(struct kept_call *kept, struct job_request *request, sd_bus_error *error)
{
	struct job *job;
	int r;

	request->ended = on_ended;
	request->userdata = kept;
	r = jobs_start(bus_jobs_of(kept->bus), request, &job);
	if (r < 0) {
		kept_call_free(kept);
		return r == -EBUSY ? bus_error_set(error, BUS_ERROR_LIMITS_EXCEEDED,
						   "Too many jobs are under way")
				   : r;
	}
	if (!job)
		return 1;
	kept->job = job->id;
	follow(kept);
	return 1;
}

int bus_call_join(struct bus *bus, const struct bus_allowed *allowed, const struct bus_verb *verb,
		  struct job *job)
{
	struct kept_call *kept = keep(bus, allowed, verb);

	if (!kept)
		return -ENOMEM;
	add_to(job, kept);
	follow(kept);
	return 1;
}

static int start_request(struct bus *bus, const struct bus_allowed *allowed,
			 const struct bus_verb *verb, struct job_request *request,
			 sd_bus_error *error)
{
	struct kept_call *kept = keep(bus, allowed, verb);

	if (!kept) {
		jobs_discard(bus_jobs_of(bus), verb->kind, request->data);
		return -ENOMEM;
	}
	request->kind = verb->kind;
	request->verb = verb->verb;
	request->uid = allowed->uid;
	request->pid = allowed->pid;
	return start(kept, request, error);
}

int bus_call_start(struct bus *bus, const struct bus_allowed *allowed, const struct bus_verb *verb,
		   void *data, sd_bus_error *error)
{
	const struct bus_subject *subject = &allowed->subject;
	struct job_request request = {.key = verb->key, .data = data};
	char key[64];

	snprintf(key, sizeof(key), "domain/%" PRIu32 "_%" PRIu64, subject->domid,
		 subject->generation);
	if (!request.key)
		request.key = key;
	manager_refresh_if_stale(bus_manager_of(bus));
	if (hl_table_find(manager_table(bus_manager_of(bus)), subject->domid, subject->generation,
			  &request.domain) < 0) {
		jobs_discard(bus_jobs_of(bus), verb->kind, data);
		return bus_error_set(error, BUS_ERROR_NO_SUCH_DOMAIN,
				     "Domain %" PRIu32 " has gone meanwhile", subject->domid);
	}
	return start_request(bus, allowed, verb, &request, error);
}

int bus_call_start_new(struct bus *bus, const struct bus_allowed *allowed,
		       const struct bus_verb *verb, const char *name, const char *uuid, void *data,
		       sd_bus_error *error)
{
	struct job_request request = {.name = name, .uuid = uuid, .key = verb->key, .data = data};

	return start_request(bus, allowed, verb, &request, error);
}
