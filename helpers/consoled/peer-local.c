// SPDX-License-Identifier: LGPL-2.1-or-later
/* A listening socket, and its connections. */
#include "peer-local.h"

#include <errno.h>
#include <event2/event.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "peer.h"
#include "util.h"

#define MAX_FDS 16 /* that a packet may come with, to be closed */

struct local_listener {
	struct event_base *base;
	int fd;
	struct event *event;
	carrier_accept_t accept;
	void *userdata;
};

struct local {
	struct carrier carrier;
	int fd;
	struct event *readable, *writable;
};

static int local_send(struct carrier *carrier, const char *text, int fd)
{
	struct local *local = (struct local *)carrier;
	union {
		char data[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control = {.data = {0}};
	struct iovec part = {.iov_base = (void *)text, .iov_len = strlen(text)};
	struct msghdr header = {.msg_iov = &part, .msg_iovlen = 1};

	if (fd >= 0) {
		struct cmsghdr *rights;

		header.msg_control = control.data;
		header.msg_controllen = sizeof(control.data);
		rights = CMSG_FIRSTHDR(&header);
		rights->cmsg_level = SOL_SOCKET;
		rights->cmsg_type = SCM_RIGHTS;
		rights->cmsg_len = CMSG_LEN(sizeof(fd));
		memcpy(CMSG_DATA(rights), &fd, sizeof(fd));
	}
	if (sendmsg(local->fd, &header, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0)
		return 0;
	if (errno != EAGAIN)
		return -errno;
	return event_add(local->writable, NULL) < 0 ? -ENOMEM : -EAGAIN;
}

/* Descriptors belong to no request. */
static bool has_descriptors(struct msghdr *header)
{
	bool found = false;

	for (struct cmsghdr *part = CMSG_FIRSTHDR(header); part; part = CMSG_NXTHDR(header, part)) {
		if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS)
			continue;
		for (size_t i = 0; i < (part->cmsg_len - CMSG_LEN(0)) / sizeof(int); i++) {
			int fd;

			memcpy(&fd, CMSG_DATA(part) + i * sizeof(fd), sizeof(fd));
			close(fd);
		}
		found = true;
	}
	return found;
}

static ssize_t local_receive(struct carrier *carrier, char *data, size_t size)
{
	const struct local *local = (struct local *)carrier;
	union {
		char data[CMSG_SPACE(sizeof(int) * MAX_FDS)];
		struct cmsghdr align;
	} control;
	struct iovec part = {.iov_base = data, .iov_len = size};
	struct msghdr header = {
		.msg_iov = &part,
		.msg_iovlen = 1,
		.msg_control = control.data,
		.msg_controllen = sizeof(control.data),
	};
	ssize_t received = recvmsg(local->fd, &header, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);

	if (received < 0)
		return errno == EINTR ? -EAGAIN : -errno;
	if (has_descriptors(&header) || header.msg_flags & (MSG_CTRUNC | MSG_TRUNC))
		return -EBADMSG;
	return received > 0 ? received : -ECONNRESET;
}

static void local_free(struct carrier *carrier)
{
	struct local *local = (struct local *)carrier;

	if (local->readable)
		event_free(local->readable);
	if (local->writable)
		event_free(local->writable);
	closep(&local->fd);
	free(local);
}

static void on_readable(evutil_socket_t fd, short what, void *userdata)
{
	const struct local *local = userdata;

	local->carrier.readable(local->carrier.userdata);
}

static void on_writable(evutil_socket_t fd, short what, void *userdata)
{
	const struct local *local = userdata;

	local->carrier.writable(local->carrier.userdata);
}

/* Ours, or root's. */
static bool is_allowed(int fd)
{
	struct ucred sender;
	socklen_t size = sizeof(sender);

	return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &sender, &size) == 0 &&
	       (sender.uid == 0 || sender.uid == geteuid());
}

static void on_connection(evutil_socket_t socket, short what, void *userdata)
{
	static const struct carrier_type type = {
		.packet_max = PEER_PACKET_SIZE,
		.passes_fds = true,
		.send = local_send,
		.receive = local_receive,
		.free = local_free,
	};
	const struct local_listener *listener = userdata;
	_cleanup_(closep) int fd = accept4(socket, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	struct local *local;

	if (fd < 0 || !is_allowed(fd))
		return;
	local = calloc(1, sizeof(*local));
	if (!local)
		return;
	local->carrier.type = &type;
	local->fd = steal_fd(&fd);
	local->readable =
		event_new(listener->base, local->fd, EV_READ | EV_PERSIST, on_readable, local);
	local->writable = event_new(listener->base, local->fd, EV_WRITE, on_writable, local);
	if (!local->readable || !local->writable || event_add(local->readable, NULL) < 0) {
		local_free(&local->carrier);
		return;
	}
	(void)listener->accept(listener->userdata, &local->carrier);
}

int local_listener_new(struct event_base *base, int fd, carrier_accept_t accept, void *userdata,
		       struct local_listener **ret_listener)
{
	struct local_listener *listener = calloc(1, sizeof(*listener));

	if (!listener)
		return -ENOMEM;
	listener->base = base;
	listener->accept = accept;
	listener->userdata = userdata;
	listener->event = event_new(base, fd, EV_READ | EV_PERSIST, on_connection, listener);
	if (!listener->event || evutil_make_socket_nonblocking(fd) < 0 ||
	    event_add(listener->event, NULL) < 0) {
		listener->fd = -1;
		local_listener_free(listener);
		return -ENOMEM;
	}
	listener->fd = fd;
	*ret_listener = listener;
	return 0;
}

struct local_listener *local_listener_free(struct local_listener *listener)
{
	if (!listener)
		return NULL;
	if (listener->event)
		event_free(listener->event);
	closep(&listener->fd);
	free(listener);
	return NULL;
}
