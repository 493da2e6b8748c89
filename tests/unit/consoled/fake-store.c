// SPDX-License-Identifier: LGPL-2.1-or-later
/* xenstored's nodes, in memory. */
#include "fake-store.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "fake-xen.h"

#define NR_NODES   4096
#define NR_WATCHES 512
#define NR_HANDLES 4
#define TEXT	   128
#define VALUE	   4096

struct node {
	char path[TEXT], value[VALUE];
};

struct watch {
	char path[TEXT], token[TEXT];
};

/* A connection, of a thread of its own. */
struct handle {
	bool open;
	struct watch watches[NR_WATCHES], fired[NR_NODES * 4];
	unsigned int nr_watches, nr_fired;
	int fd; /* 0: there was none yet */
};

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static struct node nodes[NR_NODES];
static struct handle handles[NR_HANDLES];
static unsigned int nr_nodes;
static bool broken, deaf;
static char refused[TEXT]; /* below it nothing is ours to read or write */

/* A test has no longer paths. */
static void __attribute__((format(printf, 2, 3))) text(char to[TEXT], const char *format, ...)
{
	va_list args;
	int size;

	va_start(args, format);
	size = vsnprintf(to, TEXT, format, args);
	va_end(args);
	assert(size < TEXT);
}

/* Ours are relative. */
static void absolute(const char *path, char full[TEXT])
{
	if (path[0] == '/')
		text(full, "%s", path);
	else
		text(full, "/local/domain/%d/%s", FAKE_SELF, path);
}

static bool is_below(const char *path, const char *top)
{
	size_t length = strlen(top);

	return strncmp(path, top, length) == 0 && (path[length] == '/' || path[length] == '\0');
}

static void fire(struct handle *handle, const struct watch *watch, const char *path)
{
	if (deaf || handle->nr_fired == sizeof(handle->fired) / sizeof(handle->fired[0]))
		return;
	text(handle->fired[handle->nr_fired].path, "%s", path);
	text(handle->fired[handle->nr_fired++].token, "%s", watch->token);
	assert(eventfd_write(handle->fd, 1) == 0);
}

static void fire_handle(struct handle *handle, const char *path, bool removed)
{
	char full[TEXT];

	for (unsigned int i = 0; i < handle->nr_watches; i++) {
		absolute(handle->watches[i].path, full);
		if (is_below(path, full))
			fire(handle, &handle->watches[i], path);
		else if (removed && is_below(full, path))
			fire(handle, &handle->watches[i], full);
	}
}

static void fire_all(const char *path, bool removed)
{
	for (unsigned int i = 0; i < NR_HANDLES; i++)
		if (handles[i].open)
			fire_handle(&handles[i], path, removed);
}

static struct node *find(const char *path)
{
	for (unsigned int i = 0; i < nr_nodes; i++)
		if (strcmp(nodes[i].path, path) == 0)
			return &nodes[i];
	return NULL;
}

static void set(const char *path, const char *value)
{
	struct node *node = find(path);

	if (!node) {
		assert(nr_nodes < NR_NODES);
		node = &nodes[nr_nodes++];
		text(node->path, "%s", path);
	}
	assert(strlen(value) < sizeof(node->value));
	memcpy(node->value, value, strlen(value) + 1);
	fire_all(path, false);
}

static void take_away(const char *path)
{
	for (unsigned int i = 0; i < nr_nodes;) {
		if (is_below(nodes[i].path, path))
			nodes[i] = nodes[--nr_nodes];
		else
			i++;
	}
	fire_all(path, true);
}

void fake_store_set(const char *path, const char *value)
{
	pthread_mutex_lock(&mutex);
	if (value)
		set(path, value);
	else
		take_away(path);
	pthread_mutex_unlock(&mutex);
}

void fake_store_reset(void)
{
	char self[TEXT];

	pthread_mutex_lock(&mutex);
	nr_nodes = 0;
	for (unsigned int i = 0; i < NR_HANDLES; i++)
		handles[i].nr_watches = handles[i].nr_fired = 0;
	broken = deaf = false;
	refused[0] = '\0';
	pthread_mutex_unlock(&mutex);
	text(self, "%d", FAKE_SELF);
	fake_store_set("/local/domain/1/domid", self);
}

void fake_store_refuse(const char *path)
{
	pthread_mutex_lock(&mutex);
	text(refused, "%s", path ? path : "");
	pthread_mutex_unlock(&mutex);
}

void fake_store_deafen(bool is_deaf)
{
	pthread_mutex_lock(&mutex);
	deaf = is_deaf;
	pthread_mutex_unlock(&mutex);
}

bool fake_store_get(const char *path, char *value, unsigned int size)
{
	struct node *node;

	pthread_mutex_lock(&mutex);
	node = find(path);
	if (node)
		snprintf(value, size, "%s", node->value);
	pthread_mutex_unlock(&mutex);
	return node;
}

void fake_store_add_guest(uint32_t domid, const char *uuid)
{
	char path[TEXT], value[TEXT];
	const char *const entries[][2] = {
		{"type", "xenconsoled"},
		{"tty", ""},
		{"port", "7"},
		{"ring-ref", "4711"},
	};

	if (uuid) {
		text(path, "/local/domain/%" PRIu32 "/vm", domid);
		text(value, "/vm/%s", uuid);
		fake_store_set(path, value);
	}
	for (size_t i = 0; i < sizeof(entries) / sizeof(entries[0]); i++) {
		text(path, "/local/domain/%" PRIu32 "/console/%s", domid, entries[i][0]);
		fake_store_set(path, entries[i][1]);
	}
	text(path, "/local/domain/1/backend/console/%" PRIu32 "/0/frontend-id", domid);
	text(value, "%" PRIu32, domid);
	fake_store_set(path, value);
}

void fake_store_remove_guest(uint32_t domid)
{
	char path[TEXT];

	text(path, "/local/domain/%" PRIu32, domid);
	fake_store_set(path, NULL);
	text(path, "/local/domain/1/backend/console/%" PRIu32, domid);
	fake_store_set(path, NULL);
}

void fake_store_break(bool is_broken)
{
	pthread_mutex_lock(&mutex);
	broken = is_broken;
	for (unsigned int i = 0; i < NR_HANDLES; i++)
		if (handles[i].open)
			assert(eventfd_write(handles[i].fd, 1) == 0);
	pthread_mutex_unlock(&mutex);
}

static bool fails(void)
{
	errno = EPIPE;
	return broken;
}

/* errno is set where it is. */
static bool is_refused(const char *full)
{
	bool found;

	pthread_mutex_lock(&mutex);
	found = refused[0] != '\0' && is_below(full, refused);
	pthread_mutex_unlock(&mutex);
	if (found)
		errno = EACCES;
	return found;
}

static void *store_open(void)
{
	struct handle *handle = handles;

	if (fails())
		return NULL;
	pthread_mutex_lock(&mutex);
	while (handle->open)
		handle++;
	assert(handle < handles + NR_HANDLES);
	if (handle->fd == 0) {
		int low = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);

		handle->fd = fcntl(low, F_DUPFD_CLOEXEC, FAKE_FD);
		close(low);
	}
	handle->open = true;
	handle->nr_watches = handle->nr_fired = 0;
	pthread_mutex_unlock(&mutex);
	return handle;
}

static void store_close(void *store)
{
	struct handle *handle = store;

	pthread_mutex_lock(&mutex);
	handle->open = false;
	pthread_mutex_unlock(&mutex);
}

static int store_fileno(void *store)
{
	const struct handle *handle = store;

	return handle->fd;
}

static bool store_watch(void *store, const char *path, const char *token)
{
	struct handle *handle = store;
	struct watch *watch;

	if (fails())
		return false;
	pthread_mutex_lock(&mutex);
	assert(handle->nr_watches < NR_WATCHES);
	watch = &handle->watches[handle->nr_watches++];
	text(watch->path, "%s", path);
	text(watch->token, "%s", token);
	fire(handle, watch, path);
	pthread_mutex_unlock(&mutex);
	return true;
}

static bool store_unwatch(void *store, const char *path, const char *token)
{
	struct handle *handle = store;
	bool found = false;

	pthread_mutex_lock(&mutex);
	for (unsigned int i = 0; i < handle->nr_watches && !found; i++) {
		const struct watch *watch = &handle->watches[i];

		found = strcmp(watch->path, path) == 0 && strcmp(watch->token, token) == 0;
		if (found)
			handle->watches[i] = handle->watches[--handle->nr_watches];
	}
	pthread_mutex_unlock(&mutex);
	errno = ENOENT;
	return found;
}

/* Two strings in one piece of memory, as libxenstore has it. */
static char **store_check_watch(void *store)
{
	struct handle *handle = store;
	struct {
		char *pointers[2];
		struct watch texts;
	} *event = NULL;
	eventfd_t count;

	if (fails())
		return NULL;
	pthread_mutex_lock(&mutex);
	if (handle->nr_fired > 0) {
		event = malloc(sizeof(*event));
		assert(event);
		event->texts = handle->fired[0];
		memmove(handle->fired, handle->fired + 1,
			--handle->nr_fired * sizeof(handle->fired[0]));
		event->pointers[0] = event->texts.path;
		event->pointers[1] = event->texts.token;
	} else {
		(void)eventfd_read(handle->fd, &count);
	}
	pthread_mutex_unlock(&mutex);
	errno = EAGAIN;
	return (char **)event;
}

static char **store_directory(void *store, const char *path, unsigned int *ret_nr)
{
	char full[TEXT];
	char(*names)[TEXT];
	char **list;
	unsigned int nr = 0;

	if (fails())
		return NULL;
	absolute(path, full);
	pthread_mutex_lock(&mutex);
	list = calloc(1, nr_nodes * (sizeof(*list) + TEXT) + 1);
	assert(list);
	names = (void *)(list + nr_nodes);
	for (unsigned int i = 0; i < nr_nodes; i++) {
		char name[TEXT];
		bool known = false;

		if (!is_below(nodes[i].path, full) || !nodes[i].path[strlen(full)])
			continue;
		text(name, "%s", nodes[i].path + strlen(full) + 1);
		name[strcspn(name, "/")] = '\0';
		for (unsigned int j = 0; j < nr; j++)
			known = known || strcmp(names[j], name) == 0;
		if (known)
			continue;
		memcpy(names[nr], name, sizeof(name));
		list[nr] = names[nr];
		nr++;
	}
	pthread_mutex_unlock(&mutex);
	if (nr == 0) {
		free(list);
		list = NULL;
		errno = ENOENT;
	}
	*ret_nr = nr;
	return list;
}

static char *store_read(void *store, uint32_t t, const char *path)
{
	char full[TEXT], value[VALUE];

	if (fails())
		return NULL;
	absolute(path, full);
	if (is_refused(full))
		return NULL;
	errno = ENOENT;
	return fake_store_get(full, value, sizeof(value)) ? strdup(value) : NULL;
}

static bool store_write(void *store, uint32_t t, const char *path, const char *value)
{
	char full[TEXT];

	if (fails())
		return false;
	absolute(path, full);
	if (is_refused(full))
		return false;
	fake_store_set(full, value);
	return true;
}

static bool store_remove(void *store, const char *path)
{
	char full[TEXT];

	if (fails())
		return false;
	absolute(path, full);
	if (is_refused(full))
		return false;
	fake_store_set(full, NULL);
	return true;
}

static uint32_t store_transaction_start(void *store)
{
	return fails() ? 0 : 1;
}

static bool store_transaction_end(void *store, uint32_t t, bool abort)
{
	return !fails();
}

const struct store_ops fake_store_ops = {
	.open = store_open,
	.close = store_close,
	.fileno = store_fileno,
	.watch = store_watch,
	.unwatch = store_unwatch,
	.check_watch = store_check_watch,
	.directory = store_directory,
	.read = store_read,
	.write = store_write,
	.remove = store_remove,
	.transaction_start = store_transaction_start,
	.transaction_end = store_transaction_end,
};
