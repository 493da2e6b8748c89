// SPDX-License-Identifier: LGPL-2.1-or-later
/* libxenvchan below vchan.h. */
#include "vchan.h"

#include <errno.h>
#include <inttypes.h>
#include <libxenvchan.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xenstore.h>

#include "util.h"

/*
 * Both rings are in the one shared page, at these places of <xen/io/libxenvchan.h>, so that no
 * other side can name more pages.  The client has more to tell.
 */
#define TO_US_ORDER    11
#define TO_US_PLACE    2048
#define FROM_US_ORDER  10
#define FROM_US_PLACE  1024
#define CLIENT_IS_AWAY 2

/* Shares the page and a port.  Returns the grant, or -errno. */
static int share(struct libxenvchan *vchan, uint32_t domid)
{
	uint32_t ref;
	int port;

	vchan->event = xenevtchn_open(NULL, 0);
	vchan->gntshr = xengntshr_open(NULL, 0);
	if (!vchan->event || !vchan->gntshr)
		return -errno;
	port = xenevtchn_bind_unbound_port(vchan->event, domid);
	if (port < 0)
		return -errno;
	vchan->event_port = (uint32_t)port;
	vchan->ring = xengntshr_share_page_notify(vchan->gntshr, domid, &ref, 1,
						  offsetof(struct vchan_interface, srv_live),
						  vchan->event_port);
	if (!vchan->ring || xenevtchn_unmask(vchan->event, vchan->event_port) < 0)
		return -errno;
	return (int)ref;
}

static void set_up_rings(struct libxenvchan *vchan)
{
	struct vchan_interface *page = vchan->ring;

	memset(page, 0, 4096);
	page->left_order = TO_US_ORDER;
	page->right_order = FROM_US_ORDER;
	page->cli_live = CLIENT_IS_AWAY;
	page->srv_live = 1;
	page->cli_notify = VCHAN_NOTIFY_WRITE;
	vchan->read = (struct libxenvchan_ring){
		.shr = &page->left, .buffer = (char *)page + TO_US_PLACE, .order = TO_US_ORDER};
	vchan->write = (struct libxenvchan_ring){.shr = &page->right,
						 .buffer = (char *)page + FROM_US_PLACE,
						 .order = FROM_US_ORDER};
}

static bool write_number(struct xs_handle *h, const char *dir, const char *name, uint32_t domid,
			 uint32_t number)
{
	struct xs_permissions perms[] = {
		{.id = 0, .perms = XS_PERM_NONE},
		{.id = domid, .perms = XS_PERM_READ},
	};
	_cleanup_(freep) struct xs_permissions *ours = NULL;
	char path[VCHAN_PATH_SIZE + 16], text[16];
	unsigned int nr;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	snprintf(text, sizeof(text), "%" PRIu32, number);
	if (!xs_write(h, XBT_NULL, path, text, (unsigned int)strlen(text)))
		return false;
	ours = xs_get_permissions(h, XBT_NULL, path, &nr);
	if (!ours || nr == 0)
		return false;
	perms[0].id = ours[0].id;
	return xs_set_permissions(h, XBT_NULL, path, perms, ARRAY_SIZE(perms));
}

/* The client is told the path when all of it is there. */
static bool publish(const struct libxenvchan *vchan, uint32_t domid, uint32_t ref)
{
	struct xs_handle *h = xs_open(0);
	bool done = h && write_number(h, vchan->xs_path, "ring-ref", domid, ref) &&
		    write_number(h, vchan->xs_path, "event-channel", domid, vchan->event_port);

	if (h)
		xs_close(h);
	return done;
}

/* The library's own set-up of a server frees a pointer that it has not set, where it fails. */
static void *serve(uint32_t domid, const char *path)
{
	struct libxenvchan *vchan = calloc(1, sizeof(*vchan));
	int ref;

	if (!vchan)
		return NULL;
	vchan->is_server = 1;
	ref = share(vchan, domid);
	if (ref >= 0) {
		set_up_rings(vchan);
		vchan->xs_path = strdup(path);
		if (vchan->xs_path && publish(vchan, domid, (uint32_t)ref))
			return vchan;
	}
	/* Which frees it.  NOLINTBEGIN(clang-analyzer-unix.Malloc) */
	libxenvchan_close(vchan);
	return NULL;
}
/* NOLINTEND(clang-analyzer-unix.Malloc) */

static void *connect_to(uint32_t domid, const char *path)
{
	struct libxenvchan *vchan = libxenvchan_client_init(NULL, (int)domid, path);

	/* Which the library leaves as it finds it. */
	if (vchan)
		vchan->blocking = 0;
	return vchan;
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
