// SPDX-License-Identifier: LGPL-2.1-or-later
/* Timers in libevent. */
#include "loop/timer.h"

#include <errno.h>
#include <event2/event.h>
#include <stdlib.h>

#include "common/clock.h"
#include "loop/loop.h"

struct timer {
	struct event *event;
	timer_run_t run;
	void *userdata;
};

static void on_timer(evutil_socket_t fd, short what, void *userdata)
{
	struct timer *timer = userdata;

	timer->run(timer->userdata);
}

int timer_new(struct loop *loop, timer_run_t run, void *userdata, struct timer **ret_timer)
{
	struct timer *timer = calloc(1, sizeof(*timer));

	if (!timer)
		return -ENOMEM;
	timer->run = run;
	timer->userdata = userdata;
	timer->event = evtimer_new(loop_base(loop), on_timer, timer);
	if (!timer->event) {
		free(timer);
		return -ENOMEM;
	}
	*ret_timer = timer;
	return 0;
}

struct timer *timer_free(struct timer *timer)
{
	if (!timer)
		return NULL;
	event_free(timer->event);
	free(timer);
	return NULL;
}

int timer_set(struct timer *timer, uint64_t usec)
{
	struct timeval tv = {
		.tv_sec = (time_t)(usec / USEC_PER_SEC),
		.tv_usec = (suseconds_t)(usec % USEC_PER_SEC),
	};

	return event_add(timer->event, &tv) < 0 ? -ENOMEM : 0;
}

void timer_stop(struct timer *timer)
{
	event_del(timer->event);
}

bool timer_is_set(const struct timer *timer)
{
	return evtimer_pending(timer->event, NULL);
}
