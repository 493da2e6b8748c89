/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The connection that brought the order, as docs/dev/peers.md has it: where its packets come from,
 * and where stages and the result go.
 */
#ifndef VMD_CLIENT_H
#define VMD_CLIENT_H

#include <stdbool.h>
#include <stddef.h>

#include "common/packet-socket.h"

struct json_object;

struct client {
	int fd; /* a connected SOCK_SEQPACKET socket */
	char id[65];
	bool gone; /* it has left: nobody reads what is sent */
};

int client_greet(struct client *client);

/*
 * Waits for the packet with the order, and notes its id.  -ECONNRESET: the client has left;
 * -EBADMSG: it is none.
 * @fds: [PACKET_FDS_MAX], the caller's
 */
int client_read(struct client *client, struct json_object **ret_packet, int *fds, size_t *ret_nr);

/* What is being done from now on. */
void client_tell_stage(struct client *client, const char *stage);

/* Takes `result` over; NULL: no members. */
void client_tell_result(struct client *client, struct json_object *result);

/* code: the last part of a D-Bus error's name */
void client_tell_error(struct client *client, const char *code, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Whether the client has left: without waiting, when its descriptor is readable. */
bool client_has_left(struct client *client);

#endif
