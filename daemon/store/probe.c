// SPDX-License-Identifier: LGPL-2.1-or-later
/* Sends one request, and waits for the first byte of its answer. */
#include "store/probe.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <xen/io/xs_wire.h>

#include "common/cleanup.h"
#include "loop/io.h"

struct xs_probe {
	int fd;
	struct io *io;
	xs_probe_done_t done;
	void *userdata;
};

static void on_answer(void *userdata)
{
	struct xs_probe *probe = userdata;
	char byte;
	ssize_t n = read(probe->fd, &byte, 1);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	io_set(probe->io, probe->fd, false, false);
	probe->done(probe->userdata, n == 1);
}

/* Any request will do, and any answer, an error too. */
static int send_request(int fd)
{
	struct {
		struct xsd_sockmsg header;
		char path[sizeof("domid")];
	} __attribute__((packed)) request = {
		.header = {.type = XS_READ, .len = sizeof("domid")},
		.path = "domid",
	};
	ssize_t n = write(fd, &request, sizeof(request));

	if (n < 0)
		return -errno;
	return n == (ssize_t)sizeof(request) ? 0 : -EIO;
}

int xs_probe_new(struct loop *loop, int fd, xs_probe_done_t done, void *userdata,
		 struct xs_probe **ret_probe)
{
	struct xs_probe *probe = calloc(1, sizeof(*probe));
	int r;

	if (!probe) {
		closep(&fd);
		return -ENOMEM;
	}
	probe->fd = fd;
	probe->done = done;
	probe->userdata = userdata;
	r = send_request(fd);
	if (r == 0)
		r = io_new_read(loop, fd, on_answer, probe, &probe->io);
	if (r < 0) {
		xs_probe_free(probe);
		return r;
	}
	*ret_probe = probe;
	return 0;
}

struct xs_probe *xs_probe_free(struct xs_probe *probe)
{
	if (!probe)
		return NULL;
	io_free(probe->io);
	closep(&probe->fd);
	free(probe);
	return NULL;
}

int xs_probe_take(struct xs_probe *probe)
{
	probe->io = io_free(probe->io);
	return steal_fd(&probe->fd);
}
