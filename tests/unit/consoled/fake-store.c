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
#define TEXT	   128

struct node {
	char path[TEXT], value[TEXT];
};

struct watch {
	char path[TEXT], token[TEXT];
};

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static struct node nodes[NR_NODES];
static struct watch watches[NR_WATCHES], fired[NR_NODES * 4];
static unsigned int nr_nodes, nr_watches, nr_fired;
static int fd = -1;
static bool broken;

/* A test has no longer ones. */
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

static void fire(const struct watch *watch, const char *path)
{
	if (nr_fired == sizeof(fired) / sizeof(fired[0]))
		return;
	text(fired[nr_fired].path, "%s", path);
	text(fired[nr_fired++].token, "%s", watch->token);
	assert(eventfd_write(fd, 1) == 0);
}

static void fire_all(const char *path, bool removed)
{
	char full[TEXT];

	for (unsigned int i = 0; i < nr_watches; i++) {
		absolute(watches[i].path, full);
		if (is_below(path, full))
			fire(&watches[i], path);
		else if (removed && is_below(full, path))
			fire(&watches[i], full);
	}
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
	text(node->value, "%s", value);
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
	nr_nodes = nr_watches = nr_fired = 0;
	broken = false;
	if (fd < 0) {
		int low = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);

		fd = fcntl(low, F_DUPFD_CLOEXEC, FAKE_FD);
		close(low);
	}
	pthread_mutex_unlock(&mutex);
	text(self, "%d", FAKE_SELF);
	fake_store_set("/local/domain/1/domid", self);
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
	assert(eventfd_write(fd, 1) == 0);
	pthread_mutex_unlock(&mutex);
}

static bool fails(void)
{
	errno = EPIPE;
	return broken;
}

static void *store_open(void)
{
	return fails() ? NULL : &mutex;
}

static void store_close(void *store)
{
	pthread_mutex_lock(&mutex);
	nr_watches = nr_fired = 0;
	pthread_mutex_unlock(&mutex);
}

static int store_fileno(void *store)
{
	return fd;
}

static bool store_watch(void *store, const char *path, const char *token)
{
	if (fails())
		return false;
	pthread_mutex_lock(&mutex);
	assert(nr_watches < NR_WATCHES);
	text(watches[nr_watches].path, "%s", path);
	text(watches[nr_watches].token, "%s", token);
	fire(&watches[nr_watches++], path);
	pthread_mutex_unlock(&mutex);
	return true;
}

static bool store_unwatch(void *store, const char *path, const char *token)
{
	bool found = false;

	pthread_mutex_lock(&mutex);
	for (unsigned int i = 0; i < nr_watches && !found; i++) {
		found = strcmp(watches[i].path, path) == 0 && strcmp(watches[i].token, token) == 0;
		if (found)
			watches[i] = watches[--nr_watches];
	}
	pthread_mutex_unlock(&mutex);
	errno = ENOENT;
	return found;
}

/* Two strings in one piece of memory, as libxenstore has it. */
static char **store_check_watch(void *store)
{
	struct {
		char *pointers[2];
		struct watch texts;
	} *event = NULL;
	eventfd_t count;

	if (fails())
		return NULL;
	pthread_mutex_lock(&mutex);
	if (nr_fired > 0) {
		event = malloc(sizeof(*event));
		assert(event);
		event->texts = fired[0];
		memmove(fired, fired + 1, --nr_fired * sizeof(fired[0]));
		event->pointers[0] = event->texts.path;
		event->pointers[1] = event->texts.token;
	} else {
		(void)eventfd_read(fd, &count);
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
	char full[TEXT], value[TEXT];

	if (fails())
		return NULL;
	absolute(path, full);
	errno = ENOENT;
	return fake_store_get(full, value, sizeof(value)) ? strdup(value) : NULL;
}

static bool store_write(void *store, uint32_t t, const char *path, const char *value)
{
	char full[TEXT];

	if (fails())
		return false;
	absolute(path, full);
	fake_store_set(full, value);
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
	.transaction_start = store_transaction_start,
	.transaction_end = store_transaction_end,
};
