// SPDX-License-Identifier: LGPL-2.1-or-later
/* Copies a log into a pipe, and what is added to it. */
#include "follow.h"

#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "message.h"

#define CHUNK	   16384
#define CHUNKS	   16 /* before others have their turn */
#define MAX_QUEUED (2 * LOG_SEGMENTS)

static const char gap[] = "\n[consoled: part of the log was removed before it was read]\n";

struct follower {
	struct log_dir *dir;
	char name[LOG_NAME_SIZE];
	int pipe;
	struct event *event;
	int files[MAX_QUEUED]; /* the first one is being read */
	size_t nr_files;
	off_t offset;
	bool follow, lost;
	char data[CHUNK]; /* read, and not yet written */
	size_t size, sent;
	void (*ended)(void *userdata, struct follower *follower);
	void *userdata;
};

static void drop_first(struct follower *f)
{
	close(f->files[0]);
	f->nr_files--;
	memmove(f->files, f->files + 1, f->nr_files * sizeof(f->files[0]));
	f->offset = 0;
}

/* Reads the next part.  Returns 1; 0: nothing now; or -ENODATA: nothing will come. */
static int refill(struct follower *f)
{
	if (f->lost) {
		f->lost = false;
		memcpy(f->data, gap, sizeof(gap) - 1);
		f->size = sizeof(gap) - 1;
		f->sent = 0;
		return 1;
	}
	for (;;) {
		ssize_t n =
			f->nr_files ? pread(f->files[0], f->data, sizeof(f->data), f->offset) : 0;

		if (n > 0) {
			f->offset += n;
			f->size = (size_t)n;
			f->sent = 0;
			return 1;
		}
		if (f->nr_files <= 1)
			return f->follow ? 0 : -ENODATA;
		drop_first(f);
	}
}

/* Returns 1: there may be more; 0: it waits; negative: it has ended. */
static int copy(struct follower *f)
{
	ssize_t n;

	if (f->sent == f->size) {
		int r = refill(f);

		if (r <= 0)
			return r;
	}
	n = write(f->pipe, f->data + f->sent, f->size - f->sent);
	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -errno;
	f->sent += (size_t)n;
	return 1;
}

static void on_event(evutil_socket_t fd, short what, void *userdata)
{
	struct follower *f = userdata;
	struct pollfd state = {.fd = f->pipe};
	int r = 1;

	for (int i = 0; i < CHUNKS && r > 0; i++)
		r = copy(f);
	if (r > 0)
		event_active(f->event, EV_WRITE, 0);
	else if (r < 0 || (poll(&state, 1, 0) > 0 && state.revents & POLLERR))
		f->ended(f->userdata, f);
}

static uint64_t size_of(const int *files, size_t nr)
{
	uint64_t size = 0;
	struct stat st;

	for (size_t i = 0; i < nr; i++)
		if (fstat(files[i], &st) == 0)
			size += (uint64_t)st.st_size;
	return size;
}

int follower_new(struct event_base *base, struct log_dir *dir, const char *name, bool follow,
		 void (*ended)(void *userdata, struct follower *follower), void *userdata,
		 struct follower **ret_follower, int *ret_fd, uint64_t *ret_size)
{
	_cleanup_(closep) int reader = -1;
	struct follower *f = calloc(1, sizeof(*f));
	int ends[2];

	if (!f)
		return -ENOMEM;
	f->dir = dir;
	snprintf(f->name, sizeof(f->name), "%s", name);
	f->follow = follow;
	f->ended = ended;
	f->userdata = userdata;
	f->pipe = -1;
	f->nr_files = log_open_segments(dir, name, f->files);
	if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) < 0) {
		int r = -errno;

		follower_free(f);
		return r;
	}
	reader = ends[0];
	f->pipe = ends[1];
	f->event = event_new(base, f->pipe, EV_WRITE | EV_ET | EV_PERSIST, on_event, f);
	/* The reader waits as it likes. */
	if (!f->event || event_add(f->event, NULL) < 0 || fcntl(reader, F_SETFL, 0) < 0) {
		follower_free(f);
		return -ENOMEM;
	}
	*ret_size = size_of(f->files, f->nr_files);
	*ret_fd = steal_fd(&reader);
	*ret_follower = f;
	return 0;
}

struct follower *follower_free(struct follower *f)
{
	if (!f)
		return NULL;
	if (f->event)
		event_free(f->event);
	closep(&f->pipe);
	while (f->nr_files > 0)
		drop_first(f);
	free(f);
	return NULL;
}

static bool is_same_file(int a, int b)
{
	struct stat one, other;

	return fstat(a, &one) == 0 && fstat(b, &other) == 0 && one.st_ino == other.st_ino;
}

/* -1: there is none. */
static int open_newest(struct follower *f)
{
	int fds[LOG_SEGMENTS];
	size_t nr = log_open_segments(f->dir, f->name, fds);

	for (size_t i = 0; i + 1 < nr; i++)
		close(fds[i]);
	return nr > 0 ? fds[nr - 1] : -1;
}

/* One that is too slow loses the oldest files that it has not begun. */
static void add_newest(struct follower *f)
{
	int fd = open_newest(f);

	if (fd < 0)
		return;
	if (f->nr_files > 0 && is_same_file(f->files[f->nr_files - 1], fd)) {
		close(fd);
		return;
	}
	if (f->nr_files == MAX_QUEUED) {
		drop_first(f);
		f->lost = true;
	}
	f->files[f->nr_files++] = fd;
}

void follower_poke(struct follower *f, bool rotated)
{
	if (rotated)
		add_newest(f);
	event_active(f->event, EV_WRITE, 0);
}

/* One that has read on has missed what is new before that. */
void follower_replaced(struct follower *f, uint64_t ino, uint64_t offset, uint64_t length)
{
	size_t last = f->nr_files - 1;
	struct stat st;
	int fd;

	if (f->nr_files == 0 || fstat(f->files[last], &st) < 0 || st.st_ino != ino)
		return;
	fd = open_newest(f);
	if (fd < 0)
		return;
	close(f->files[last]);
	f->files[last] = fd;
	if (last == 0 && (uint64_t)f->offset > offset)
		f->offset += (off_t)length;
}

void follower_finish(struct follower *f)
{
	f->follow = false;
	event_active(f->event, EV_WRITE, 0);
}
