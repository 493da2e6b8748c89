/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The way to a helper in our own domain, as docs/dev/peers.md has it: packets over a unix socket,
 * with descriptors.
 */
#ifndef COMMON_PACKET_SOCKET_H
#define COMMON_PACKET_SOCKET_H

#include <stddef.h>
#include <sys/types.h>

/*
 * Connects without waiting.  Returns the socket, or a negative errno; -EPERM: another user
 * than root and ourselves listens there.
 */
int packet_connect(const char *path);

/* One packet.  Returns 0, -EAGAIN: the other side has not read earlier ones; or another
 * negative errno. */
int packet_send(int fd, const void *data, size_t size);

/*
 * One packet.  Returns its size; 0: the connection has ended; -EAGAIN: none is there;
 * -EMSGSIZE: it is longer than `size`; -EBADMSG: it has more than one descriptor; or another
 * negative errno.
 * @ret_fd: the descriptor that came with it, -1: none
 */
ssize_t packet_receive(int fd, void *data, size_t size, int *ret_fd);

#endif /* COMMON_PACKET_SOCKET_H */
