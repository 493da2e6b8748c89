// SPDX-License-Identifier: LGPL-2.1-or-later
/* libxenvchan below vchan.h. */
#include "vchan.h"

#include <libxenvchan.h>

/* Both rings fit into the one shared page then, and no other side can name more pages. */
#define TO_US	1024
#define FROM_US 2048

/* The library leaves this one as it finds it. */
static void *not_blocking(struct libxenvchan *vchan)
{
	if (vchan)
		vchan->blocking = 0;
	return vchan;
}

/* Of the client, who has more to tell. */
static void *serve(uint32_t domid, const char *path)
{
	return not_blocking(libxenvchan_server_init(NULL, (int)domid, path, FROM_US, TO_US));
}

static void *connect_to(uint32_t domid, const char *path)
{
	return not_blocking(libxenvchan_client_init(NULL, (int)domid, path));
}

static void close_vchan(void *vchan)
{
	libxenvchan_close(vchan);
}

static int get_fd(void *vchan)
{
	return libxenvchan_fd_for_select(vchan);
}

static int wait_for(void *vchan)
{
	return libxenvchan_wait(vchan);
}

static enum vchan_state get_state(void *vchan)
{
	switch (libxenvchan_is_open(vchan)) {
	case 1:
		return VCHAN_OPEN;
	case 2:
		return VCHAN_EXPECTING;
	default:
		return VCHAN_CLOSED;
	}
}

static int read_from(void *vchan, void *data, size_t size)
{
	return libxenvchan_read(vchan, data, size);
}

static int write_to(void *vchan, const void *data, size_t size)
{
	return libxenvchan_write(vchan, data, size);
}

static int get_room(void *vchan)
{
	return libxenvchan_buffer_space(vchan);
}

const struct vchan_ops vchan_ops_real = {
	.serve = serve,
	.connect = connect_to,
	.close = close_vchan,
	.fd = get_fd,
	.wait = wait_for,
	.state = get_state,
	.read = read_from,
	.write = write_to,
	.room = get_room,
};
