// SPDX-License-Identifier: LGPL-2.1-or-later
#include "xs-probe.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <xen/io/xs_wire.h>

#include "loop.h"
#include "util.h"

struct xs_probe {
	int fd;
	struct event *event;
	xs_probe_done_t done;
	void *userdata;
};

static void on_answer(evutil_socket_t fd, short what, void *userdata)
{
	struct xs_probe *probe = userdata;
	char byte;
	ssize_t n = read(fd, &byte, 1);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	event_del(probe->event);
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

int xs_probe_new(struct loop *loop, int fd, xs_probe_done_t done, void *userdata, struct xs_probe **ret_probe)
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
	if (r == 0) {
		probe->event = event_new(loop_base(loop), fd, EV_READ | EV_PERSIST, on_answer, probe);
		if (!probe->event || event_add(probe->event, NULL) < 0)
			r = -ENOMEM;
	}
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
	if (probe->event)
		event_free(probe->event);
	closep(&probe->fd);
	free(probe);
	return NULL;
}
