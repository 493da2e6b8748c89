// SPDX-License-Identifier: LGPL-2.1-or-later
/* Queues tasks for the thread that calls libxenstore, and watches their deadlines. */
#include "store/client.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "common/cleanup.h"
#include "common/clock.h"
#include "loop/io.h"
#include "loop/log.h"
#include "loop/loop.h"
#include "loop/timer.h"
#include "loop/worker.h"
#include "store/connect.h"

/* A task is one transaction at most: some hundred requests. */
#define DEADLINE (5 * USEC_PER_SEC)
/* A connection that ends sooner is not made again at once. */
#define SHORT_LIVED (5 * USEC_PER_SEC)
/* Watch events taken in one turn of the loop. */
#define BURST 64
/* Threads that may wait for answers of connections that have been given up. */
#define MAX_THREADS 4

struct store {
	struct loop *loop;
	struct store_events events;
	struct store_listener *listeners, *told; /* told: the next one of the present turn */
	enum store_state state;
	struct xs_connect *connect;
	struct xs_handle *h; /* the worker's to close */
	int socket;	     /* a descriptor of the handle's socket; -1: it has none */
	struct worker *worker;
	uint64_t connection; /* its number: of tasks that outlive theirs */
	uint64_t connected_at;
	struct io *watches;
	struct deferred *drain;
	struct timer *deadline; /* set while there are tasks */
	unsigned int nr_tasks;	/* of this connection that are not done */
	bool logged_missing;
};

/* A task on its way through the worker. */
struct request {
	struct work work;
	struct store *store;
	uint64_t connection;
	struct xs_handle *h;
	struct store_task *task;
	int result;
	bool broken; /* the connection is */
};

int store_last_error(void)
{
	return errno > 0 ? -errno : -EIO;
}

static void set_state(struct store *store, enum store_state state)
{
	if (state == store->state)
		return;
	store->state = state;
	store->events.state(store->events.userdata);
	for (struct store_listener *l = store->listeners; l; l = store->told) {
		store->told = l->next;
		l->state(l->userdata);
	}
}

static struct store_listener *find_listener(const struct store *store, const char *token)
{
	struct store_listener *listener = store->listeners;

	while (listener && strcmp(listener->token, token) != 0)
		listener = listener->next;
	return listener;
}

/* In the worker's thread: what it waited for may have held libxenstore's locks. */
static void close_handle(void *h)
{
	xs_close(h);
}

static void end_connection(struct store *store)
{
	if (store->deadline)
		timer_stop(store->deadline);
	store->watches = io_free(store->watches);
	/* So that nothing waits for an answer any more, and the thread comes to its end. */
	if (store->socket >= 0)
		shutdown(store->socket, SHUT_RDWR);
	closep(&store->socket);
	store->socket = -1;
	store->worker = worker_free(store->worker);
	store->nr_tasks = 0;
	store->h = NULL;
}

/* Again at once, but where that has just been tried. */
static void reconnect(struct store *store)
{
	if (loop_now() - store->connected_at < SHORT_LIVED)
		xs_connect_later(store->connect);
	else
		xs_connect_start(store->connect);
}

static void on_gone(void *userdata)
{
	struct store *store = userdata;

	if (!store->worker)
		return;
	log_with(LOG_WARNING, &(const struct log_fields){.message_id = LOG_ID_XENSTORE_LOST},
		 "the connection to xenstored is lost; waiting for it");
	end_connection(store);
	reconnect(store);
	set_state(store, STORE_UNAVAILABLE);
}

/* libxenstore closes a connection on which it has read nonsense, and does not say so. */
static bool is_broken(struct xs_handle *h)
{
	_cleanup_(freep) void *domid = xs_read(h, XBT_NULL, "domid", NULL);

	return !domid && errno != ENOENT && errno != EACCES;
}

static void request_run(struct work *work)
{
	struct request *request = (struct request *)work;

	request->result = request->task->type->run(request->task, request->h);
	if (request->result < 0)
		request->broken = is_broken(request->h);
}

static void request_done(struct work *work)
{
	struct request *request = (struct request *)work;
	struct store *store = request->store;

	if (store->state != STORE_CONNECTED || request->connection != store->connection)
		return;
	if (--store->nr_tasks == 0)
		timer_stop(store->deadline);
	if (request->broken)
		on_gone(store);
	else if (request->task->type->done)
		request->task->type->done(request->task, request->task->userdata, request->result);
}

static void task_free(struct store_task *task)
{
	if (task->type->free)
		task->type->free(task);
	else
		free(task);
}

static void request_free(struct work *work)
{
	struct request *request = (struct request *)work;

	task_free(request->task);
	free(request);
}

int store_submit(struct store *store, struct store_task *task)
{
	struct request *request = store->worker ? calloc(1, sizeof(*request)) : NULL;

	if (!request) {
		task_free(task);
		return store->worker ? -ENOMEM : -ENOTCONN;
	}
	*request = (struct request){
		.work = {.run = request_run, .done = request_done, .free = request_free},
		.store = store,
		.connection = store->connection,
		.h = store->h,
		.task = task,
	};
	store->nr_tasks++;
	worker_submit(store->worker, &request->work);
	if (!timer_is_set(store->deadline) && timer_set(store->deadline, DEADLINE) < 0)
		log_warning("no timer: a xenstored that hangs will not be noticed");
	return 0;
}

static void on_deadline(void *userdata)
{
	struct store *store = userdata;
	uint64_t busy = worker_busy(store->worker);

	if (busy == 0)
		return;
	if (busy < DEADLINE) {
		if (timer_set(store->deadline, DEADLINE - busy) < 0)
			log_warning("no timer: a xenstored that hangs will not be noticed");
		return;
	}
	log_with(LOG_WARNING,
		 &(const struct log_fields){.message_id = LOG_ID_XENSTORE_UNRESPONSIVE},
		 "xenstored does not answer; waiting for it");
	end_connection(store);
	reconnect(store);
	set_state(store, STORE_UNRESPONSIVE);
}

static void drain_watches(void *userdata)
{
	struct store *store = userdata;

	for (int n = 0; n < BURST && store->h; n++) {
		_cleanup_(freep) char **event = xs_check_watch(store->h);
		struct store_listener *listener;

		if (!event) {
			if (errno != EAGAIN)
				on_gone(store);
			return;
		}
		listener = find_listener(store, event[XS_WATCH_TOKEN]);
		if (listener)
			listener->fired(listener->userdata);
		else
			store->events.fired(store->events.userdata, event[XS_WATCH_PATH],
					    event[XS_WATCH_TOKEN]);
	}
	/* The descriptor need not stay readable for the rest. */
	if (store->h)
		deferred_request(store->drain);
}

static int open_connection(struct store *store, struct xs_handle *h)
{
	int fd = xs_fileno(h), r;

	if (fd < 0)
		return -EIO;
	r = io_new_read(store->loop, fd, drain_watches, store, &store->watches);
	if (r == 0)
		r = worker_new(store->loop, close_handle, h, &store->worker);
	if (r < 0)
		store->watches = io_free(store->watches);
	return r;
}

static void on_connected(void *userdata, struct xs_handle *h, int socket)
{
	struct store *store = userdata;
	int r = worker_count() < MAX_THREADS ? open_connection(store, h) : -EBUSY;

	if (r < 0) {
		log_warning("cannot use xenstored, will try again: %s", strerror(-r));
		closep(&socket);
		xs_close(h);
		xs_connect_later(store->connect);
		return;
	}
	store->h = h;
	store->socket = socket;
	store->connection++;
	store->connected_at = loop_now();
	if (store->logged_missing)
		log_notice("xenstored is there");
	store->logged_missing = false;
	set_state(store, STORE_CONNECTED);
}

static void on_missing(void *userdata, int error)
{
	struct store *store = userdata;

	if (!store->logged_missing && store->state == STORE_UNAVAILABLE)
		log_notice("xenstored is not there yet (%s); domains get their nodes in xenstore "
			   "when it comes",
			   error == EINPROGRESS ? "its domain does not answer" : strerror(error));
	store->logged_missing = true;
	if (error != EINPROGRESS)
		set_state(store, error == ETIMEDOUT ? STORE_UNRESPONSIVE : STORE_UNAVAILABLE);
}

static const struct xs_connect_events connect_events = {
	.connected = on_connected,
	.missing = on_missing,
	.gone = on_gone,
};

int store_new(struct loop *loop, const struct store_events *events, struct store **ret_store)
{
	struct store *store = calloc(1, sizeof(*store));
	int r;

	if (!store)
		return -ENOMEM;
	store->loop = loop;
	store->events = *events;
	store->socket = -1;
	r = deferred_new(loop, drain_watches, store, &store->drain);
	if (r == 0)
		r = timer_new(loop, on_deadline, store, &store->deadline);
	if (r == 0)
		r = xs_connect_new(loop, &connect_events, store, &store->connect);
	if (r < 0) {
		store_free(store);
		return r;
	}
	xs_connect_start(store->connect);
	*ret_store = store;
	return 0;
}

struct store *store_free(struct store *store)
{
	if (!store)
		return NULL;
	xs_connect_free(store->connect);
	end_connection(store);
	deferred_free(store->drain);
	timer_free(store->deadline);
	free(store);
	return NULL;
}

void store_reconnect(struct store *store)
{
	if (!store->worker)
		return;
	end_connection(store);
	xs_connect_later(store->connect);
	set_state(store, STORE_UNAVAILABLE);
}

enum store_state store_state(const struct store *store)
{
	return store->state;
}

uint64_t store_connection(const struct store *store)
{
	return store->connection;
}

void store_listen(struct store *store, struct store_listener *listener)
{
	listener->next = store->listeners;
	store->listeners = listener;
}

void store_unlisten(struct store *store, struct store_listener *listener)
{
	struct store_listener **p = &store->listeners;

	while (*p && *p != listener)
		p = &(*p)->next;
	if (*p)
		*p = listener->next;
	if (store->told == listener)
		store->told = listener->next;
}

void store_allow_device(struct store *store, bool allow)
{
	xs_connect_allow_device(store->connect, allow);
}

static int check_run(struct store_task *task, struct xs_handle *h)
{
	return is_broken(h) ? -EIO : 0;
}

void store_check(struct store *store)
{
	static const struct store_task_type type = {.run = check_run};
	struct store_task *task = store->worker ? calloc(1, sizeof(*task)) : NULL;

	if (!task)
		return;
	task->type = &type;
	(void)store_submit(store, task);
}
