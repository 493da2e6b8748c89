// SPDX-License-Identifier: LGPL-2.1-or-later
/* A channel of common/peer-channel.h in a thread of its own, and its connection in the loop. */
#include "peer-remote.h"

#include <errno.h>
#include <event2/event.h>
#include <inttypes.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>

#include "common/peer-channel.h"
#include "message.h"
#include "ops.h"
#include "util.h"

#define TOKEN	    "peer"
#define RETRY_MS    1000
#define END_SECONDS 2
#define KIND_SIZE   33

/* The connection as the loop has it, one at a time. */
struct remote {
	struct carrier carrier;
	struct remote_listener *listener;
	uint64_t number;
	bool blocked; /* there was no room */
};

struct remote_listener {
	const struct store_ops *ops;
	uint32_t self;
	char kind[KIND_SIZE];
	carrier_accept_t accept;
	void *userdata;
	struct event *ready;
	struct remote *current;
	uint64_t seen; /* number of the last connection that the loop was told of */
	pthread_t thread;
	bool started;

	pthread_mutex_t mutex; /* of what follows */
	struct peer_packets in, out;
	uint64_t number; /* of the connection, from 1; with each one another */
	bool connected;	 /* it is there */
	bool refused;	 /* the loop has ended it */
	bool ending;
	int ready_fd, work_fd; /* eventfds: for the loop, and for the thread */

	/* The thread's. */
	void *store;
	struct peer_channel channel;
	struct peer_packets sending;
	bool dirty;	 /* there may be something to read */
	bool complained; /* of xenstored */
	bool denied;	 /* it was said that nodes cannot be used */
};

static void wake(int fd)
{
	if (eventfd_write(fd, 1) < 0)
		message(LOG_ERR, "cannot wake a thread: %m");
}

/* In the loop */

static int remote_send(struct carrier *carrier, const char *text, int fd)
{
	struct remote *remote = (struct remote *)carrier;
	struct remote_listener *l = remote->listener;
	int r = -ECONNRESET;

	pthread_mutex_lock(&l->mutex);
	if (l->connected && l->number == remote->number)
		r = peer_packets_add(&l->out, text, strlen(text));
	pthread_mutex_unlock(&l->mutex);
	if (r == 0)
		wake(l->work_fd);
	remote->blocked = r == -ENOBUFS;
	return r == -ENOBUFS ? -EAGAIN : r;
}

static ssize_t remote_receive(struct carrier *carrier, char *data, size_t size)
{
	const struct remote *remote = (struct remote *)carrier;
	struct remote_listener *l = remote->listener;
	_cleanup_(freep) char *text = NULL;
	bool here, full;
	size_t length;

	pthread_mutex_lock(&l->mutex);
	here = l->connected && l->number == remote->number;
	full = here && l->in.nr == CHANNEL_WINDOW;
	text = here ? peer_packets_take(&l->in) : NULL;
	pthread_mutex_unlock(&l->mutex);
	if (full)
		wake(l->work_fd);
	if (!text)
		return here ? -EAGAIN : -ECONNRESET;
	length = strlen(text);
	if (length > size)
		return -EBADMSG;
	memcpy(data, text, length);
	return (ssize_t)length;
}

static void remote_free(struct carrier *carrier)
{
	struct remote *remote = (struct remote *)carrier;
	struct remote_listener *l = remote->listener;

	pthread_mutex_lock(&l->mutex);
	if (l->number == remote->number)
		l->refused = true;
	pthread_mutex_unlock(&l->mutex);
	wake(l->work_fd);
	if (l->current == remote)
		l->current = NULL;
	free(remote);
}

static void accept_current(struct remote_listener *l, uint64_t number)
{
	static const struct carrier_type type = {
		.packet_max = CHANNEL_PACKET_MAX,
		.send = remote_send,
		.receive = remote_receive,
		.free = remote_free,
	};
	struct remote *remote = calloc(1, sizeof(*remote));

	if (!remote) {
		message(LOG_ERR, "no memory for a client in another domain");
		return;
	}
	*remote = (struct remote){.carrier.type = &type, .listener = l, .number = number};
	l->current = remote;
	if (!l->accept(l->userdata, &remote->carrier))
		l->current = NULL;
}

static void get_state(struct remote_listener *l, uint64_t *ret_number, bool *ret_connected,
		      unsigned int *ret_in, bool *ret_room)
{
	pthread_mutex_lock(&l->mutex);
	*ret_number = l->number;
	*ret_connected = l->connected;
	*ret_in = l->in.nr;
	*ret_room = l->out.nr < CHANNEL_WINDOW;
	pthread_mutex_unlock(&l->mutex);
}

/* A connection that is over is told by its receive(). */
static void on_ready(evutil_socket_t fd, short what, void *userdata)
{
	struct remote_listener *l = userdata;
	bool connected, room;
	unsigned int in;
	uint64_t number;
	eventfd_t count;

	(void)eventfd_read(fd, &count);
	get_state(l, &number, &connected, &in, &room);
	if (l->current && (!connected || l->current->number != number))
		l->current->carrier.readable(l->current->carrier.userdata);
	if (connected && number != l->seen) {
		l->seen = number;
		accept_current(l, number);
	}
	if (l->current && l->current->blocked && room) {
		l->current->blocked = false;
		l->current->carrier.writable(l->current->carrier.userdata);
	}
	if (l->current && in > 0)
		l->current->carrier.readable(l->current->carrier.userdata);
	/* One at a time: other events have their turn. */
	if (l->current && in > 1)
		wake(l->ready_fd);
}

/* In the thread */

static char *node_read(void *userdata, const char *path)
{
	const struct remote_listener *l = userdata;

	return l->ops->read(l->store, 0, path);
}

static bool node_write(void *userdata, const char *path, const char *value)
{
	const struct remote_listener *l = userdata;

	return l->ops->write(l->store, 0, path, value);
}

static bool node_remove(void *userdata, const char *path)
{
	const struct remote_listener *l = userdata;

	return l->ops->remove(l->store, path);
}

static const struct peer_channel_ops node_ops = {
	.read = node_read,
	.write = node_write,
	.remove = node_remove,
};

static int begin_session(struct remote_listener *l)
{
	pthread_mutex_lock(&l->mutex);
	l->connected = l->refused = false;
	peer_packets_clear(&l->in);
	peer_packets_clear(&l->out);
	pthread_mutex_unlock(&l->mutex);
	peer_packets_clear(&l->sending);
	wake(l->ready_fd);
	return peer_channel_init(&l->channel, CHANNEL_HELPER, l->self, l->kind);
}

/* Returns how many packets the loop can have. */
static unsigned int prepare(struct remote_listener *l, bool *ret_refused)
{
	unsigned int max;

	pthread_mutex_lock(&l->mutex);
	*ret_refused = l->refused && l->connected;
	while (l->out.nr > 0 && l->sending.nr < CHANNEL_WINDOW)
		l->sending.texts[l->sending.nr++] = peer_packets_take(&l->out);
	max = CHANNEL_WINDOW - l->in.nr;
	pthread_mutex_unlock(&l->mutex);
	return max;
}

static void publish(struct remote_listener *l, struct peer_packets *in)
{
	pthread_mutex_lock(&l->mutex);
	if (l->channel.connected && !l->connected) {
		l->connected = true;
		l->refused = false;
		l->number++;
	}
	while (in->nr > 0)
		l->in.texts[l->in.nr++] = peer_packets_take(in);
	pthread_mutex_unlock(&l->mutex);
	wake(l->ready_fd);
}

/* Not an end of the connection to xenstored; one that libxenstore does not know is EINVAL. */
static bool is_denial(int error)
{
	return error == -EACCES || error == -EPERM || error == -ENOSPC || error == -E2BIG ||
	       error == -EINVAL;
}

/* A session that has ended is followed by one that answers what is there now. */
static int end_session(struct remote_listener *l, int error)
{
	bool denied = is_denial(error), begun = l->channel.other[0] != '\0';
	int r;

	if (error == -EBADMSG || error == -EMSGSIZE)
		message(LOG_NOTICE, "a client in another domain breaks the rules: its "
				    "connection is closed");
	else if (denied && !l->denied)
		message(LOG_WARNING, "xenstored refuses the nodes for hyperlaunchd: %s",
			strerror(-error));
	else if (error != -ECONNRESET && !denied)
		return error;
	l->denied = denied;
	r = begin_session(l);
	/* What was refused, or no session at all, is looked at when something has changed. */
	l->dirty = begun && !denied;
	return r;
}

static int exchange(struct remote_listener *l)
{
	struct peer_packets in = {.nr = 0};
	bool refused;
	unsigned int max = prepare(l, &refused);
	int r;

	if (refused)
		return end_session(l, -ECONNRESET);
	l->dirty = false;
	r = peer_channel_exchange(&l->channel, &node_ops, l, max, &l->sending, &in);
	if (r < 0) {
		peer_packets_clear(&in);
		return end_session(l, r);
	}
	/* As many as might be read: there may be more. */
	l->dirty = l->channel.connected && max > 0 && in.nr == max;
	publish(l, &in);
	return 0;
}

static int process_watches(struct remote_listener *l)
{
	for (;;) {
		char **event = l->ops->check_watch(l->store);

		if (!event)
			return errno == EAGAIN || errno == EWOULDBLOCK ? 0 : -errno;
		free(event);
		l->dirty = true;
	}
}

static int connect_store(struct remote_listener *l)
{
	int r = begin_session(l);

	if (r < 0)
		return r;
	l->store = l->ops->open();
	if (!l->store)
		return -errno;
	l->dirty = true;
	return l->ops->watch(l->store, l->channel.dir, TOKEN) ? 0 : -errno;
}

static void disconnect_store(struct remote_listener *l, int error)
{
	if (!l->complained && error != -ECANCELED)
		message(LOG_WARNING, "no connection to xenstored for hyperlaunchd: %s",
			strerror(-error));
	l->complained = true;
	if (l->store)
		l->ops->close(l->store);
	l->store = NULL;
	(void)begin_session(l);
}

static bool is_ending(struct remote_listener *l)
{
	bool ending;

	pthread_mutex_lock(&l->mutex);
	ending = l->ending;
	pthread_mutex_unlock(&l->mutex);
	return ending;
}

static void wait_for_work(struct remote_listener *l)
{
	struct pollfd fds[] = {
		{.fd = l->work_fd, .events = POLLIN},
		{.fd = l->store ? l->ops->fileno(l->store) : -1, .events = POLLIN},
	};
	int timeout = !l->store ? RETRY_MS : l->dirty ? 0 : -1;
	eventfd_t count;

	if (poll(fds, ARRAY_SIZE(fds), timeout) < 0 && errno != EINTR)
		message(LOG_ERR, "cannot wait for xenstore: %m");
	(void)eventfd_read(l->work_fd, &count);
}

static void *run(void *userdata)
{
	struct remote_listener *l = userdata;

	while (!is_ending(l)) {
		int r = l->store ? 0 : connect_store(l);

		if (r == 0)
			r = process_watches(l);
		if (r == 0)
			r = exchange(l);
		if (r < 0)
			disconnect_store(l, r);
		else
			l->complained = false;
		wait_for_work(l);
	}
	/* Of whichever session it was. */
	if (l->store)
		(void)peer_channel_leave(&l->channel, &node_ops, l);
	disconnect_store(l, -ECANCELED);
	return NULL;
}

static int start(struct remote_listener *l, struct event_base *base)
{
	l->ready_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	l->work_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (l->ready_fd < 0 || l->work_fd < 0)
		return -errno;
	l->ready = event_new(base, l->ready_fd, EV_READ | EV_PERSIST, on_ready, l);
	if (!l->ready || event_add(l->ready, NULL) < 0)
		return -ENOMEM;
	l->started = pthread_create(&l->thread, NULL, run, l) == 0;
	return l->started ? 0 : -EAGAIN;
}

int remote_listener_new(struct event_base *base, const struct store_ops *ops, uint32_t self,
			const char *kind, carrier_accept_t accept, void *userdata,
			struct remote_listener **ret_listener)
{
	struct remote_listener *l;
	int r;

	if (strlen(kind) >= KIND_SIZE)
		return -ENAMETOOLONG;
	l = calloc(1, sizeof(*l));
	if (!l)
		return -ENOMEM;
	l->ops = ops;
	l->self = self;
	memcpy(l->kind, kind, strlen(kind));
	l->accept = accept;
	l->userdata = userdata;
	l->ready_fd = l->work_fd = -1;
	pthread_mutex_init(&l->mutex, NULL);
	r = start(l, base);
	if (r < 0) {
		remote_listener_free(l);
		return r;
	}
	*ret_listener = l;
	return 0;
}

/* False: the thread waits for xenstored, and goes on having its memory. */
static bool end_thread(struct remote_listener *l)
{
	struct timespec deadline;

	pthread_mutex_lock(&l->mutex);
	l->ending = true;
	pthread_mutex_unlock(&l->mutex);
	wake(l->work_fd);
	clock_gettime(CLOCK_REALTIME, &deadline);
	deadline.tv_sec += END_SECONDS;
	return pthread_timedjoin_np(l->thread, NULL, &deadline) == 0;
}

struct remote_listener *remote_listener_free(struct remote_listener *l)
{
	if (!l)
		return NULL;
	if (l->ready)
		event_free(l->ready);
	l->ready = NULL;
	if (l->started && !end_thread(l)) {
		message(LOG_WARNING, "xenstored does not answer: left");
		return NULL;
	}
	closep(&l->ready_fd);
	closep(&l->work_fd);
	peer_packets_clear(&l->in);
	peer_packets_clear(&l->out);
	peer_packets_clear(&l->sending);
	pthread_mutex_destroy(&l->mutex);
	free(l);
	return NULL;
}
