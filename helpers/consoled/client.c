// SPDX-License-Identifier: LGPL-2.1-or-later
/* Readers and writers of a console, on pseudo terminals. */
#include "client.h"

#include <errno.h>
#include <event2/event.h>
#include <inttypes.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>

#include "replay.h"
#include "saved.h"

#define INPUT_CHUNK 1024
#define INPUT_TURNS 16 /* before others have theirs */

struct client {
	int fd;
	struct event *event;
	const struct saved *saved;
	uint64_t *cursor;
	struct client_ops ops;
	uint64_t lost; /* that the marker speaks of */
	char marker[64];
	size_t marker_size, marker_sent;
};

/* Returns 1: all of it is written; 0: no room; or -EIO: the other end is closed. */
static int put(struct client *client, const void *data, size_t size, size_t *written)
{
	ssize_t n = write(client->fd, data, size);

	if (n < 0 && errno != EAGAIN && errno != EINTR)
		return -EIO;
	*written = n < 0 ? 0 : (size_t)n;
	return *written == size;
}

static int put_marker(struct client *client)
{
	size_t written = 0;
	int r = put(client, client->marker + client->marker_sent,
		    client->marker_size - client->marker_sent, &written);

	client->marker_sent += written;
	if (r > 0)
		client->marker_size = client->marker_sent = 0;
	return r;
}

/* What is no longer there becomes a marker, one as long as nothing of it is written. */
static void skip_lost(struct client *client, uint64_t total)
{
	uint64_t oldest = replay_oldest(total);

	if (*client->cursor >= oldest || client->marker_sent > 0)
		return;
	if (client->marker_size == 0)
		client->lost = 0;
	client->lost += oldest - *client->cursor;
	client->marker_size =
		(size_t)snprintf(client->marker, sizeof(client->marker),
				 "\r\n[consoled: %" PRIu64 " bytes skipped]\r\n", client->lost);
	*client->cursor = oldest;
}

static int pump_output(struct client *client)
{
	uint64_t total = saved_get(client->saved).total;
	int r = 1;

	while (r > 0) {
		const uint8_t *data;
		size_t size, written = 0;

		skip_lost(client, total);
		if (client->marker_size > 0) {
			r = put_marker(client);
			continue;
		}
		size = replay_peek(client->saved->replay, total, *client->cursor, &data);
		if (size == 0)
			break;
		r = put(client, data, size, &written);
		*client->cursor += written;
	}
	return r;
}

/* Returns 1: there may be more; 0: nothing more now; or -EIO: the other end is closed. */
static int take_input(struct client *client)
{
	uint8_t data[INPUT_CHUNK];
	int room = client->ops.room(client->ops.userdata, client);
	size_t size = room < 0 || (size_t)room > sizeof(data) ? sizeof(data) : (size_t)room;
	ssize_t n;

	if (size == 0)
		return 0;
	n = read(client->fd, data, size);
	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -EIO;
	if (n > 0 && room != CLIENT_DISCARD)
		client->ops.input(client->ops.userdata, data, (size_t)n);
	return n > 0;
}

static bool is_hung_up(const struct client *client)
{
	struct pollfd state = {.fd = client->fd};

	return poll(&state, 1, 0) > 0 && state.revents & (POLLHUP | POLLERR);
}

static void on_event(evutil_socket_t fd, short what, void *userdata)
{
	struct client *client = userdata;
	int r = pump_output(client), turns = 0;

	if (r >= 0)
		while ((r = take_input(client)) > 0 && ++turns < INPUT_TURNS)
			;
	if (r < 0 || (r == 0 && is_hung_up(client))) {
		client->ops.closed(client->ops.userdata, client);
		return;
	}
	if (r > 0)
		client_wake(client);
}

int client_new(struct event_base *base, int fd, const struct saved *saved, uint64_t *cursor,
	       const struct client_ops *ops, struct client **ret_client)
{
	struct client *client = calloc(1, sizeof(*client));

	if (!client)
		return -ENOMEM;
	client->fd = fd;
	client->saved = saved;
	client->cursor = cursor;
	client->ops = *ops;
	/*
	 * By edges, as it often can be written to or read from, and there is nothing to write or no
	 * room for what would be read.
	 */
	client->event =
		event_new(base, fd, EV_READ | EV_WRITE | EV_ET | EV_PERSIST, on_event, client);
	if (!client->event || event_add(client->event, NULL) < 0) {
		client_free(client);
		return -ENOMEM;
	}
	*ret_client = client;
	return 0;
}

struct client *client_free(struct client *client)
{
	if (client) {
		if (client->event)
			event_free(client->event);
		free(client);
	}
	return NULL;
}

void client_wake(struct client *client)
{
	event_active(client->event, EV_WRITE, 0);
}
