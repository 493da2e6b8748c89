/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A job's request to a guest by its node control/shutdown: the tasks on their way, and what has
 * fired.  What comes wakes the job, a guest's own writes at a limited rate.
 */
#ifndef HYPERLAUNCHD_LIFECYCLE_GUEST_REQUEST_H
#define HYPERLAUNCHD_LIFECYCLE_GUEST_REQUEST_H

#include <stdbool.h>
#include <stdint.h>

#include "store/client.h"
#include "store/shutdown-node.h"

struct job;
struct timer;

/* At the beginning of the job's data; all zero at first. */
struct guest_request {
	struct store *store; /* NULL: not begun */
	struct job *job;
	const char *word;
	char token[SHUTDOWN_TOKEN_SIZE];
	struct store_listener listener;
	struct timer *timer;
	enum shutdown_op op;	/* of the last task */
	uint64_t connection;	/* that it is on its way on; 0: it is not */
	uint64_t watched;	/* connection that the node may be watched on; 0: none */
	bool answered, changed; /* the last task is done; the node may have changed since */
	int error;		/* its result */
	struct shutdown_found found;
};

/* No effect from the second time on. */
void guest_request_begin(struct guest_request *request, struct job *job, struct store *store,
			 const char *word);

/* Once begun; no effect before. */
void guest_request_end(struct guest_request *request);

/*
 * Has a task done.  Returns 0: request->found is what it has found; -EINPROGRESS: the job is
 * woken when it is done, or when xenstored is there; or the task's error.
 */
int guest_request_do(struct guest_request *request, enum shutdown_op op);

/* The job is woken after that time. */
void guest_request_wake_in(struct guest_request *request, uint64_t usec);

#endif
