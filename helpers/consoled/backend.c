// SPDX-License-Identifier: LGPL-2.1-or-later
/* Event channels and granted pages of consoles, and whose turn it is. */
#include "backend.h"

#include <errno.h>
#include <event2/event.h>
#include <poll.h>
#include <string.h>
#include <sys/queue.h>

#include "message.h"
#include "ring.h"
#include "util.h"

#define PERIOD_USEC    (100 * USEC_PER_MSEC)
#define PERIOD_BYTES   (512u * 1024)
#define PERIOD_TURNS   2048u /* with output */
#define PERIOD_EVENTS  64u   /* without any */
#define EVENTS_AT_ONCE 64
#define MAX_PORTS      131072u /* as many as there can be in a domain */

struct channel {
	struct backend *backend;
	TAILQ_ENTRY(channel) link; /* in one of the lists, if queued or waiting */
	const struct channel_ops *ops;
	void *userdata;
	struct ring ring;
	void *page;
	uint32_t port;
	bool queued, waiting;
	uint64_t period; /* when it began */
	uint32_t bytes, turns, events;
};

TAILQ_HEAD(channel_list, channel);

struct backend {
	const struct xen_ops *ops;
	void *evtchn, *gnttab;
	struct event *readable, *turn, *period;
	struct channel **by_port; /* [nr_ports] */
	uint32_t nr_ports;
	struct channel_list queue;   /* have a turn each */
	struct channel_list waiting; /* are beyond their budget */
	bool in_turn;
	struct channel *current; /* NULL once it was closed in its turn */
	void (*stray)(void *userdata);
	void *userdata;
};

/* As a timer, so that the loop looks at descriptors between two turns. */
static void request_turn(struct backend *backend)
{
	const struct timeval now = {.tv_sec = 0};

	if (!event_pending(backend->turn, EV_TIMEOUT, NULL) && event_add(backend->turn, &now) < 0)
		message(LOG_ERR, "no memory for a timer");
}

static void enqueue(struct channel *channel)
{
	struct backend *backend = channel->backend;

	if (channel->queued || channel->waiting)
		return;
	channel->queued = true;
	TAILQ_INSERT_TAIL(&backend->queue, channel, link);
	request_turn(backend);
}

static void dequeue(struct channel *channel)
{
	struct backend *backend = channel->backend;

	if (channel->queued)
		TAILQ_REMOVE(&backend->queue, channel, link);
	if (channel->waiting)
		TAILQ_REMOVE(&backend->waiting, channel, link);
	channel->queued = channel->waiting = false;
}

static void wait_for_period(struct channel *channel)
{
	struct backend *backend = channel->backend;
	struct timeval delay = {.tv_usec = (suseconds_t)PERIOD_USEC};

	channel->waiting = true;
	TAILQ_INSERT_TAIL(&backend->waiting, channel, link);
	if (!event_pending(backend->period, EV_TIMEOUT, NULL) &&
	    event_add(backend->period, &delay) < 0)
		message(LOG_ERR, "no memory for a timer");
}

static bool is_over_budget(struct channel *channel)
{
	uint64_t now = now_usec();

	if (now - channel->period >= PERIOD_USEC) {
		channel->period = now;
		channel->bytes = channel->turns = channel->events = 0;
	}
	return channel->bytes >= PERIOD_BYTES || channel->turns >= PERIOD_TURNS ||
	       channel->events >= PERIOD_EVENTS;
}

static void unmask(struct channel *channel)
{
	struct backend *backend = channel->backend;

	if (backend->ops->evtchn_unmask(backend->evtchn, channel->port) < 0)
		message(LOG_WARNING, "cannot unmask event channel %u: %m", channel->port);
}

static void notify(struct channel *channel)
{
	struct backend *backend = channel->backend;

	if (backend->ops->evtchn_notify(backend->evtchn, channel->port) < 0)
		message(LOG_DEBUG, "cannot send an event to channel %u: %m", channel->port);
}

/* Takes what is in the ring.  Returns its size, or -EBADMSG. */
static int take_output(struct channel *channel)
{
	uint8_t data[RING_OUT_SIZE];
	int size = ring_peek(&channel->ring, data);

	if (size <= 0)
		return size;
	ring_consume(&channel->ring, (uint32_t)size);
	channel->ops->output(channel->userdata, data, (size_t)size, channel->ring.out_cons);
	ring_publish_output(&channel->ring);
	notify(channel);
	return size;
}

/* One turn.  The port is unmasked when nothing is left, and then the next event begins another. */
static void run_turn(struct channel *channel)
{
	struct backend *backend = channel->backend;
	int size;

	if (is_over_budget(channel)) {
		wait_for_period(channel);
		return;
	}
	size = take_output(channel);
	if (size < 0) {
		channel->ops->broken(channel->userdata);
		return;
	}
	channel->bytes += (uint32_t)size;
	channel->turns += size > 0;
	channel->events += size == 0;
	channel->ops->progress(channel->userdata, size > 0);
	if (backend->current != channel)
		return;
	if (size > 0)
		enqueue(channel);
	else
		unmask(channel);
}

static void on_turn(evutil_socket_t fd, short what, void *userdata)
{
	struct backend *backend = userdata;
	struct channel *last = TAILQ_LAST(&backend->queue, channel_list), *channel;

	/* Those that are queued meanwhile come behind the last one, and have the next turn. */
	while ((channel = TAILQ_FIRST(&backend->queue))) {
		bool is_last = channel == last;

		dequeue(channel);
		backend->current = channel;
		run_turn(channel);
		backend->current = NULL;
		if (is_last)
			break;
	}
	if (!TAILQ_EMPTY(&backend->queue))
		request_turn(backend);
}

static void on_period(evutil_socket_t fd, short what, void *userdata)
{
	struct backend *backend = userdata;
	struct channel *channel;

	while ((channel = TAILQ_FIRST(&backend->waiting))) {
		dequeue(channel);
		enqueue(channel);
	}
}

/* A port that an earlier process bound and did not live to record. */
static void release_stray(struct backend *backend, uint32_t port)
{
	message(LOG_NOTICE, "event channel %u belongs to no console: unbound", port);
	if (backend->ops->evtchn_unbind(backend->evtchn, port) < 0)
		message(LOG_WARNING, "cannot unbind event channel %u: %m", port);
	backend->stray(backend->userdata);
}

static void on_readable(evutil_socket_t fd, short what, void *userdata)
{
	struct backend *backend = userdata;
	struct pollfd state = {.fd = fd, .events = POLLIN};

	for (int i = 0; i < EVENTS_AT_ONCE && (i == 0 || poll(&state, 1, 0) > 0); i++) {
		int port = backend->ops->evtchn_pending(backend->evtchn);

		if (port < 0) {
			if (errno != EAGAIN && errno != EINTR)
				message(LOG_ERR, "cannot read event channels: %m");
			return;
		}
		if ((uint32_t)port < backend->nr_ports && backend->by_port[port])
			enqueue(backend->by_port[port]);
		else
			release_stray(backend, (uint32_t)port);
	}
}

static int open_devices(struct backend *backend, int fd)
{
	backend->gnttab = backend->ops->gnttab_open();
	if (!backend->gnttab)
		return -errno;
	backend->evtchn = backend->ops->evtchn_open(fd);
	return backend->evtchn ? 0 : -errno;
}

int backend_new(struct event_base *base, const struct xen_ops *ops, int fd,
		void (*stray)(void *userdata), void *userdata, struct backend **ret_backend)
{
	struct backend *backend = calloc(1, sizeof(*backend));
	int r;

	if (!backend)
		return -ENOMEM;
	backend->ops = ops;
	backend->stray = stray;
	backend->userdata = userdata;
	TAILQ_INIT(&backend->queue);
	TAILQ_INIT(&backend->waiting);
	r = open_devices(backend, fd);
	if (r < 0) {
		backend_free(backend);
		return r;
	}
	backend->readable = event_new(base, ops->evtchn_fd(backend->evtchn), EV_READ | EV_PERSIST,
				      on_readable, backend);
	backend->turn = event_new(base, -1, 0, on_turn, backend);
	backend->period = event_new(base, -1, 0, on_period, backend);
	if (!backend->readable || !backend->turn || !backend->period ||
	    event_add(backend->readable, NULL) < 0) {
		backend_free(backend);
		return -ENOMEM;
	}
	*ret_backend = backend;
	return 0;
}

struct backend *backend_free(struct backend *backend)
{
	if (!backend)
		return NULL;
	if (backend->readable)
		event_free(backend->readable);
	if (backend->turn)
		event_free(backend->turn);
	if (backend->period)
		event_free(backend->period);
	if (backend->evtchn)
		backend->ops->evtchn_close(backend->evtchn);
	if (backend->gnttab)
		backend->ops->gnttab_close(backend->gnttab);
	free(backend->by_port);
	free(backend);
	return NULL;
}

int backend_fd(const struct backend *backend)
{
	return backend->ops->evtchn_fd(backend->evtchn);
}

void backend_unbind(struct backend *backend, uint32_t port)
{
	if (backend->ops->evtchn_unbind(backend->evtchn, port) < 0)
		message(LOG_DEBUG, "cannot unbind event channel %u: %m", port);
}

static int make_room(struct backend *backend, uint32_t port)
{
	uint32_t nr = backend->nr_ports ? backend->nr_ports : 64;
	struct channel **by_port;

	if (port >= MAX_PORTS)
		return -ERANGE;
	while (nr <= port)
		nr *= 2;
	if (nr == backend->nr_ports)
		return 0;
	by_port = realloc(backend->by_port, nr * sizeof(*by_port));
	if (!by_port)
		return -ENOMEM;
	memset(by_port + backend->nr_ports, 0, (nr - backend->nr_ports) * sizeof(*by_port));
	backend->by_port = by_port;
	backend->nr_ports = nr;
	return 0;
}

static int map(struct backend *backend, uint32_t domid, const struct channel_ops *ops,
	       void *userdata, struct channel **ret_channel)
{
	struct channel *channel = calloc(1, sizeof(*channel));

	if (!channel)
		return -ENOMEM;
	channel->backend = backend;
	channel->ops = ops;
	channel->userdata = userdata;
	errno = 0;
	channel->page = backend->ops->gnttab_map(backend->gnttab, domid);
	if (!channel->page) {
		free(channel);
		return errno ? -errno : -EIO;
	}
	*ret_channel = channel;
	return 0;
}

/* Its port is registered, and has a turn at once, as what it has had to say may be there already.
 */
static int start(struct channel *channel, uint32_t port)
{
	int r = make_room(channel->backend, port);

	if (r < 0)
		return r;
	channel->port = port;
	channel->backend->by_port[port] = channel;
	enqueue(channel);
	return 0;
}

int channel_open(struct backend *backend, uint32_t domid, uint32_t remote_port,
		 const struct channel_ops *ops, void *userdata, struct channel **ret_channel)
{
	struct channel *channel = NULL;
	int port, r = map(backend, domid, ops, userdata, &channel);

	if (!channel)
		return r;
	port = backend->ops->evtchn_bind(backend->evtchn, domid, remote_port);
	if (port < 0) {
		r = -errno;
		channel_close(channel);
		return r;
	}
	/* The indices are read after that: until then another back end may have moved them. */
	ring_start(&channel->ring, channel->page);
	r = start(channel, (uint32_t)port);
	if (r < 0) {
		channel->port = (uint32_t)port;
		channel_close(channel);
		return r;
	}
	*ret_channel = channel;
	return 0;
}

int channel_adopt(struct backend *backend, uint32_t domid, uint32_t local_port, uint32_t out_cons,
		  uint32_t in_prod, const struct channel_ops *ops, void *userdata,
		  struct channel **ret_channel)
{
	struct channel *channel = NULL;
	int r = map(backend, domid, ops, userdata, &channel);

	if (!channel)
		return r;
	ring_resume(&channel->ring, channel->page, out_cons, in_prod);
	r = start(channel, local_port);
	if (r < 0) {
		channel_close(channel);
		return r;
	}
	/* What was published may not have been announced. */
	notify(channel);
	*ret_channel = channel;
	return 0;
}

struct channel *channel_leave(struct channel *channel)
{
	struct backend *backend;

	if (!channel)
		return NULL;
	backend = channel->backend;
	dequeue(channel);
	if (backend->current == channel)
		backend->current = NULL;
	if (channel->port != 0 && channel->port < backend->nr_ports)
		backend->by_port[channel->port] = NULL;
	if (backend->ops->gnttab_unmap(backend->gnttab, channel->page) < 0)
		message(LOG_WARNING, "cannot unmap a console: %m");
	free(channel);
	return NULL;
}

struct channel *channel_close(struct channel *channel)
{
	if (channel && channel->port != 0)
		backend_unbind(channel->backend, channel->port);
	return channel_leave(channel);
}

bool channel_drain(struct channel *channel, size_t limit)
{
	size_t taken = 0;
	int size = 0;

	while (taken < limit && (size = take_output(channel)) > 0)
		taken += (size_t)size;
	return size >= 0;
}

uint32_t channel_port(const struct channel *channel)
{
	return channel->port;
}

void channel_indices(const struct channel *channel, uint32_t *ret_out_cons, uint32_t *ret_in_prod)
{
	*ret_out_cons = channel->ring.out_cons;
	*ret_in_prod = channel->ring.in_prod;
}

uint32_t channel_room(const struct channel *channel)
{
	return ring_room(&channel->ring);
}

uint32_t channel_put(struct channel *channel, const uint8_t *data, uint32_t size)
{
	ring_put(&channel->ring, data, size);
	return channel->ring.in_prod;
}

void channel_publish_input(struct channel *channel)
{
	ring_publish_input(&channel->ring);
	notify(channel);
}
