/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The way to a helper in our own domain, as docs/dev/peers.md has it: packets over a unix socket,
 * with descriptors.
 */
#ifndef COMMON_PACKET_SOCKET_H
#define COMMON_PACKET_SOCKET_H

#include <stddef.h>
#include <sys/types.h>

/* Of a packet, at most. */
#define PACKET_FDS_MAX 4

/*
 * Connects without waiting.  Returns the socket, or a negative errno; -EPERM: another user
 * than root and ourselves listens there.
 */
int packet_connect(const char *path);

/* One packet.  Returns 0, -EAGAIN: the other side has not read earlier ones; or another
 * negative errno. */
int packet_send(int fd, const void *data, size_t size);

/* The same with descriptors, PACKET_FDS_MAX at most, which stay the caller's. */
int packet_send_fds(int fd, const void *data, size_t size, const int *fds, size_t nr);

/*
 * One packet.  Returns its size; 0: the connection has ended; -EAGAIN: none is there;
 * -EMSGSIZE: it is longer than `size`; -EBADMSG: it has more than one descriptor; or another
 * negative errno.
 * @ret_fd: the descriptor that came with it, -1: none
 */
ssize_t packet_receive(int fd, void *data, size_t size, int *ret_fd);

/* The same where a packet may have up to `max` descriptors, PACKET_FDS_MAX at most.  @fds: [max] */
ssize_t packet_receive_fds(int fd, void *data, size_t size, int *fds, size_t max, size_t *ret_nr);

#endif /* COMMON_PACKET_SOCKET_H */
