// SPDX-License-Identifier: LGPL-2.1-or-later
/* File descriptors in libevent. */
#include "loop/io.h"

#include <errno.h>
#include <event2/event.h>
#include <stdlib.h>

#include "loop/loop.h"

struct io {
	struct loop *loop;
	struct event *event;
	io_run_t run;
	void *userdata;
	int fd;
	bool readable, writable;
};

static void on_ready(evutil_socket_t fd, short what, void *userdata)
{
	struct io *io = userdata;

	io->run(io->userdata);
}

int io_new(struct loop *loop, io_run_t run, void *userdata, struct io **ret_io)
{
	struct io *io = calloc(1, sizeof(*io));

	if (!io)
		return -ENOMEM;
	io->loop = loop;
	io->run = run;
	io->userdata = userdata;
	io->fd = -1;
	io->event = event_new(loop_base(loop), -1, 0, on_ready, io);
	if (!io->event) {
		free(io);
		return -ENOMEM;
	}
	*ret_io = io;
	return 0;
}

struct io *io_free(struct io *io)
{
	if (!io)
		return NULL;
	event_free(io->event);
	free(io);
	return NULL;
}

int io_set(struct io *io, int fd, bool readable, bool writable)
{
	short events = EV_PERSIST;

	if (io->fd == fd && io->readable == readable && io->writable == writable)
		return 0;
	event_del(io->event);
	io->fd = fd;
	io->readable = readable;
	io->writable = writable;
	if (!readable && !writable)
		return 0;
	if (readable)
		events |= EV_READ;
	if (writable)
		events |= EV_WRITE;
	if (event_assign(io->event, loop_base(io->loop), fd, events, on_ready, io) < 0)
		return -EINVAL;
	return event_add(io->event, NULL) < 0 ? -ENOMEM : 0;
}

int io_new_read(struct loop *loop, int fd, io_run_t run, void *userdata, struct io **ret_io)
{
	struct io *io;
	int r = io_new(loop, run, userdata, &io);

	if (r < 0)
		return r;
	r = io_set(io, fd, true, false);
	if (r < 0) {
		io_free(io);
		return r;
	}
	*ret_io = io;
	return 0;
}
