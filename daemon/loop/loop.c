// SPDX-License-Identifier: LGPL-2.1-or-later
/* Turns libevent's loop, and runs what was put off. */
#include "loop/loop.h"

#include <errno.h>
#include <event2/event.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/signalfd.h>
#include <time.h>

#include "common/cleanup.h"
#include "common/clock.h"
#include "loop/log.h"
#include "loop/timer.h"

#define MAX_PREPARE 8

struct prepare {
	loop_prepare_t run;
	void *userdata;
};

struct loop {
	struct event_base *base;
	struct event *signal_event;
	int signal_fd;
	struct prepare prepare[MAX_PREPARE];
	size_t nr_prepare;
	bool stopped;
	int result;
};

struct deferred {
	struct timer *timer;
};

static void on_signal(evutil_socket_t fd, short what, void *userdata)
{
	struct loop *loop = userdata;
	struct signalfd_siginfo info;

	if (read(fd, &info, sizeof(info)) != (ssize_t)sizeof(info))
		return;
	log_debug("signal %u: ending", info.ssi_signo);
	loop_stop(loop, 0);
}

/*
 * The signals are blocked before libxenstore starts its reader thread, which
 * inherits the mask: they can only come through this descriptor.
 */
static int take_signals(struct loop *loop)
{
	sigset_t mask;

	sigemptyset(&mask);
	sigaddset(&mask, SIGTERM);
	sigaddset(&mask, SIGINT);
	if (sigprocmask(SIG_BLOCK, &mask, NULL) < 0)
		return -errno;
	if (signal(SIGPIPE, SIG_IGN) == SIG_ERR || signal(SIGHUP, SIG_IGN) == SIG_ERR)
		return -errno;
	loop->signal_fd = signalfd(-1, &mask, SFD_CLOEXEC | SFD_NONBLOCK);
	if (loop->signal_fd < 0)
		return -errno;
	loop->signal_event =
		event_new(loop->base, loop->signal_fd, EV_READ | EV_PERSIST, on_signal, loop);
	if (!loop->signal_event || event_add(loop->signal_event, NULL) < 0)
		return -ENOMEM;
	return 0;
}

static struct event_base *new_base(void)
{
	struct event_config *config = event_config_new();
	struct event_base *base;

	if (!config)
		return NULL;
	event_config_set_flag(config, EVENT_BASE_FLAG_NO_CACHE_TIME);
	/* The coarse clock wakes a tick too early, to wait for the rest of it. */
	event_config_set_flag(config, EVENT_BASE_FLAG_PRECISE_TIMER);
	base = event_base_new_with_config(config);
	event_config_free(config);
	return base;
}

int loop_new(struct loop **ret_loop)
{
	struct loop *loop = calloc(1, sizeof(*loop));
	int r;

	if (!loop)
		return -ENOMEM;
	loop->signal_fd = -1;
	loop->base = new_base();
	r = loop->base ? take_signals(loop) : -ENOMEM;
	if (r < 0) {
		loop_free(loop);
		return r;
	}
	*ret_loop = loop;
	return 0;
}

struct loop *loop_free(struct loop *loop)
{
	if (!loop)
		return NULL;
	if (loop->signal_event)
		event_free(loop->signal_event);
	closep(&loop->signal_fd);
	if (loop->base)
		event_base_free(loop->base);
	free(loop);
	return NULL;
}

struct event_base *loop_base(struct loop *loop)
{
	return loop->base;
}

int loop_add_prepare(struct loop *loop, loop_prepare_t prepare, void *userdata)
{
	if (loop->nr_prepare == MAX_PREPARE)
		return -ENOSPC;
	loop->prepare[loop->nr_prepare++] = (struct prepare){prepare, userdata};
	return 0;
}

void loop_remove_prepare(struct loop *loop, loop_prepare_t prepare, void *userdata)
{
	for (size_t i = 0; i < loop->nr_prepare; i++) {
		if (loop->prepare[i].run != prepare || loop->prepare[i].userdata != userdata)
			continue;
		loop->nr_prepare--;
		memmove(&loop->prepare[i], &loop->prepare[i + 1],
			(loop->nr_prepare - i) * sizeof(loop->prepare[0]));
		return;
	}
}

/* Positive: some source has more to do. */
static int run_prepare(struct loop *loop)
{
	int more = 0;

	for (size_t i = 0; i < loop->nr_prepare; i++) {
		int r = loop->prepare[i].run(loop->prepare[i].userdata);

		if (r < 0)
			return r;
		more |= r > 0;
	}
	return more;
}

int loop_run(struct loop *loop)
{
	while (!loop->stopped) {
		int more = run_prepare(loop);

		if (more < 0)
			return more;
		if (loop->stopped)
			break;
		/* Without EVLOOP_ONCE it would go on for as long as anything is ready. */
		if (event_base_loop(loop->base, EVLOOP_ONCE | (more ? EVLOOP_NONBLOCK : 0)) < 0)
			return -EIO;
	}
	return loop->result;
}

void loop_stop(struct loop *loop, int result)
{
	loop->stopped = true;
	loop->result = result;
}

int deferred_new(struct loop *loop, deferred_t run, void *userdata, struct deferred **ret_deferred)
{
	struct deferred *deferred = calloc(1, sizeof(*deferred));
	int r;

	if (!deferred)
		return -ENOMEM;
	r = timer_new(loop, run, userdata, &deferred->timer);
	if (r < 0) {
		free(deferred);
		return r;
	}
	*ret_deferred = deferred;
	return 0;
}

struct deferred *deferred_free(struct deferred *deferred)
{
	if (!deferred)
		return NULL;
	timer_free(deferred->timer);
	free(deferred);
	return NULL;
}

/* By a timer of no length, not event_active(): what a callback requests waits for the next turn. */
void deferred_request(struct deferred *deferred)
{
	if (!timer_is_set(deferred->timer) && timer_set(deferred->timer, 0) < 0)
		log_error("no timer: work that was put off is not done");
}

uint64_t loop_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * USEC_PER_SEC + (uint64_t)ts.tv_nsec / NSEC_PER_USEC;
}
