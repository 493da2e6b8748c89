// SPDX-License-Identifier: LGPL-2.1-or-later
/* A thread with orders, and what it has opened for the loop. */
#include "opener.h"

#include <errno.h>
#include <event2/event.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/queue.h>
#include <time.h>

#include "message.h"
#include "ops.h"
#include "util.h"

#define END_SECONDS 2

enum order { ORDER_SERVE, ORDER_CONNECT, ORDER_CLOSE, ORDER_SWEEP };

/* An order, then its result; the loop's but while it is in one of the lists. */
struct opening {
	TAILQ_ENTRY(opening) link;
	enum order order;
	uint32_t domid;
	char path[VCHAN_PATH_SIZE];
	void *vchan;
	opened_t done; /* NULL: its result is thrown away */
	void *userdata;
};

TAILQ_HEAD(opening_list, opening);

struct opener {
	const struct vchan_ops *ops;
	const struct store_ops *store;
	struct event *ready;
	int ready_fd; /* eventfd, for the loop */
	pthread_t thread;
	bool started;

	pthread_mutex_t mutex; /* of what follows */
	pthread_cond_t work;
	struct opening_list orders, results;
	bool ending;
};

static void sweep(const struct opener *opener, const char *path)
{
	void *store = opener->store->open();

	if (!store || (!opener->store->remove(store, path) && errno != ENOENT))
		message(LOG_WARNING, "%s in xenstore cannot be removed: %m", path);
	if (store)
		opener->store->close(store);
}

static void carry_out(const struct opener *opener, struct opening *opening)
{
	switch (opening->order) {
	case ORDER_SERVE:
		opening->vchan = opener->ops->serve(opening->domid, opening->path);
		break;
	case ORDER_CONNECT:
		opening->vchan = opener->ops->connect(opening->domid, opening->path);
		break;
	case ORDER_CLOSE:
		opener->ops->close(opening->vchan);
		opening->vchan = NULL;
		break;
	case ORDER_SWEEP:
		sweep(opener, opening->path);
		break;
	}
}

/* NULL: it is to end, and has closed what was to be closed. */
static struct opening *next_order(struct opener *opener)
{
	struct opening *opening;

	pthread_mutex_lock(&opener->mutex);
	while (!opener->ending && TAILQ_EMPTY(&opener->orders))
		pthread_cond_wait(&opener->work, &opener->mutex);
	opening = TAILQ_FIRST(&opener->orders);
	while (opener->ending && opening && opening->order != ORDER_CLOSE)
		opening = TAILQ_NEXT(opening, link);
	if (opening)
		TAILQ_REMOVE(&opener->orders, opening, link);
	pthread_mutex_unlock(&opener->mutex);
	return opening;
}

static void *run(void *userdata)
{
	struct opener *opener = userdata;
	struct opening *opening;

	while ((opening = next_order(opener))) {
		carry_out(opener, opening);
		pthread_mutex_lock(&opener->mutex);
		TAILQ_INSERT_TAIL(&opener->results, opening, link);
		pthread_mutex_unlock(&opener->mutex);
		if (eventfd_write(opener->ready_fd, 1) < 0)
			message(LOG_ERR, "cannot wake the loop: %m");
	}
	return NULL;
}

static struct opening *take_result(struct opener *opener)
{
	struct opening *opening;

	pthread_mutex_lock(&opener->mutex);
	opening = TAILQ_FIRST(&opener->results);
	if (opening)
		TAILQ_REMOVE(&opener->results, opening, link);
	pthread_mutex_unlock(&opener->mutex);
	return opening;
}

static void on_ready(evutil_socket_t fd, short what, void *userdata)
{
	struct opener *opener = userdata;
	struct opening *opening;
	eventfd_t count;

	(void)eventfd_read(fd, &count);
	while ((opening = take_result(opener))) {
		if (opening->done)
			opening->done(opening->userdata, opening->vchan);
		else if (opening->vchan)
			opener_close(opener, opening->vchan);
		free(opening);
	}
}

static int start(struct opener *opener, struct event_base *base)
{
	opener->ready_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (opener->ready_fd < 0)
		return -errno;
	opener->ready = event_new(base, opener->ready_fd, EV_READ | EV_PERSIST, on_ready, opener);
	if (!opener->ready || event_add(opener->ready, NULL) < 0)
		return -ENOMEM;
	opener->started = pthread_create(&opener->thread, NULL, run, opener) == 0;
	return opener->started ? 0 : -EAGAIN;
}

int opener_new(struct event_base *base, const struct vchan_ops *ops, const struct store_ops *store,
	       struct opener **ret_opener)
{
	struct opener *opener = calloc(1, sizeof(*opener));
	int r;

	if (!opener)
		return -ENOMEM;
	opener->ops = ops;
	opener->store = store;
	opener->ready_fd = -1;
	pthread_mutex_init(&opener->mutex, NULL);
	pthread_cond_init(&opener->work, NULL);
	TAILQ_INIT(&opener->orders);
	TAILQ_INIT(&opener->results);
	r = start(opener, base);
	if (r < 0) {
		opener_free(opener);
		return r;
	}
	*ret_opener = opener;
	return 0;
}

/* False: the thread waits for xenstored, and goes on having its memory. */
static bool end_thread(struct opener *opener)
{
	struct timespec deadline;

	pthread_mutex_lock(&opener->mutex);
	opener->ending = true;
	pthread_cond_signal(&opener->work);
	pthread_mutex_unlock(&opener->mutex);
	clock_gettime(CLOCK_REALTIME, &deadline);
	deadline.tv_sec += END_SECONDS;
	return pthread_timedjoin_np(opener->thread, NULL, &deadline) == 0;
}

static void free_list(struct opener *opener, struct opening_list *list)
{
	struct opening *opening, *next;

	for (opening = TAILQ_FIRST(list); opening; opening = next) {
		next = TAILQ_NEXT(opening, link);
		TAILQ_REMOVE(list, opening, link);
		if (opening->vchan)
			opener->ops->close(opening->vchan);
		free(opening);
	}
}

struct opener *opener_free(struct opener *opener)
{
	if (!opener)
		return NULL;
	if (opener->ready)
		event_free(opener->ready);
	opener->ready = NULL;
	if (opener->started && !end_thread(opener)) {
		message(LOG_WARNING, "xenstored does not answer: left");
		return NULL;
	}
	free_list(opener, &opener->orders);
	free_list(opener, &opener->results);
	closep(&opener->ready_fd);
	pthread_cond_destroy(&opener->work);
	pthread_mutex_destroy(&opener->mutex);
	free(opener);
	return NULL;
}

static void submit(struct opener *opener, struct opening *opening)
{
	pthread_mutex_lock(&opener->mutex);
	TAILQ_INSERT_TAIL(&opener->orders, opening, link);
	pthread_cond_signal(&opener->work);
	pthread_mutex_unlock(&opener->mutex);
}

int opener_open(struct opener *opener, bool serve, uint32_t domid, const char *path, opened_t done,
		void *userdata, struct opening **ret_opening)
{
	struct opening *opening;

	if (strlen(path) >= VCHAN_PATH_SIZE)
		return -ENAMETOOLONG;
	opening = calloc(1, sizeof(*opening));
	if (!opening)
		return -ENOMEM;
	opening->order = serve ? ORDER_SERVE : ORDER_CONNECT;
	opening->domid = domid;
	opening->done = done;
	opening->userdata = userdata;
	memcpy(opening->path, path, strlen(path));
	submit(opener, opening);
	*ret_opening = opening;
	return 0;
}

/* The thread does not look at done. */
void opener_cancel(struct opener *opener, struct opening *opening)
{
	opening->done = NULL;
}

void opener_close(struct opener *opener, void *vchan)
{
	struct opening *opening = calloc(1, sizeof(*opening));

	if (!opening) {
		opener->ops->close(vchan);
		return;
	}
	opening->order = ORDER_CLOSE;
	opening->vchan = vchan;
	submit(opener, opening);
}

int opener_sweep(struct opener *opener, const char *path)
{
	struct opening *opening = calloc(1, sizeof(*opening));

	if (!opening)
		return -ENOMEM;
	opening->order = ORDER_SWEEP;
	snprintf(opening->path, sizeof(opening->path), "%s", path);
	submit(opener, opening);
	return 0;
}
