// SPDX-License-Identifier: LGPL-2.1-or-later
/* A helper in another domain: a channel of common/peer-channel.h, moved on by tasks of the store.
 */
#include "peers/remote.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xenstore.h>

#include "common/cleanup.h"
#include "common/clock.h"
#include "common/peer-channel.h"
#include "loop/log.h"
#include "loop/loop.h"
#include "loop/timer.h"
#include "store/client.h"

/* Between two looks at what the helper has written, however often it writes. */
#define SPACING (5 * USEC_PER_MSEC)

enum step { STEP_BEGIN, STEP_EXCHANGE, STEP_LEAVE, STEP_REMOVE };

/* What one task does; the remote has nothing of it until it is done. */
struct exchange {
	struct store_task task;
	enum step step;
	struct remote *remote; /* NULL: it does not want the result any more */
	struct peer_channel channel;
	struct peer_packets in, out;
	unsigned int max;
	bool watched;
	uint32_t self, domid;
	char token[CHANNEL_DIR_SIZE];
};

struct remote {
	struct carrier carrier;
	struct store *store;
	struct store_listener listener;
	const char *kind;
	uint32_t self, domid;
	char where[CHANNEL_DIR_SIZE], token[CHANNEL_DIR_SIZE];
	struct peer_channel channel;
	bool wanted;  /* between connect() and close() */
	bool begun;   /* the channel is announced on this connection of the store */
	bool watched; /* on this connection of the store */
	bool dirty;   /* there may be something to read */
	int error;    /* the connection has ended; told after what came before */
	bool told;    /* that there is a connection */
	bool readable, writable;
	struct peer_packets in, out;
	struct exchange *running; /* on the connection of the store with that number: */
	uint64_t connection;
	struct timer *spacing; /* set: it has just been looked */
	struct deferred *ready;
};

static char *node_read(void *store, const char *path)
{
	return xs_read(store, XBT_NULL, path, NULL);
}

static bool node_write(void *store, const char *path, const char *value)
{
	return xs_write(store, XBT_NULL, path, value, (unsigned int)strlen(value));
}

static bool node_remove(void *store, const char *path)
{
	return xs_rm(store, XBT_NULL, path);
}

static const struct peer_channel_ops node_ops = {
	.read = node_read,
	.write = node_write,
	.remove = node_remove,
};

/* A directory of which `owner` may do all, and `reader` read. */
static int make_dir(struct xs_handle *h, const char *path, uint32_t owner, uint32_t reader)
{
	struct xs_permissions perms[] = {
		{.id = owner, .perms = XS_PERM_NONE},
		{.id = reader, .perms = XS_PERM_READ},
	};

	if (!xs_mkdir(h, XBT_NULL, path) ||
	    !xs_set_permissions(h, XBT_NULL, path, perms, owner == reader ? 1 : 2))
		return store_last_error();
	return 0;
}

/*
 * New directories, so that nothing is left in them.  The helper does nothing before it sees the
 * session, which comes last.
 */
static int make_dirs(const struct exchange *exchange, struct xs_handle *h)
{
	uint32_t self = exchange->self, domid = exchange->domid;
	const char *dir = exchange->channel.dir;
	char path[CHANNEL_DIR_SIZE + 16];
	int r;

	if (!xs_rm(h, XBT_NULL, dir) && errno != ENOENT)
		return store_last_error();
	r = make_dir(h, CHANNEL_ROOT, self, self);
	snprintf(path, sizeof(path), CHANNEL_ROOT "/%" PRIu32, domid);
	if (r == 0)
		r = make_dir(h, path, self, domid);
	if (r == 0)
		r = make_dir(h, dir, self, domid);
	snprintf(path, sizeof(path), "%s/client", dir);
	if (r == 0)
		r = make_dir(h, path, self, domid);
	snprintf(path, sizeof(path), "%s/helper", dir);
	return r < 0 ? r : make_dir(h, path, domid, self);
}

/* Once on a connection of the store.  EEXIST: by a task that was given up. */
static int add_watch(struct exchange *exchange, struct xs_handle *h)
{
	char path[CHANNEL_DIR_SIZE + 16];

	snprintf(path, sizeof(path), "%s/helper", exchange->channel.dir);
	if (!exchange->watched && !xs_watch(h, path, exchange->token) && errno != EEXIST)
		return store_last_error();
	exchange->watched = true;
	return 0;
}

static int run_begin(struct exchange *exchange, struct xs_handle *h)
{
	int r = add_watch(exchange, h);

	if (r == 0)
		r = make_dirs(exchange, h);
	return r < 0 ? r : peer_channel_announce(&exchange->channel, &node_ops, h);
}

/* To remove a watch that is not there ends the connection by the kernel's device. */
static int run_remove(const struct exchange *exchange, struct xs_handle *h)
{
	char path[CHANNEL_DIR_SIZE + 16];

	snprintf(path, sizeof(path), "%s/helper", exchange->channel.dir);
	if (exchange->watched && !xs_unwatch(h, path, exchange->token))
		return store_last_error();
	if (!xs_rm(h, XBT_NULL, exchange->channel.dir) && errno != ENOENT)
		return store_last_error();
	return 0;
}

static int exchange_run(struct store_task *task, struct xs_handle *h)
{
	struct exchange *exchange = (struct exchange *)task;

	switch (exchange->step) {
	case STEP_BEGIN:
		return run_begin(exchange, h);
	case STEP_EXCHANGE:
		return peer_channel_exchange(&exchange->channel, &node_ops, h, exchange->max,
					     &exchange->out, &exchange->in);
	case STEP_LEAVE:
		return peer_channel_leave(&exchange->channel, &node_ops, h);
	default:
		return run_remove(exchange, h);
	}
}

static void exchange_free(struct store_task *task)
{
	struct exchange *exchange = (struct exchange *)task;

	peer_packets_clear(&exchange->in);
	peer_packets_clear(&exchange->out);
	free(exchange);
}

static void move_packets(struct peer_packets *from, struct peer_packets *to)
{
	while (from->nr > 0 && to->nr < CHANNEL_WINDOW)
		to->texts[to->nr++] = peer_packets_take(from);
}

static void fail(struct remote *remote, int error)
{
	remote->error = error;
	deferred_request(remote->ready);
}

/* What could not be sent yet is before what has come since. */
static void take_back(struct remote *remote, struct exchange *exchange)
{
	remote->channel = exchange->channel;
	move_packets(&remote->out, &exchange->out);
	move_packets(&exchange->out, &remote->out);
	move_packets(&exchange->in, &remote->in);
}

static void move_on(struct remote *remote);

static void exchange_done(struct store_task *task, void *userdata, int result)
{
	struct exchange *exchange = (struct exchange *)task;
	struct remote *remote = exchange->remote;
	bool full = exchange->in.nr == exchange->max;

	if (!remote)
		return;
	remote->running = NULL;
	remote->watched = exchange->watched;
	take_back(remote, exchange);
	if (result < 0) {
		fail(remote, result);
		return;
	}
	if (exchange->step == STEP_BEGIN)
		remote->begun = remote->dirty = true;
	/* It has read as much as it might: there may be more. */
	if (exchange->step == STEP_EXCHANGE && remote->channel.connected && full)
		remote->dirty = true;
	if (exchange->step == STEP_EXCHANGE && timer_set(remote->spacing, SPACING) < 0)
		log_warning("no timer: a helper in another domain is not slowed down");
	deferred_request(remote->ready);
	move_on(remote);
}

/* Takes over what is to be sent. */
static void submit(struct remote *remote, enum step step)
{
	static const struct store_task_type type = {
		.run = exchange_run, .done = exchange_done, .free = exchange_free};
	struct exchange *exchange = calloc(1, sizeof(*exchange));
	bool awaited = step == STEP_BEGIN || step == STEP_EXCHANGE;

	if (!exchange) {
		if (awaited)
			fail(remote, -ENOMEM);
		return;
	}
	*exchange = (struct exchange){
		.task = {.type = &type},
		.step = step,
		.channel = remote->channel,
		.max = CHANNEL_WINDOW - remote->in.nr,
		.watched = remote->watched,
		.self = remote->self,
		.domid = remote->domid,
	};
	memcpy(exchange->token, remote->token, sizeof(exchange->token));
	if (awaited) {
		exchange->remote = remote;
		move_packets(&remote->out, &exchange->out);
		remote->running = exchange;
		remote->connection = store_connection(remote->store);
	}
	if (store_submit(remote->store, &exchange->task) < 0 && awaited) {
		remote->running = NULL;
		fail(remote, -ECONNRESET);
	}
}

static bool has_work(const struct remote *remote)
{
	if (!remote->channel.connected)
		return remote->dirty;
	if (remote->dirty && remote->in.nr < CHANNEL_WINDOW)
		return true;
	return remote->out.nr > 0 &&
	       remote->channel.sent - remote->channel.acknowledged < CHANNEL_WINDOW;
}

static void move_on(struct remote *remote)
{
	if (!remote->begun || remote->error < 0 || remote->running ||
	    timer_is_set(remote->spacing) || !has_work(remote))
		return;
	remote->dirty = false;
	submit(remote, STEP_EXCHANGE);
}

static void on_spacing(void *userdata)
{
	move_on(userdata);
}

/* The directories, and a session that is announced in them. */
static void begin(struct remote *remote)
{
	int r = peer_channel_init(&remote->channel, CHANNEL_CLIENT, remote->domid, remote->kind);

	if (r < 0)
		fail(remote, r);
	else
		submit(remote, STEP_BEGIN);
}

/* Whatever is on its way.  With a connection of the store its thread frees the tasks, at any time.
 */
static void forget(struct remote *remote)
{
	bool lasts = store_state(remote->store) == STORE_CONNECTED &&
		     store_connection(remote->store) == remote->connection;

	if (remote->running && lasts)
		remote->running->remote = NULL;
	remote->running = NULL;
	remote->begun = remote->dirty = false;
	timer_stop(remote->spacing);
	peer_packets_clear(&remote->in);
	peer_packets_clear(&remote->out);
}

/* With each connection to xenstored a new session begins. */
static void on_state(void *userdata)
{
	struct remote *remote = userdata;
	bool connected = remote->channel.connected;

	forget(remote);
	remote->watched = false;
	if (!remote->wanted || remote->error < 0)
		return;
	if (connected)
		fail(remote, -ECONNRESET);
	else if (store_state(remote->store) == STORE_CONNECTED)
		begin(remote);
}

static void on_fired(void *userdata)
{
	struct remote *remote = userdata;

	remote->dirty = true;
	move_on(remote);
}

static int remote_connect(struct carrier *carrier)
{
	struct remote *remote = (struct remote *)carrier;

	if (!remote->wanted) {
		remote->wanted = true;
		if (store_state(remote->store) == STORE_CONNECTED)
			begin(remote);
		return -EINPROGRESS;
	}
	if (remote->error < 0)
		return remote->error;
	return remote->channel.connected ? 0 : -EINPROGRESS;
}

static unsigned int nr_to_send(const struct remote *remote)
{
	return remote->out.nr + (remote->running ? remote->running->out.nr : 0);
}

static int remote_send(struct carrier *carrier, const char *data, size_t size)
{
	struct remote *remote = (struct remote *)carrier;
	int r;

	if (remote->error < 0)
		return remote->error;
	if (nr_to_send(remote) >= CHANNEL_WINDOW)
		return -EAGAIN;
	r = peer_packets_add(&remote->out, data, size);
	if (r == 0)
		move_on(remote);
	return r;
}

static ssize_t remote_receive(struct carrier *carrier, char *data, size_t size, int *ret_fd)
{
	struct remote *remote = (struct remote *)carrier;
	_cleanup_(freep) char *text = peer_packets_take(&remote->in);
	size_t length;

	*ret_fd = -1;
	if (!text)
		return remote->error < 0 ? remote->error : -EAGAIN;
	length = strlen(text);
	if (length > size)
		return -EMSGSIZE;
	memcpy(data, text, length);
	move_on(remote);
	return (ssize_t)length;
}

static bool is_ready(const struct remote *remote)
{
	if (!remote->wanted)
		return false;
	if (remote->error < 0)
		return true;
	return (remote->readable && remote->in.nr > 0) ||
	       (remote->writable && nr_to_send(remote) < CHANNEL_WINDOW);
}

static int remote_wait(struct carrier *carrier, bool readable, bool writable)
{
	struct remote *remote = (struct remote *)carrier;

	remote->readable = readable;
	remote->writable = writable;
	if (is_ready(remote))
		deferred_request(remote->ready);
	return 0;
}

/* Until there is a connection, for the peer to ask whether there is. */
static void on_ready(void *userdata)
{
	struct remote *remote = userdata;

	if (!remote->wanted || !(is_ready(remote) || (remote->channel.connected && !remote->told)))
		return;
	remote->told = remote->channel.connected;
	remote->carrier.ready(remote->carrier.userdata);
	if (is_ready(remote) && remote->error == 0)
		deferred_request(remote->ready);
}

static void remote_close(struct carrier *carrier)
{
	struct remote *remote = (struct remote *)carrier;
	bool begun = remote->begun;

	forget(remote);
	remote->wanted = remote->told = remote->readable = remote->writable = false;
	remote->error = 0;
	remote->channel.connected = false;
	if (begun)
		submit(remote, STEP_LEAVE);
}

static struct carrier *remote_free(struct carrier *carrier)
{
	struct remote *remote = (struct remote *)carrier;

	forget(remote);
	if (store_state(remote->store) == STORE_CONNECTED)
		submit(remote, STEP_REMOVE);
	store_unlisten(remote->store, &remote->listener);
	timer_free(remote->spacing);
	deferred_free(remote->ready);
	free(remote);
	return NULL;
}

static int start(struct remote *remote, struct loop *loop)
{
	int size = snprintf(remote->token, sizeof(remote->token), "peer/%" PRIu32 "/%s",
			    remote->domid, remote->kind);
	int r = peer_channel_init(&remote->channel, CHANNEL_CLIENT, remote->domid, remote->kind);

	if (size < 0 || (size_t)size >= sizeof(remote->token))
		return -ENAMETOOLONG;
	memcpy(remote->where, remote->channel.dir, sizeof(remote->where));
	if (r == 0)
		r = timer_new(loop, on_spacing, remote, &remote->spacing);
	return r < 0 ? r : deferred_new(loop, on_ready, remote, &remote->ready);
}

int remote_new(struct loop *loop, struct store *store, uint32_t self, uint32_t domid,
	       const char *kind, struct carrier **ret_carrier)
{
	static const struct carrier_type type = {
		.packet_max = CHANNEL_PACKET_MAX,
		.connect = remote_connect,
		.send = remote_send,
		.receive = remote_receive,
		.wait = remote_wait,
		.close = remote_close,
		.free = remote_free,
	};
	struct remote *remote = calloc(1, sizeof(*remote));
	int r;

	if (!remote)
		return -ENOMEM;
	remote->carrier = (struct carrier){.type = &type, .where = remote->where, .domid = domid};
	remote->store = store;
	remote->kind = kind;
	remote->self = self;
	remote->domid = domid;
	remote->listener = (struct store_listener){
		.token = remote->token, .state = on_state, .fired = on_fired, .userdata = remote};
	r = start(remote, loop);
	if (r < 0) {
		timer_free(remote->spacing);
		free(remote);
		return r;
	}
	store_listen(store, &remote->listener);
	*ret_carrier = &remote->carrier;
	return 0;
}
