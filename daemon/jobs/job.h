/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What is being done: a job is a sequence of steps, each recorded in a file before
 * it starts, so that a daemon that is killed and started again finishes the job or
 * undoes it.  Jobs with the same key run one after the other.
 */
#ifndef HYPERLAUNCHD_JOBS_JOB_H
#define HYPERLAUNCHD_JOBS_JOB_H

#include <hyperlaunch/hl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct job;
struct jobs;
struct json_object;
struct loop;

enum job_state {
	JOB_WAITING,   /* "waiting": an earlier job has its key */
	JOB_RUNNING,   /* "running" */
	JOB_UNDOING,   /* "undoing": it has failed, or was cancelled; what was done is taken back */
	JOB_DONE,      /* "done" */
	JOB_FAILED,    /* "failed": what could be undone was undone */
	JOB_CANCELLED, /* "cancelled": likewise */
};

const char *job_state_name(enum job_state state);

/* Why a job failed. */
enum job_error {
	JOB_ERROR_NONE,
	JOB_ERROR_NO_SUCH_DOMAIN,
	JOB_ERROR_WRONG_STATE,
	JOB_ERROR_BUSY,
	JOB_ERROR_TIMEOUT,
	JOB_ERROR_CANCELLED,
	JOB_ERROR_NO_MEMORY,
	JOB_ERROR_NOT_SUPPORTED,
	JOB_ERROR_FAILED,     /* for another reason, which the message has */
	JOB_ERROR_HYPERVISOR, /* errnum has the hypervisor's error */
	JOB_ERROR_INVALID_ARGS,
	JOB_NR_ERRORS
};

struct job_step {
	const char *name; /* the stage, in lower case with hyphens */
	/*
	 * Returns 0 when the step is done, -EINPROGRESS to be called again after the
	 * next change of a domain and when the deadline is over (`again` is true then), or the
	 * error that job_fail() returned.  A daemon that was restarted calls the step that was
	 * recorded last once more, with `again` false: a step can be repeated.
	 */
	int (*run)(struct job *job, bool again);
	/*
	 * Of a step that was started, when the job fails or is cancelled.  Returns 0, or
	 * -EINPROGRESS to be called again after the next change of a domain and job_wake(); there
	 * is no deadline.  After a restart it is called once more, as run() is.  NULL: nothing to
	 * undo.
	 */
	int (*undo)(struct job *job, bool again);
	/* Microseconds that the step may take; 0: run() never returns -EINPROGRESS. */
	uint64_t deadline;
	/* The same, where the caller chooses; not 0.  NULL: it does not. */
	uint64_t (*get_deadline)(const struct job *job);
};

struct job_type {
	const char *kind;
	const struct job_step *steps;
	size_t nr_steps;
	/* Writes what the job needs after a restart into `object`, and reads it; -EINVAL: not
	 * readable.  NULL: nothing. */
	int (*save)(const struct job *job, struct json_object *object);
	int (*load)(struct job *job, struct json_object *object);
	/* Ends what refers to the job, before its data is freed.  NULL: nothing does. */
	void (*clear)(struct job *job);
};

/* The domain that a job is about, as it was when the job was made. */
struct job_subject {
	uint32_t domid; /* HL_NO_DOMID: the job makes it */
	uint64_t generation;
	char uuid[HL_UUID_TEXT_SIZE];
	char *name;
};

struct job {
	struct jobs *jobs;
	const struct job_type *type;
	void *context; /* as registered with the type */
	uint32_t id;   /* from 1 on; not used again while the records last */
	struct job_subject subject;
	char key[80];
	char doing[224];   /* such as "release domain 6 (db)" */
	uint32_t uid, pid; /* the caller's; pid 0: not known */
	bool resumed;	   /* from a record: its step may have been done already */
	bool overdue;	   /* the step's deadline is over: this is its last call */
	void *data;	   /* the type's, freed with free() */

	enum job_state state;
	enum job_state
		outcome; /* JOB_FAILED or JOB_CANCELLED: its steps are undone; else JOB_WAITING */
	size_t step;
	/* What the step is at, as job_report() said; "": no more than its name. */
	const char *stage;
	uint32_t percent; /* of the step, likewise */
	bool started;	  /* the first call of the step, or of its undo(), has been made */
	enum job_error error;
	int errnum;	   /* of JOB_ERROR_HYPERVISOR: negative */
	char message[256]; /* why, without the job's own text */

	/* Called once, when the job has ended; the job is freed afterwards.  NULL: nobody waits. */
	void (*ended)(struct job *job, void *userdata);
	void *userdata;

	/* job.c's */
	struct timer *deadline;
	bool in_step;
	uint32_t nr_pokes;
	struct job *next;
};

/* For each change of the jobs; any may be NULL. */
struct jobs_observer {
	void (*added)(void *userdata, const struct job *job);
	void (*changed)(void *userdata, const struct job *job);
	void (*removing)(void *userdata, const struct job *job);
	void *userdata;
};

/* dir: where the records are, made if missing; NULL: nothing is recorded. */
int jobs_new(struct loop *loop, const char *dir, struct jobs **ret_jobs);
/* Ends all jobs: who waits is told that they were cancelled; what was running is continued by the
 * next jobs_resume(). */
void jobs_end(struct jobs *jobs);
struct jobs *jobs_free(struct jobs *jobs);

struct loop *jobs_loop(const struct jobs *jobs);

/* Before jobs_resume().  The type stays the caller's. */
int jobs_register(struct jobs *jobs, const struct job_type *type, void *context);

/* One observer. */
void jobs_observe(struct jobs *jobs, const struct jobs_observer *observer);

/* Continues what the records in the directory say was not finished. */
void jobs_resume(struct jobs *jobs);

/* Domains have changed: jobs that wait for that look again. */
void jobs_poke(struct jobs *jobs);

/* What a step, or its undo(), waits for has come.  It may free the job. */
void job_wake(struct job *job);

/*
 * What the step is at, in place of its own name, and how much of it is done; the text stays the
 * caller's.
 */
void job_report(struct job *job, const char *stage, uint32_t percent);

/* For run() and undo(): the record is written again, as the data has changed. */
void job_save(struct job *job);

struct job_request {
	const char *kind;
	const struct hl_domain *domain; /* NULL: the job makes it: */
	const char *name, *uuid;	/* those that it is to have */
	const char *key;
	const char *verb; /* for job.doing, before the domain's number and name */
	uint32_t uid, pid;
	void *data; /* taken over, also on failure */
	void (*ended)(struct job *job, void *userdata);
	void *userdata;
};

/*
 * Makes a job and starts it if its key is free.  It may have ended when this
 * returns 0, and ended() was called then.  -EBUSY: too many jobs; -ENOMEM.
 * @ret_job: the job while it has not ended, or NULL.
 */
int jobs_start(struct jobs *jobs, const struct job_request *request, struct job **ret_job);

/* Frees the data of a job that is not made. */
void jobs_discard(struct jobs *jobs, const char *kind, void *data);

struct job *jobs_first(const struct jobs *jobs);
struct job *jobs_find(const struct jobs *jobs, uint32_t id);
/* The first one with that key; NULL: none. */
struct job *jobs_find_key(const struct jobs *jobs, const char *key);

/* 0, or -EBUSY: its step cannot be taken back, or is being taken back.  It may free the job. */
int job_cancel(struct job *job);

/* For run(): notes why.  Returns a negative errno. */
int job_fail(struct job *job, enum job_error error, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
int job_fail_hypervisor(struct job *job, int r);

#endif
