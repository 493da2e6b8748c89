// SPDX-License-Identifier: LGPL-2.1-or-later
/* A helper in our own domain, at its socket. */
#include "peers/local.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/packet-socket.h"
#include "common/packet.h"
#include "loop/io.h"

struct local {
	struct carrier carrier;
	char *path;
	int fd; /* -1: no connection */
	struct io *io;
};

static int local_connect(struct carrier *carrier)
{
	struct local *local = (struct local *)carrier;
	int fd = packet_connect(local->path);

	if (fd < 0)
		return fd;
	local->fd = fd;
	return 0;
}

static int local_send(struct carrier *carrier, const char *data, size_t size)
{
	const struct local *local = (struct local *)carrier;

	return packet_send(local->fd, data, size);
}

static ssize_t local_receive(struct carrier *carrier, char *data, size_t size, int *ret_fd)
{
	const struct local *local = (struct local *)carrier;

	return packet_receive(local->fd, data, size, ret_fd);
}

static int local_wait(struct carrier *carrier, bool readable, bool writable)
{
	const struct local *local = (struct local *)carrier;

	return io_set(local->io, local->fd, readable, writable);
}

static void local_close(struct carrier *carrier)
{
	struct local *local = (struct local *)carrier;

	(void)io_set(local->io, -1, false, false);
	closep(&local->fd);
	local->fd = -1;
}

static struct carrier *local_free(struct carrier *carrier)
{
	struct local *local = (struct local *)carrier;

	io_free(local->io);
	closep(&local->fd);
	free(local->path);
	free(local);
	return NULL;
}

static void on_io(void *userdata)
{
	const struct local *local = userdata;

	local->carrier.ready(local->carrier.userdata);
}

int local_new(struct loop *loop, const char *path, struct carrier **ret_carrier)
{
	static const struct carrier_type type = {
		.packet_max = PACKET_MAX,
		.passes_fds = true,
		.connect = local_connect,
		.send = local_send,
		.receive = local_receive,
		.wait = local_wait,
		.close = local_close,
		.free = local_free,
	};
	struct local *local = calloc(1, sizeof(*local));
	int r;

	if (!local)
		return -ENOMEM;
	*local = (struct local){.carrier.type = &type, .path = strdup(path), .fd = -1};
	r = local->path ? io_new(loop, on_io, local, &local->io) : -ENOMEM;
	if (r < 0) {
		free(local->path);
		free(local);
		return r;
	}
	local->carrier.domid = -1;
	local->carrier.where = local->path;
	*ret_carrier = &local->carrier;
	return 0;
}
