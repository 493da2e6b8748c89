// SPDX-License-Identifier: LGPL-2.1-or-later
/* A helper in our own domain: a connected SOCK_SEQPACKET socket, with SCM_RIGHTS. */
#include "common/packet-socket.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/cleanup.h"

/* One more than a packet may have, so that one too many is seen. */
#define FDS_ROOM (PACKET_FDS_MAX + 1)

static int check_listener(int fd)
{
	struct ucred peer;
	socklen_t size = sizeof(peer);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0)
		return -errno;
	return peer.uid == 0 || peer.uid == geteuid() ? 0 : -EPERM;
}

int packet_connect(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	_cleanup_(closep) int fd = -1;
	int r;

	if (strlen(path) >= sizeof(address.sun_path))
		return -ENAMETOOLONG;
	memcpy(address.sun_path, path, strlen(path));
	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	if (connect(fd, (const struct sockaddr *)&address, sizeof(address)) < 0)
		return -errno;
	r = check_listener(fd);
	return r < 0 ? r : steal_fd(&fd);
}

/* The control message for descriptors.  Returns its size. */
static size_t put_fds(void *control, const int *fds, size_t nr)
{
	struct cmsghdr *header = control;

	*header = (struct cmsghdr){
		.cmsg_level = SOL_SOCKET,
		.cmsg_type = SCM_RIGHTS,
		.cmsg_len = CMSG_LEN(nr * sizeof(int)),
	};
	memcpy(CMSG_DATA(header), fds, nr * sizeof(int));
	return CMSG_SPACE(nr * sizeof(int));
}

int packet_send_fds(int fd, const void *data, size_t size, const int *fds, size_t nr)
{
	_Alignas(struct cmsghdr) char control[CMSG_SPACE(PACKET_FDS_MAX * sizeof(int))] = {0};
	struct iovec part = {.iov_base = (void *)data, .iov_len = size};
	struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
	ssize_t sent;

	if (nr > PACKET_FDS_MAX)
		return -EINVAL;
	if (nr > 0) {
		message.msg_control = control;
		message.msg_controllen = put_fds(control, fds, nr);
	}
	do
		sent = sendmsg(fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
	while (sent < 0 && errno == EINTR);
	return sent < 0 ? -errno : 0;
}

int packet_send(int fd, const void *data, size_t size)
{
	return packet_send_fds(fd, data, size, NULL, 0);
}

/* Keeps the first `max` descriptors and closes what else there is.  Returns the number of all. */
static size_t take_fds(struct msghdr *message, int *fds, size_t max)
{
	size_t nr = 0;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c; c = CMSG_NXTHDR(message, c)) {
		const unsigned char *data = CMSG_DATA(c);
		size_t here = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);

		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		for (size_t i = 0; i < here; i++) {
			int fd;

			memcpy(&fd, data + i * sizeof(int), sizeof(fd));
			if (nr < max)
				fds[nr] = fd;
			else
				close(fd);
			nr++;
		}
	}
	return nr;
}

static ssize_t refuse_fds(int *fds, size_t nr, ssize_t error)
{
	for (size_t i = 0; i < nr; i++)
		close(fds[i]);
	return error;
}

ssize_t packet_receive_fds(int fd, void *data, size_t size, int *fds, size_t max, size_t *ret_nr)
{
	_Alignas(struct cmsghdr) char control[CMSG_SPACE(FDS_ROOM * sizeof(int))];
	struct iovec part = {.iov_base = data, .iov_len = size};
	struct msghdr message = {
		.msg_iov = &part,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control),
	};
	ssize_t length;
	size_t nr, kept;

	*ret_nr = 0;
	do
		length = recvmsg(fd, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	while (length < 0 && errno == EINTR);
	if (length < 0)
		return -errno;
	nr = take_fds(&message, fds, max);
	kept = nr < max ? nr : max;
	if (message.msg_flags & MSG_TRUNC)
		return refuse_fds(fds, kept, -EMSGSIZE);
	if (nr > max || message.msg_flags & MSG_CTRUNC)
		return refuse_fds(fds, kept, -EBADMSG);
	*ret_nr = nr;
	return length;
}

ssize_t packet_receive(int fd, void *data, size_t size, int *ret_fd)
{
	size_t nr;
	ssize_t length = packet_receive_fds(fd, data, size, ret_fd, 1, &nr);

	if (length < 0 || nr == 0)
		*ret_fd = -1;
	return length;
}
