/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The main loop: libevent, turned one poll at a time, so that each source can
 * be asked before every poll what it waits for.
 */
#ifndef HYPERLAUNCHD_LOOP_LOOP_H
#define HYPERLAUNCHD_LOOP_LOOP_H

#include <stdint.h>

struct event_base;
struct loop;

/*
 * Called before each poll.  0: nothing left to do now; positive: there is, so
 * don't sleep; negative errno: the loop ends with it.
 */
typedef int (*loop_prepare_t)(void *userdata);

/* Runs once, in the turn after it was requested, however often that was. */
struct deferred;
typedef void (*deferred_t)(void *userdata);

/*
 * Also takes over SIGTERM and SIGINT, which end the loop with 0, and ignores
 * SIGPIPE and SIGHUP: call it before anything that starts a thread.
 */
int loop_new(struct loop **ret_loop);
struct loop *loop_free(struct loop *loop);

struct event_base *loop_base(struct loop *loop);

int loop_add_prepare(struct loop *loop, loop_prepare_t prepare, void *userdata);
void loop_remove_prepare(struct loop *loop, loop_prepare_t prepare, void *userdata);

/* Until loop_stop(), a signal, or an error; gives the result. */
int loop_run(struct loop *loop);
void loop_stop(struct loop *loop, int result);

int deferred_new(struct loop *loop, deferred_t run, void *userdata, struct deferred **ret_deferred);
struct deferred *deferred_free(struct deferred *deferred);
void deferred_request(struct deferred *deferred);

/* Microseconds of the monotonic clock. */
uint64_t loop_now(void);

#endif
