// SPDX-License-Identifier: LGPL-2.1-or-later
/* The steps of the job that renames a domain. */
#include "lifecycle/rename.h"

#include <errno.h>
#include <hyperlaunch/hl.h>
#include <inttypes.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/clock.h"
#include "common/guest-nodes.h"
#include "common/json-write.h"
#include "common/packet.h"
#include "domains/manager.h"
#include "domains/watch.h"
#include "jobs/job.h"
#include "jobs/subject.h"
#include "lifecycle/name.h"
#include "store/client.h"
#include "store/name-nodes.h"

#define WRITE_MAX (10 * USEC_PER_SEC)
#define SHOW_MAX  (5 * USEC_PER_SEC)

struct rename {
	char name[XS_GUEST_NAME_MAX + 1];

	/* Not in the record. */
	uint64_t connection; /* to xenstored, that the task is on its way on; 0: it is not */
	bool answered;
	int error;
};

static struct store *store_of(const struct job *job)
{
	return watch_store(manager_watch(job->context));
}

/* Toolstacks find domains by their names. */
static int check_free(struct job *job)
{
	const struct rename *rename = job->data;
	const struct hl_domain *other;
	int r = hl_table_find_name(manager_table(job->context), rename->name, &other);

	if (r == -ENOTUNIQ)
		return job_fail(job, JOB_ERROR_WRONG_STATE, "several domains have that name");
	if (r == 0 && other->live && other->domid != job->subject.domid)
		return job_fail(job, JOB_ERROR_WRONG_STATE, "domain %" PRIu32 " has that name",
				other->domid);
	return 0;
}

static int check_store(struct job *job)
{
	const struct store *store = store_of(job);

	if (!store)
		return job_fail(job, JOB_ERROR_NOT_SUPPORTED,
				"there is no xenstore, which has the names");
	if (store_state(store) != STORE_CONNECTED && !job->resumed)
		return job_fail(job, JOB_ERROR_FAILED,
				"xenstored, which has the names, does not %s now",
				store_state(store) == STORE_UNRESPONSIVE ? "answer" : "run");
	return 0;
}

static void on_done(void *userdata, uint32_t id, int result)
{
	struct job *job = jobs_find(userdata, id);
	struct rename *rename = job ? job->data : NULL;

	if (!rename)
		return;
	rename->connection = 0;
	rename->answered = true;
	rename->error = result;
	job_wake(job);
}

/* A task is lost with its connection; the next connection is a change that wakes the job. */
static int submit(struct job *job)
{
	struct rename *rename = job->data;
	struct store *store = store_of(job);
	const struct name_task task = {
		.domid = job->subject.domid,
		.name = rename->name,
		.id = job->id,
		.done = on_done,
		.userdata = job->jobs,
	};

	if (rename->connection != 0 && rename->connection == store_connection(store))
		return -EINPROGRESS;
	if (name_submit(store, &task) == 0)
		rename->connection = store_connection(store);
	return -EINPROGRESS;
}

static int check_written(struct job *job, int r)
{
	if (r == -ENOENT)
		return job_fail(job, JOB_ERROR_WRONG_STATE,
				"it has no name in xenstore that could be replaced");
	if (r == -EACCES)
		return job_fail(job, JOB_ERROR_NOT_SUPPORTED,
				"xenstored does not let this domain write its name");
	return r == 0 ? 0
		      : job_fail(job, r == -ENOMEM ? JOB_ERROR_NO_MEMORY : JOB_ERROR_FAILED,
				 "its name cannot be written: %s", strerror(-r));
}

static int run_write(struct job *job, bool again)
{
	const struct rename *rename = job->data;
	const struct hl_domain *domain;
	int r;

	if (!again)
		manager_refresh(job->context);
	r = job_get_domain(job, job->context, &domain);
	if (r == 0 && !again)
		r = check_free(job);
	if (r == 0 && !again)
		r = check_store(job);
	if (r < 0)
		return r;
	if (rename->answered)
		return check_written(job, rename->error);
	if (job->overdue)
		return job_fail(job, JOB_ERROR_TIMEOUT, "xenstored does not answer");
	return submit(job);
}

/* The watch of the node has it read. */
static int run_show(struct job *job, bool again)
{
	const struct rename *rename = job->data;
	const struct hl_domain *domain;
	int r;

	if (job->overdue)
		manager_refresh(job->context);
	r = job_get_domain(job, job->context, &domain);
	if (r < 0)
		return r;
	return strcmp(domain->name, rename->name) == 0 ? 0 : -EINPROGRESS;
}

/* The opposite call takes it back, so there is no undo(). */
static const struct job_step steps[] = {
	{.name = "write", .run = run_write, .deadline = WRITE_MAX},
	{.name = "show", .run = run_show, .deadline = SHOW_MAX},
};

static int save(const struct job *job, json_object *object)
{
	const struct rename *rename = job->data;

	return json_add(object, "name", json_object_new_string(rename->name));
}

static int load(struct job *job, json_object *object)
{
	const char *name;

	if (packet_get_text(object, "name", XS_GUEST_NAME_MAX, &name) < 0 || name_refusal(name))
		return -EINVAL;
	job->data = rename_new(name);
	return job->data ? 0 : -ENOMEM;
}

static const struct job_type type = {
	.kind = RENAME_JOB,
	.steps = steps,
	.nr_steps = ARRAY_SIZE(steps),
	.save = save,
	.load = load,
};

struct rename *rename_new(const char *name)
{
	struct rename *rename = calloc(1, sizeof(*rename));

	if (rename)
		snprintf(rename->name, sizeof(rename->name), "%s", name);
	return rename;
}

int rename_register(struct jobs *jobs, struct manager *manager)
{
	return jobs_register(jobs, &type, manager);
}
