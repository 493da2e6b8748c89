// SPDX-License-Identifier: LGPL-2.1-or-later
#include "bus-event.h"

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdlib.h>

#include "loop.h"
#include "util.h"

/* Messages handled in one turn, so that other sources live. */
#define BURST 32
/* Replies waiting to be written before further requests wait in their turn. */
#define MAX_QUEUED_WRITES 16

struct bus_event {
	struct loop *loop;
	sd_bus *bus;
	struct event *io;
	struct event *timer;
	int fd;
	short events;
};

/* The loop only has to wake up: the work is done in prepare(). */
static void on_wakeup(evutil_socket_t fd, short what, void *userdata)
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
	for (int n = 0; n < BURST; n++) {
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
	short events = EV_PERSIST;

	if (fd < 0)
		return fd;
	if (poll_events < 0)
		return poll_events;
	if ((poll_events & POLLIN) && !congested(source))
		events |= EV_READ;
	if (poll_events & POLLOUT)
		events |= EV_WRITE;
	if (fd == source->fd && events == source->events)
		return 0;
	event_del(source->io);
	if (event_assign(source->io, loop_base(source->loop), fd, events, on_wakeup, source) < 0)
		return -EINVAL;
	source->fd = fd;
	source->events = events;
	return event_add(source->io, NULL) < 0 ? -ENOMEM : 0;
}

static int arm_timer(struct bus_event *source)
{
	uint64_t at, now;
	int r = sd_bus_get_timeout(source->bus, &at);

	if (r < 0)
		return r;
	if (at == UINT64_MAX)
		return event_del(source->timer) < 0 ? -EINVAL : 0;
	now = loop_now();
	return loop_timer_set(source->timer, at > now ? at - now + USEC_PER_MSEC : 0);
}

static int prepare(void *userdata)
{
	struct bus_event *source = userdata;
	int more = process(source), r;

	if (more < 0)
		return more;
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
	source->fd = -1;
	source->io = event_new(loop_base(loop), -1, 0, on_wakeup, source);
	source->timer = evtimer_new(loop_base(loop), on_wakeup, source);
	r = source->io && source->timer ? loop_add_prepare(loop, prepare, source) : -ENOMEM;
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
	if (source->io)
		event_free(source->io);
	if (source->timer)
		event_free(source->timer);
	free(source);
	return NULL;
}
