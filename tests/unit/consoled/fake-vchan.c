// SPDX-License-Identifier: LGPL-2.1-or-later
/* Rings in memory, and an eventfd for each end. */
#include "fake-vchan.h"

#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "common/cleanup.h"

#define PAIRS 512
#define SIZE  2048

struct ring {
	uint8_t data[SIZE];
	size_t used, size;
};

struct end {
	struct pair *pair;
	int event;
	bool server;
};

struct pair {
	struct end *ends[2];  /* the server, and the client; NULL: not there */
	struct ring rings[2]; /* to the client, and to the server */
	bool connected;	      /* the client has been there */
	char path[VCHAN_PATH_SIZE];
};

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static struct pair pairs[PAIRS];
static unsigned int nr_open;
static bool refused;

void fake_vchan_refuse(bool refuse)
{
	pthread_mutex_lock(&mutex);
	refused = refuse;
	pthread_mutex_unlock(&mutex);
}

unsigned int fake_vchan_open(void)
{
	unsigned int nr;

	pthread_mutex_lock(&mutex);
	nr = nr_open;
	pthread_mutex_unlock(&mutex);
	return nr;
}

static void notify(const struct end *end)
{
	if (end && eventfd_write(end->event, 1) < 0)
		abort();
}

static struct end *end_new(struct pair *pair, bool server)
{
	struct end *end = calloc(1, sizeof(*end));

	if (!end)
		abort();
	end->pair = pair;
	end->server = server;
	end->event = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	pair->ends[!server] = end;
	nr_open++;
	return end;
}

static struct pair *find(const char *path)
{
	for (size_t i = 0; i < PAIRS; i++)
		if (strcmp(pairs[i].path, path) == 0)
			return &pairs[i];
	return NULL;
}

static void *serve(uint32_t domid, const char *path)
{
	struct pair *pair;
	struct end *end = NULL;

	pthread_mutex_lock(&mutex);
	pair = refused || find(path) ? NULL : find("");
	if (pair) {
		memset(pair, 0, sizeof(*pair));
		memcpy(pair->path, path, strlen(path));
		pair->rings[0].size = FAKE_VCHAN_ROOM;
		pair->rings[1].size = SIZE;
		end = end_new(pair, true);
	}
	pthread_mutex_unlock(&mutex);
	return end;
}

static void *connect_to(uint32_t domid, const char *path)
{
	struct pair *pair;
	struct end *end = NULL;

	pthread_mutex_lock(&mutex);
	pair = refused || path[0] == '\0' ? NULL : find(path);
	if (pair && pair->ends[0] && !pair->connected) {
		end = end_new(pair, false);
		pair->connected = true;
		notify(pair->ends[0]);
	}
	pthread_mutex_unlock(&mutex);
	return end;
}

static void close_end(void *vchan)
{
	struct end *end = vchan;
	struct pair *pair = end->pair;

	pthread_mutex_lock(&mutex);
	pair->ends[!end->server] = NULL;
	notify(pair->ends[end->server]);
	if (!pair->ends[end->server])
		pair->path[0] = '\0';
	nr_open--;
	pthread_mutex_unlock(&mutex);
	close(end->event);
	free(end);
}

static int get_fd(void *vchan)
{
	const struct end *end = vchan;

	return end->event;
}

static int wait_for(void *vchan)
{
	const struct end *end = vchan;
	eventfd_t count;

	return eventfd_read(end->event, &count);
}

static enum vchan_state state_of(const struct end *end)
{
	const struct pair *pair = end->pair;

	if (pair->ends[end->server])
		return VCHAN_OPEN;
	return end->server && !pair->connected ? VCHAN_EXPECTING : VCHAN_CLOSED;
}

static enum vchan_state get_state(void *vchan)
{
	enum vchan_state state;

	pthread_mutex_lock(&mutex);
	state = state_of(vchan);
	pthread_mutex_unlock(&mutex);
	return state;
}

static int read_from(void *vchan, void *data, size_t size)
{
	const struct end *end = vchan;
	struct ring *ring = &end->pair->rings[end->server];
	int n;

	pthread_mutex_lock(&mutex);
	size = size < ring->used ? size : ring->used;
	memcpy(data, ring->data, size);
	ring->used -= size;
	memmove(ring->data, ring->data + size, ring->used);
	n = size == 0 && state_of(end) == VCHAN_CLOSED ? -1 : (int)size;
	if (size > 0)
		notify(end->pair->ends[end->server]);
	pthread_mutex_unlock(&mutex);
	return n;
}

static int write_to(void *vchan, const void *data, size_t size)
{
	const struct end *end = vchan;
	struct ring *ring = &end->pair->rings[!end->server];
	int n = -1;

	pthread_mutex_lock(&mutex);
	if (state_of(end) != VCHAN_CLOSED) {
		size = size < ring->size - ring->used ? size : ring->size - ring->used;
		memcpy(ring->data + ring->used, data, size);
		ring->used += size;
		notify(end->pair->ends[end->server]);
		n = (int)size;
	}
	pthread_mutex_unlock(&mutex);
	return n;
}

static int get_room(void *vchan)
{
	const struct end *end = vchan;
	const struct ring *ring = &end->pair->rings[!end->server];
	int room;

	pthread_mutex_lock(&mutex);
	room = (int)(ring->size - ring->used);
	pthread_mutex_unlock(&mutex);
	return room;
}

const struct vchan_ops fake_vchan_ops = {
	.serve = serve,
	.connect = connect_to,
	.close = close_end,
	.fd = get_fd,
	.wait = wait_for,
	.state = get_state,
	.read = read_from,
	.write = write_to,
	.room = get_room,
};
