// SPDX-License-Identifier: LGPL-2.1-or-later
/* Submits tasks of store/shutdown-node.c for a job, one at a time. */
#include "lifecycle/guest-request.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/clock.h"
#include "jobs/job.h"
#include "loop/log.h"
#include "loop/timer.h"

/* Between two looks at the node, however often the guest writes it. */
#define SPACING (20 * USEC_PER_MSEC)
/* Before a task is tried again for which there was no memory. */
#define RETRY (500 * USEC_PER_MSEC)

static void on_timer(void *userdata)
{
	job_wake(userdata);
}

void guest_request_wake_in(struct guest_request *request, uint64_t usec)
{
	int r = 0;

	if (!request->timer)
		r = timer_new(jobs_loop(request->job->jobs), on_timer, request->job,
			      &request->timer);
	if (r == 0 && (usec == 0 || !timer_is_set(request->timer)))
		r = timer_set(request->timer, usec);
	if (r < 0)
		log_error("no timer: %s may take long", request->job->doing);
}

static void on_fired(void *userdata)
{
	struct guest_request *request = userdata;

	request->changed = true;
	guest_request_wake_in(request, SPACING);
}

static void on_state(void *userdata)
{
	guest_request_wake_in(userdata, 0);
}

void guest_request_begin(struct guest_request *request, struct job *job, struct store *store,
			 const char *word)
{
	if (request->store)
		return;
	request->store = store;
	request->job = job;
	request->word = word;
	snprintf(request->token, sizeof(request->token), "shutdown/%" PRIu32, job->id);
	request->listener = (struct store_listener){
		.token = request->token,
		.state = on_state,
		.fired = on_fired,
		.userdata = request,
	};
	store_listen(store, &request->listener);
}

/* One of another job, or an earlier one of this job, is not waited for any more. */
static void on_done(void *userdata, uint32_t id, enum shutdown_op op, int result,
		    const struct shutdown_found *found)
{
	struct job *job = jobs_find(userdata, id);
	struct guest_request *request = job ? job->data : NULL;

	if (!request || request->connection == 0 || request->op != op)
		return;
	request->connection = 0;
	request->answered = true;
	request->error = result;
	request->found = *found;
	job_wake(job);
}

static int submit(struct guest_request *request, enum shutdown_op op)
{
	const struct shutdown_task task = {
		.op = op,
		.domid = request->job->subject.domid,
		.word = request->word,
		.token = request->token,
		.id = request->job->id,
		.done = op == SHUTDOWN_UNWATCH ? NULL : on_done,
		.userdata = request->job->jobs,
	};

	return shutdown_submit(request->store, &task);
}

/* A task is lost with its connection. */
static bool is_on_its_way(const struct guest_request *request, enum shutdown_op op)
{
	return request->connection != 0 && request->op == op &&
	       store_state(request->store) == STORE_CONNECTED &&
	       store_connection(request->store) == request->connection;
}

int guest_request_do(struct guest_request *request, enum shutdown_op op)
{
	bool answered = request->answered && request->op == op;
	int r;

	request->answered = false;
	/* What fired meanwhile is looked at later. */
	if (answered && request->changed)
		guest_request_wake_in(request, SPACING);
	if (answered)
		return request->error;
	if (is_on_its_way(request, op))
		return -EINPROGRESS;
	request->changed = false;
	r = submit(request, op);
	if (r == 0) {
		request->op = op;
		request->connection = store_connection(request->store);
		if (op == SHUTDOWN_ASK || op == SHUTDOWN_FOLLOW)
			request->watched = request->connection;
	} else if (r != -ENOTCONN) {
		guest_request_wake_in(request, RETRY);
	}
	return -EINPROGRESS;
}

void guest_request_end(struct guest_request *request)
{
	if (!request->store)
		return;
	store_unlisten(request->store, &request->listener);
	if (request->watched == store_connection(request->store) &&
	    store_state(request->store) == STORE_CONNECTED && submit(request, SHUTDOWN_UNWATCH) < 0)
		log_error("out of memory: the watch of %s stays", request->job->doing);
	request->timer = timer_free(request->timer);
	request->store = NULL;
}
