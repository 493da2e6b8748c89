// SPDX-License-Identifier: LGPL-2.1-or-later
/* Runs the steps of jobs, and undoes them. */
#include "jobs/job.h"

#include <errno.h>
#include <inttypes.h>
#include <json-c/json.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "common/cleanup.h"
#include "jobs/record.h"
#include "loop/log.h"
#include "loop/loop.h"
#include "loop/timer.h"

#define MAX_JOBS  64
#define MAX_TYPES 16

struct jobs {
	struct loop *loop;
	int dir; /* of the records; -1: none are written */
	struct deferred *start_waiting;
	struct job *first; /* in the order in which they were made */
	uint32_t last_id;
	uint32_t pokes;
	struct {
		const struct job_type *type;
		void *context;
	} types[MAX_TYPES];
	size_t nr_types;
	struct jobs_observer observer;
	bool warned; /* that records cannot be written */
};

const char *job_state_name(enum job_state state)
{
	static const char *const names[] = {
		[JOB_WAITING] = "waiting", [JOB_RUNNING] = "running", [JOB_UNDOING] = "undoing",
		[JOB_DONE] = "done",	   [JOB_FAILED] = "failed",   [JOB_CANCELLED] = "cancelled",
	};

	return names[state];
}

static void job_free(struct job *job)
{
	if (job->type && job->type->clear && job->data)
		job->type->clear(job);
	timer_free(job->deadline);
	free(job->subject.name);
	free(job->data);
	free(job);
}

static bool key_is_free(const struct job *job)
{
	for (const struct job *other = job->jobs->first; other != job; other = other->next)
		if (strcmp(other->key, job->key) == 0)
			return false;
	return true;
}

static void notify_changed(const struct job *job)
{
	const struct jobs_observer *observer = &job->jobs->observer;

	if (observer->changed)
		observer->changed(observer->userdata, job);
}

static void forget_report(struct job *job)
{
	job->stage = "";
	job->percent = 0;
}

static void write_record(struct job *job)
{
	struct jobs *jobs = job->jobs;
	int r = jobs->dir < 0 ? 0 : record_write(jobs->dir, job);

	/* Better done without a record than not at all: on a full /run too a console can be handed
	 * over. */
	if (r < 0 && !jobs->warned)
		log_with(LOG_WARNING, &(const struct log_fields){.job_id = job->id},
			 "cannot record job %" PRIu32
			 ": if hyperlaunchd is killed, it is not continued: %s",
			 job->id, strerror(-r));
	jobs->warned = r < 0;
}

void job_report(struct job *job, const char *stage, uint32_t percent)
{
	job->stage = stage;
	job->percent = percent;
	notify_changed(job);
}

void job_save(struct job *job)
{
	write_record(job);
}

static void unlink_job(struct job *job)
{
	struct job **p = &job->jobs->first;

	while (*p != job)
		p = &(*p)->next;
	*p = job->next;
}

static struct log_fields log_fields_of(const struct job *job, const char *message_id)
{
	return (struct log_fields){
		.message_id = message_id,
		.has_domain = job->subject.domid != HL_NO_DOMID,
		.domid = job->subject.domid,
		.domain_name = job->subject.name,
		.job_id = job->id,
		.job_kind = job->type->kind,
		.has_caller = true,
		.uid = job->uid,
		.pid = job->pid,
	};
}

static void log_end(const struct job *job)
{
	bool done = job->state == JOB_DONE;
	struct log_fields fields = log_fields_of(job, done ? LOG_ID_JOB_DONE : LOG_ID_JOB_FAILED);

	log_with(LOG_NOTICE, &fields, "%s: %s, for uid %" PRIu32 ", pid %" PRIu32 "%s%s",
		 job->doing, job_state_name(job->state), job->uid, job->pid,
		 !done && job->message[0] ? ": " : "", done ? "" : job->message);
}

static void log_continued(const struct job *job)
{
	struct log_fields fields = log_fields_of(job, LOG_ID_JOB_CONTINUED);

	log_with(LOG_NOTICE, &fields, "%s: continued after a restart (%s)", job->doing,
		 job->type->steps[job->step].name);
}

/* About a job of which there is no more than its number. */
#define log_job_error(number, ...) \
	log_with(LOG_ERR, &(const struct log_fields){.job_id = (number)}, __VA_ARGS__)

/* Frees the job. */
static void end(struct job *job, enum job_state state)
{
	struct jobs *jobs = job->jobs;

	job->state = state;
	if (jobs->dir >= 0)
		record_remove(jobs->dir, job->id);
	log_end(job);
	/* While it can still be found. */
	if (jobs->observer.removing)
		jobs->observer.removing(jobs->observer.userdata, job);
	unlink_job(job);
	if (job->ended)
		job->ended(job, job->userdata);
	job_free(job);
	deferred_request(jobs->start_waiting);
}

/* A job from a record had started the recorded step. */
static bool has_started(const struct job *job)
{
	return job->started || job->resumed;
}

static int undo_step(struct job *job)
{
	const struct job_step *step = &job->type->steps[job->step];
	bool again = job->started;
	int r;

	if (!step->undo)
		return 0;
	if (!again) {
		write_record(job);
		job->started = true;
		forget_report(job);
		notify_changed(job);
	}
	job->in_step = true;
	r = step->undo(job, again);
	job->in_step = false;
	job->nr_pokes = job->jobs->pokes;
	return r;
}

/* From this step to the first.  May free the job. */
static void advance_undo(struct job *job)
{
	while (undo_step(job) != -EINPROGRESS) {
		job->started = false;
		if (job->step == 0) {
			end(job, job->outcome);
			return;
		}
		job->step--;
	}
}

/* May free the job. */
static void begin_undo(struct job *job, enum job_state outcome)
{
	bool started = has_started(job);

	timer_stop(job->deadline);
	job->overdue = false;
	if (!started && job->step == 0) {
		end(job, outcome);
		return;
	}
	job->state = JOB_UNDOING;
	job->outcome = outcome;
	job->step -= !started;
	job->started = false;
	advance_undo(job);
}

static int start_deadline(struct job *job, const struct job_step *step)
{
	uint64_t usec = step->get_deadline ? step->get_deadline(job) : step->deadline;

	return usec > 0 ? timer_set(job->deadline, usec) : 0;
}

static int run_step(struct job *job)
{
	const struct job_step *step = &job->type->steps[job->step];
	bool again = job->started;
	int r = 0;

	if (!again) {
		write_record(job);
		job->started = true;
		forget_report(job);
		notify_changed(job);
		r = start_deadline(job, step);
		if (r < 0)
			return job_fail(job, JOB_ERROR_NO_MEMORY, "out of memory");
	}
	job->in_step = true;
	r = step->run(job, again);
	job->in_step = false;
	/* It has seen the newest table. */
	job->nr_pokes = job->jobs->pokes;
	return r;
}

/* May free the job. */
static void advance(struct job *job)
{
	while (job->step < job->type->nr_steps) {
		int r = run_step(job);

		if (r == -EINPROGRESS && !job->overdue)
			return;
		if (r == -EINPROGRESS)
			r = job_fail(job, JOB_ERROR_TIMEOUT, "it took too long (%s)",
				     job->type->steps[job->step].name);
		timer_stop(job->deadline);
		job->overdue = false;
		if (r < 0) {
			begin_undo(job, JOB_FAILED);
			return;
		}
		job->started = false;
		job->step++;
	}
	end(job, JOB_DONE);
}

/* Begins, or goes on.  May free the job. */
static void proceed(struct job *job)
{
	if (job->outcome != JOB_WAITING) {
		job->state = JOB_UNDOING;
		advance_undo(job);
	} else {
		job->state = JOB_RUNNING;
		advance(job);
	}
}

/* Looks once more: what it waits for may have come without being announced. */
static void on_deadline(void *userdata)
{
	struct job *job = userdata;

	job->overdue = true;
	advance(job);
}

static void on_start_waiting(void *userdata)
{
	struct jobs *jobs = userdata;
	struct job *job = jobs->first;

	while (job) {
		if (job->state == JOB_WAITING && key_is_free(job)) {
			proceed(job);
			/* Which may have ended others too. */
			job = jobs->first;
		} else {
			job = job->next;
		}
	}
}

int jobs_new(struct loop *loop, const char *dir, struct jobs **ret_jobs)
{
	struct jobs *jobs = calloc(1, sizeof(*jobs));
	int r;

	if (!jobs)
		return -ENOMEM;
	jobs->loop = loop;
	jobs->dir = dir ? record_open_dir(dir) : -1;
	if (dir && jobs->dir < 0)
		log_warning("jobs are not recorded, and not continued after a restart: %s: %s", dir,
			    strerror(-jobs->dir));
	r = deferred_new(loop, on_start_waiting, jobs, &jobs->start_waiting);
	if (r < 0) {
		jobs_free(jobs);
		return r;
	}
	*ret_jobs = jobs;
	return 0;
}

/* The records stay. */
void jobs_end(struct jobs *jobs)
{
	while (jobs->first) {
		struct job *job = jobs->first;

		jobs->first = job->next;
		(void)job_fail(job, JOB_ERROR_CANCELLED, "hyperlaunchd is ending%s",
			       job->state != JOB_WAITING ? "; the next one continues it" : "");
		if (job->ended)
			job->ended(job, job->userdata);
		job_free(job);
	}
}

struct jobs *jobs_free(struct jobs *jobs)
{
	if (!jobs)
		return NULL;
	jobs_end(jobs);
	deferred_free(jobs->start_waiting);
	closep(&jobs->dir);
	free(jobs);
	return NULL;
}

struct loop *jobs_loop(const struct jobs *jobs)
{
	return jobs->loop;
}

int jobs_register(struct jobs *jobs, const struct job_type *type, void *context)
{
	if (jobs->nr_types == MAX_TYPES)
		return -ENOSPC;
	jobs->types[jobs->nr_types].type = type;
	jobs->types[jobs->nr_types++].context = context;
	return 0;
}

void jobs_observe(struct jobs *jobs, const struct jobs_observer *observer)
{
	jobs->observer = *observer;
}

static int set_type(struct job *job, const char *kind)
{
	const struct jobs *jobs = job->jobs;

	for (size_t i = 0; i < jobs->nr_types; i++) {
		if (strcmp(jobs->types[i].type->kind, kind) != 0)
			continue;
		job->type = jobs->types[i].type;
		job->context = jobs->types[i].context;
		return 0;
	}
	return -EINVAL;
}

static int job_new(struct jobs *jobs, struct job **ret_job)
{
	struct job *job = calloc(1, sizeof(*job));
	int r;

	if (!job)
		return -ENOMEM;
	job->jobs = jobs;
	job->stage = "";
	r = timer_new(jobs->loop, on_deadline, job, &job->deadline);
	if (r < 0) {
		free(job);
		return r;
	}
	*ret_job = job;
	return 0;
}

static void append(struct job *job)
{
	struct job **p = &job->jobs->first;
	const struct jobs_observer *observer = &job->jobs->observer;

	while (*p)
		p = &(*p)->next;
	*p = job;
	if (observer->added)
		observer->added(observer->userdata, job);
}

static int set_step(struct job *job, const char *name)
{
	for (job->step = 0; job->step < job->type->nr_steps; job->step++)
		if (strcmp(job->type->steps[job->step].name, name) == 0)
			return 0;
	return -EINVAL;
}

static int fill_from_record(struct job *job, json_object *object)
{
	struct record_type type;
	int r = record_parse(object, job, &type);

	if (r == 0)
		r = set_type(job, type.kind);
	if (r == 0)
		r = set_step(job, type.step);
	if (r == 0 && job->type->load)
		r = type.data ? job->type->load(job, type.data) : -EINVAL;
	return r;
}

static void resume(void *userdata, uint32_t id, json_object *object)
{
	struct jobs *jobs = userdata;
	struct job *job;
	int r = job_new(jobs, &job);

	if (jobs->last_id < id)
		jobs->last_id = id;
	if (r < 0) {
		log_job_error(id, "cannot continue job %" PRIu32 ": %s", id, strerror(-r));
		return;
	}
	job->id = id;
	job->resumed = true;
	r = fill_from_record(job, object);
	if (r == -EINVAL) {
		log_job_error(id,
			      "the record of job %" PRIu32
			      " is not one of this version: it is removed",
			      id);
		record_remove(jobs->dir, id);
	} else if (r < 0) {
		log_job_error(id, "cannot continue job %" PRIu32 ": %s", id, strerror(-r));
	}
	if (r < 0) {
		job_free(job);
		return;
	}
	log_continued(job);
	append(job);
}

void jobs_resume(struct jobs *jobs)
{
	int r = jobs->dir < 0 ? 0 : record_for_each(jobs->dir, resume, jobs);

	if (r < 0)
		log_error("cannot read the records of jobs: %s", strerror(-r));
	deferred_request(jobs->start_waiting);
}

/* A step that has the domains read again sees the change itself. */
static struct job *next_to_poke(const struct jobs *jobs)
{
	struct job *job = jobs->first;

	while (job && (job->state == JOB_WAITING || !job->started || job->in_step ||
		       job->nr_pokes == jobs->pokes))
		job = job->next;
	if (job)
		job->nr_pokes = jobs->pokes;
	return job;
}

void jobs_poke(struct jobs *jobs)
{
	struct job *job;

	jobs->pokes++;
	while ((job = next_to_poke(jobs)))
		proceed(job);
}

void job_wake(struct job *job)
{
	if (job->state != JOB_WAITING && job->started && !job->in_step)
		proceed(job);
}

static unsigned int count(const struct jobs *jobs)
{
	unsigned int nr = 0;

	for (const struct job *job = jobs->first; job; job = job->next)
		nr++;
	return nr;
}

static int set_subject(struct job *job, const struct job_request *request)
{
	const struct hl_domain *domain = request->domain;
	const char *name = domain ? domain->name : request->name;

	job->subject.domid = domain ? domain->domid : HL_NO_DOMID;
	job->subject.generation = domain ? domain->generation : 0;
	snprintf(job->subject.uuid, sizeof(job->subject.uuid), "%s",
		 domain ? domain->uuid_text : request->uuid);
	if (domain)
		snprintf(job->doing, sizeof(job->doing), "%s domain %" PRIu32 " (%.128s)",
			 request->verb, domain->domid, name);
	else
		snprintf(job->doing, sizeof(job->doing), "%s domain \"%.128s\"", request->verb,
			 name);
	job->subject.name = strdup(name);
	return job->subject.name ? 0 : -ENOMEM;
}

static int fill_from_request(struct job *job, const struct job_request *request)
{
	int r = set_type(job, request->kind);

	snprintf(job->key, sizeof(job->key), "%s", request->key);
	job->uid = request->uid;
	job->pid = request->pid;
	job->ended = request->ended;
	job->userdata = request->userdata;
	return r < 0 ? r : set_subject(job, request);
}

void jobs_discard(struct jobs *jobs, const char *kind, void *data)
{
	struct job job = {.jobs = jobs, .data = data};

	if (set_type(&job, kind) == 0 && job.type->clear && data)
		job.type->clear(&job);
	free(data);
}

int jobs_start(struct jobs *jobs, const struct job_request *request, struct job **ret_job)
{
	struct job *job = NULL;
	uint32_t id;
	int r = count(jobs) < MAX_JOBS ? job_new(jobs, &job) : -EBUSY;

	*ret_job = NULL;
	if (r < 0) {
		jobs_discard(jobs, request->kind, request->data);
		return r;
	}
	job->data = request->data;
	r = fill_from_request(job, request);
	if (r < 0) {
		job_free(job);
		return r;
	}
	id = job->id = ++jobs->last_id;
	append(job);
	if (key_is_free(job)) {
		proceed(job);
	}
	*ret_job = jobs_find(jobs, id);
	return 0;
}

struct job *jobs_first(const struct jobs *jobs)
{
	return jobs->first;
}

struct job *jobs_find(const struct jobs *jobs, uint32_t id)
{
	for (struct job *job = jobs->first; job; job = job->next)
		if (job->id == id)
			return job;
	return NULL;
}

struct job *jobs_find_key(const struct jobs *jobs, const char *key)
{
	for (struct job *job = jobs->first; job; job = job->next)
		if (strcmp(job->key, key) == 0)
			return job;
	return NULL;
}

int job_cancel(struct job *job)
{
	if (job->outcome != JOB_WAITING || (has_started(job) && !job->type->steps[job->step].undo))
		return -EBUSY;
	(void)job_fail(job, JOB_ERROR_CANCELLED, "it was cancelled");
	begin_undo(job, JOB_CANCELLED);
	return 0;
}

int job_fail(struct job *job, enum job_error error, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(job->message, sizeof(job->message), format, args);
	va_end(args);
	job->error = error;
	return -ECANCELED;
}

int job_fail_hypervisor(struct job *job, int r)
{
	job->errnum = r;
	return job_fail(job, JOB_ERROR_HYPERVISOR, "%s", strerror(-r));
}
