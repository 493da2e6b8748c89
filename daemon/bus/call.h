/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Calls that are answered when their job has ended.  A call whose sender leaves the
 * bus is forgotten; a job that nobody waits for any more is cancelled if it has not started.
 */
#ifndef HYPERLAUNCHD_BUS_CALL_H
#define HYPERLAUNCHD_BUS_CALL_H

#include <systemd/sd-bus.h>

#include "bus/error.h"
#include "jobs/job.h"

struct bus;
struct bus_allowed;

struct bus_verb {
	const char *kind; /* of the job */
	const char *verb; /* of the job's text: "release" */
	const char *key;  /* NULL: the domain's own */
	/* Sends the reply to the call of a job that is done; NULL: without results. */
	int (*reply)(struct bus *bus, sd_bus_message *call, const struct job *job);
};

/*
 * For what bus_auth_call() runs: starts the job about the domain of the question.
 * verb: need not outlive the call
 * data: the job's, taken over.  Returns as a method handler does.
 */
int bus_call_start(struct bus *bus, const struct bus_allowed *allowed, const struct bus_verb *verb,
		   void *data, sd_bus_error *error);

/* The same for a job that makes the domain which it is about.  The verb has a key. */
int bus_call_start_new(struct bus *bus, const struct bus_allowed *allowed,
		       const struct bus_verb *verb, const char *name, const char *uuid, void *data,
		       sd_bus_error *error);

/* Has the call answered with another one whose job has not ended. */
int bus_call_join(struct bus *bus, const struct bus_allowed *allowed, const struct bus_verb *verb,
		  struct job *job);

/* Of all but JOB_ERROR_HYPERVISOR. */
enum bus_error bus_call_error_of(enum job_error error);

/* The error of a job that has not been done. */
int bus_call_set_error(sd_bus_error *error, const struct job *job);

#endif
