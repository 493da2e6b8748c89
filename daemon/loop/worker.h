/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One thread with a queue, for a library that blocks.  Work runs in the order in
 * which it was submitted; what is finished comes back to the loop.
 */
#ifndef HYPERLAUNCHD_LOOP_WORKER_H
#define HYPERLAUNCHD_LOOP_WORKER_H

#include <stdint.h>

struct loop;
struct worker;

struct work {
	/* In the thread.  It has the memory of its own work, and nothing else of the daemon's. */
	void (*run)(struct work *work);
	/* In the loop, once it has run. */
	void (*done)(struct work *work);
	/* In the loop after done(), or, of work that the worker was freed with, in either. */
	void (*free)(struct work *work);
	struct work *next; /* the worker's */
};

/* finish: the last thing that the thread does, with `data`; also where it is freed in the middle of
 * its work. */
int worker_new(struct loop *loop, void (*finish)(void *data), void *data,
	       struct worker **ret_worker);

/*
 * Does not wait for what runs: the thread frees the work and itself when that has
 * come to an end.  Of work that is not done by now done() is never called.
 */
struct worker *worker_free(struct worker *worker);

/* Takes `work` over. */
void worker_submit(struct worker *worker, struct work *work);

/* Microseconds that the present piece of work has run for, at least 1; 0: there is none. */
uint64_t worker_busy(struct worker *worker);

/* Threads that there are, those of freed workers that have not come to an end included. */
unsigned int worker_count(void);

#endif
