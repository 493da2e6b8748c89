/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A reader of a console's output, and perhaps a writer of its input: the master of a pseudo
 * terminal. One that does not read falls behind, and finds a marker in the place of what it has
 * missed.
 */
#ifndef CONSOLED_CLIENT_H
#define CONSOLED_CLIENT_H

#include <stddef.h>
#include <stdint.h>

struct client;
struct event_base;
struct saved;

#define CLIENT_DISCARD (-1)

struct client_ops {
	/* Bytes that may be typed now; 0: wait; CLIENT_DISCARD: what is typed is discarded. */
	int (*room)(void *userdata, struct client *client);
	/* Input of at most that many bytes. */
	void (*input)(void *userdata, const uint8_t *data, size_t size);
	/* The other end is closed; it may free the client. */
	void (*closed)(void *userdata, struct client *client);
	void *userdata;
};

/*
 * @fd: the master, which is the caller's and does not block
 * @cursor: how much of the output it has had, in memory of the caller's
 */
int client_new(struct event_base *base, int fd, const struct saved *saved, uint64_t *cursor,
	       const struct client_ops *ops, struct client **ret_client);
struct client *client_free(struct client *client);

/* There is more output, or room for input: goes on from the loop. */
void client_wake(struct client *client);

#endif
