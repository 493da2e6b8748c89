// SPDX-License-Identifier: LGPL-2.1-or-later
/* The thread that runs work that blocks. */
#include "loop/worker.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/eventfd.h>

#include "common/cleanup.h"
#include "loop/io.h"
#include "loop/loop.h"

struct queue {
	struct work *first, **end;
};

struct worker {
	pthread_mutex_t lock; /* of all below it */
	pthread_cond_t wake;
	struct queue todo, done;
	uint64_t since; /* when the present piece of work began; 0: there is none */
	bool freed;
	int event_fd; /* readable: some work is done */

	struct io *io;
	void (*finish)(void *data);
	void *data;
};

static atomic_uint threads;

static void queue_init(struct queue *queue)
{
	queue->first = NULL;
	queue->end = &queue->first;
}

static void queue_add(struct queue *queue, struct work *work)
{
	work->next = NULL;
	*queue->end = work;
	queue->end = &work->next;
}

static struct work *queue_take(struct queue *queue)
{
	struct work *work = queue->first;

	if (!work)
		return NULL;
	queue->first = work->next;
	if (!queue->first)
		queue->end = &queue->first;
	return work;
}

static void queue_clear(struct queue *queue)
{
	struct work *work;

	while ((work = queue_take(queue)))
		work->free(work);
}

/* The thread's side of worker_free(). */
static void destroy(struct worker *worker)
{
	queue_clear(&worker->todo);
	queue_clear(&worker->done);
	closep(&worker->event_fd);
	pthread_cond_destroy(&worker->wake);
	pthread_mutex_destroy(&worker->lock);
	free(worker);
}

/* NULL: the worker has been freed. */
static struct work *next_work(struct worker *worker)
{
	struct work *work = NULL;

	pthread_mutex_lock(&worker->lock);
	while (!worker->freed && !(work = queue_take(&worker->todo)))
		pthread_cond_wait(&worker->wake, &worker->lock);
	if (work)
		worker->since = loop_now();
	pthread_mutex_unlock(&worker->lock);
	return work;
}

static void run_one(struct worker *worker, struct work *work)
{
	work->run(work);
	pthread_mutex_lock(&worker->lock);
	worker->since = 0;
	queue_add(&worker->done, work);
	pthread_mutex_unlock(&worker->lock);
	/*
	 * Without the lock, which the loop would have to wait for once it is awake.
	 * Fails only where the counter would overflow: it is readable then.
	 */
	(void)eventfd_write(worker->event_fd, 1);
}

static void *thread_main(void *userdata)
{
	struct worker *worker = userdata;
	struct work *work;

	while ((work = next_work(worker)))
		run_one(worker, work);
	worker->finish(worker->data);
	destroy(worker);
	atomic_fetch_sub(&threads, 1);
	return NULL;
}

/* What done() submits or frees is no matter: only this pass's work is looked at. */
static void on_done(void *userdata)
{
	struct worker *worker = userdata;
	struct queue done;
	eventfd_t count;
	struct work *work;

	/* -EAGAIN: an earlier pass took it. */
	(void)eventfd_read(worker->event_fd, &count);
	queue_init(&done);
	pthread_mutex_lock(&worker->lock);
	while ((work = queue_take(&worker->done)))
		queue_add(&done, work);
	pthread_mutex_unlock(&worker->lock);
	while ((work = queue_take(&done))) {
		work->done(work);
		work->free(work);
	}
}

static int start_thread(struct worker *worker)
{
	pthread_attr_t attr;
	pthread_t thread;
	int error = pthread_attr_init(&attr);

	if (error > 0)
		return -error;
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	atomic_fetch_add(&threads, 1);
	error = pthread_create(&thread, &attr, thread_main, worker);
	pthread_attr_destroy(&attr);
	if (error > 0)
		atomic_fetch_sub(&threads, 1);
	return -error;
}

int worker_new(struct loop *loop, void (*finish)(void *data), void *data,
	       struct worker **ret_worker)
{
	struct worker *worker = calloc(1, sizeof(*worker));
	int r;

	if (!worker)
		return -ENOMEM;
	pthread_mutex_init(&worker->lock, NULL);
	pthread_cond_init(&worker->wake, NULL);
	queue_init(&worker->todo);
	queue_init(&worker->done);
	worker->finish = finish;
	worker->data = data;
	worker->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	r = worker->event_fd < 0
		    ? -errno
		    : io_new_read(loop, worker->event_fd, on_done, worker, &worker->io);
	if (r == 0)
		r = start_thread(worker);
	if (r < 0) {
		io_free(worker->io);
		destroy(worker);
		return r;
	}
	*ret_worker = worker;
	return 0;
}

struct worker *worker_free(struct worker *worker)
{
	if (!worker)
		return NULL;
	io_free(worker->io);
	pthread_mutex_lock(&worker->lock);
	worker->freed = true;
	pthread_cond_signal(&worker->wake);
	pthread_mutex_unlock(&worker->lock);
	return NULL;
}

void worker_submit(struct worker *worker, struct work *work)
{
	pthread_mutex_lock(&worker->lock);
	queue_add(&worker->todo, work);
	pthread_mutex_unlock(&worker->lock);
	/* Only this thread frees the worker: it is still there. */
	pthread_cond_signal(&worker->wake);
}

uint64_t worker_busy(struct worker *worker)
{
	uint64_t since;

	pthread_mutex_lock(&worker->lock);
	since = worker->since;
	/* The thread has not woken up yet. */
	if (!since && worker->todo.first)
		since = loop_now();
	pthread_mutex_unlock(&worker->lock);
	return since ? loop_now() - since + 1 : 0;
}

unsigned int worker_count(void)
{
	return atomic_load(&threads);
}
