// SPDX-License-Identifier: LGPL-2.1-or-later
/* Processes the connection in the main loop. */
#include "bus/event-source.h"

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "loop/io.h"
#include "loop/log.h"
#include "loop/loop.h"
#include "loop/timer.h"

/* Time and messages for one turn, so that other sources get theirs. */
#define TURN_USEC (5 * USEC_PER_MSEC)
#define BURST	  32
/* Replies waiting to be written before further requests wait in their turn. */
#define MAX_QUEUED_WRITES 16

struct bus_event {
	struct loop *loop;
	sd_bus *bus;
	struct io *io;
	struct timer *timer;
};

/* The loop only has to wake up: the work is done in prepare(). */
static void on_wakeup(void *userdata)
{
}

static bool writable_now(int fd)
{
	struct pollfd pfd = {.fd = fd, .events = POLLOUT};

	return poll(&pfd, 1, 0) > 0;
}

/* True while nothing may be read, as the answers could not be sent. */
static bool congested(struct bus_event *source)
{
	uint64_t queued = 0;

	if (sd_bus_get_n_queued_write(source->bus, &queued) < 0 || queued <= MAX_QUEUED_WRITES)
		return false;
	return !writable_now(sd_bus_get_fd(source->bus));
}

/* Positive: stopped by the bound, there may be more. */
static int process(struct bus_event *source)
{
	uint64_t end = loop_now() + TURN_USEC;

	for (int n = 0; n < BURST && loop_now() < end; n++) {
		int r;

		if (congested(source))
			return 0;
		r = sd_bus_process(source->bus, NULL);
		if (r <= 0)
			return r;
	}
	return 1;
}

static int arm_io(struct bus_event *source)
{
	int fd = sd_bus_get_fd(source->bus);
	int poll_events = sd_bus_get_events(source->bus);

	if (fd < 0)
		return fd;
	if (poll_events < 0)
		return poll_events;
	return io_set(source->io, fd, (poll_events & POLLIN) && !congested(source),
		      poll_events & POLLOUT);
}

static int arm_timer(struct bus_event *source)
{
	uint64_t at, now;
	int r = sd_bus_get_timeout(source->bus, &at);

	if (r < 0)
		return r;
	/* Nothing is processed before the socket can be written to, which wakes us. */
	if (at == UINT64_MAX || congested(source)) {
		timer_stop(source->timer);
		return 0;
	}
	now = loop_now();
	return timer_set(source->timer, at > now ? at - now + USEC_PER_MSEC : 0);
}

static int prepare(void *userdata)
{
	struct bus_event *source = userdata;
	int more = process(source), r;

	if (more < 0) {
		log_error("the connection to the bus is lost: %s", strerror(-more));
		return more;
	}
	r = arm_io(source);
	if (r >= 0)
		r = arm_timer(source);
	return r < 0 ? r : more;
}

int bus_event_new(struct loop *loop, sd_bus *bus, struct bus_event **ret_source)
{
	struct bus_event *source = calloc(1, sizeof(*source));
	int r;

	if (!source)
		return -ENOMEM;
	source->loop = loop;
	source->bus = bus;
	r = io_new(loop, on_wakeup, source, &source->io);
	if (r == 0)
		r = timer_new(loop, on_wakeup, source, &source->timer);
	if (r == 0)
		r = loop_add_prepare(loop, prepare, source);
	if (r < 0) {
		bus_event_free(source);
		return r;
	}
	*ret_source = source;
	return 0;
}

struct bus_event *bus_event_free(struct bus_event *source)
{
	if (!source)
		return NULL;
	loop_remove_prepare(source->loop, prepare, source);
	io_free(source->io);
	timer_free(source->timer);
	free(source);
	return NULL;
}
