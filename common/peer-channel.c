// SPDX-License-Identifier: LGPL-2.1-or-later
/* Sessions, numbers and acknowledgements, all as docs/dev/peers.md has them. */
#include "common/peer-channel.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "common/cleanup.h"

#define DIGITS	   (CHANNEL_SESSION_SIZE - 1)
#define VALUE_SIZE (2 * CHANNEL_SESSION_SIZE)
#define NODE_SIZE  (CHANNEL_DIR_SIZE + VALUE_SIZE + 32)

static const char *const side_names[] = {
	[CHANNEL_CLIENT] = "client",
	[CHANNEL_HELPER] = "helper",
};

static int last_error(void)
{
	return errno > 0 ? -errno : -EIO;
}

static const char *own_name(const struct peer_channel *channel)
{
	return side_names[channel->side];
}

static const char *other_name(const struct peer_channel *channel)
{
	return side_names[channel->side == CHANNEL_CLIENT ? CHANNEL_HELPER : CHANNEL_CLIENT];
}

static void node_path(const struct peer_channel *channel, const char *side, const char *session,
		      const char *name, char path[NODE_SIZE])
{
	snprintf(path, NODE_SIZE, "%s/%s%s%s%s%s", channel->dir, side, session[0] ? "/" : "",
		 session, name[0] ? "/" : "", name);
}

static void packet_path(const struct peer_channel *channel, uint64_t number, bool own,
			char path[NODE_SIZE])
{
	char name[24];

	snprintf(name, sizeof(name), "%" PRIu64, number);
	node_path(channel, own ? own_name(channel) : other_name(channel),
		  own ? channel->own : channel->other, name, path);
}

int peer_channel_init(struct peer_channel *channel, enum peer_side side, uint32_t domid,
		      const char *kind)
{
	uint64_t random;
	int size;

	*channel = (struct peer_channel){.side = side};
	size = snprintf(channel->dir, sizeof(channel->dir), CHANNEL_ROOT "/%" PRIu32 "/%s", domid,
			kind);
	if (size < 0 || (size_t)size >= sizeof(channel->dir))
		return -ENAMETOOLONG;
	if (getrandom(&random, sizeof(random), 0) != (ssize_t)sizeof(random))
		return -EIO;
	snprintf(channel->own, sizeof(channel->own), "%016" PRIx64, random);
	return 0;
}

/* Our session, and once it is known that of the other side. */
static int write_session(const struct peer_channel *channel, const struct peer_channel_ops *ops,
			 void *store, const char *other)
{
	char path[NODE_SIZE], value[VALUE_SIZE];

	node_path(channel, own_name(channel), "", "session", path);
	snprintf(value, sizeof(value), "%s%s%s", channel->own, other[0] ? " " : "", other);
	return ops->write(store, path, value) ? 0 : last_error();
}

int peer_channel_announce(const struct peer_channel *channel, const struct peer_channel_ops *ops,
			  void *store)
{
	return write_session(channel, ops, store, "");
}

int peer_channel_leave(const struct peer_channel *channel, const struct peer_channel_ops *ops,
		       void *store)
{
	char path[NODE_SIZE];

	node_path(channel, own_name(channel), "", "session", path);
	return ops->remove(store, path) || errno == ENOENT ? 0 : last_error();
}

static bool is_session(const char *text)
{
	return strspn(text, "0123456789abcdef") >= DIGITS;
}

/* "FIRST" or "FIRST SECOND". */
static int parse_sessions(const char *value, char first[CHANNEL_SESSION_SIZE],
			  char second[CHANNEL_SESSION_SIZE])
{
	size_t size = strlen(value);

	first[0] = second[0] = '\0';
	if (size != DIGITS && size != 2 * DIGITS + 1)
		return -EBADMSG;
	if (!is_session(value) ||
	    (size > DIGITS && (value[DIGITS] != ' ' || !is_session(value + DIGITS + 1))))
		return -EBADMSG;
	memcpy(first, value, DIGITS);
	first[DIGITS] = '\0';
	if (size > DIGITS)
		memcpy(second, value + DIGITS + 1, CHANNEL_SESSION_SIZE);
	return 0;
}

/* The helper's answer names the session that it is an answer to. */
static int follow_helper(struct peer_channel *channel, const struct peer_channel_ops *ops,
			 void *store, const char *helper, const char *client)
{
	int r;

	if (channel->connected)
		return strcmp(helper, channel->other) == 0 && strcmp(client, channel->own) == 0
			       ? 0
			       : -ECONNRESET;
	if (strcmp(client, channel->own) != 0)
		return 0;
	r = write_session(channel, ops, store, helper);
	if (r < 0)
		return r;
	memcpy(channel->other, helper, sizeof(channel->other));
	channel->connected = true;
	return 0;
}

/* What an earlier process of ours has left. */
static int remove_last(const struct peer_channel *channel, const struct peer_channel_ops *ops,
		       void *store)
{
	char path[NODE_SIZE], own[CHANNEL_SESSION_SIZE], other[CHANNEL_SESSION_SIZE];
	_cleanup_(freep) char *value = NULL;

	node_path(channel, own_name(channel), "", "session", path);
	value = ops->read(store, path);
	if (!value)
		return errno == ENOENT ? 0 : last_error();
	if (parse_sessions(value, own, other) < 0)
		return 0;
	node_path(channel, own_name(channel), own, "", path);
	return ops->remove(store, path) || errno == ENOENT ? 0 : last_error();
}

static int follow_client(struct peer_channel *channel, const struct peer_channel_ops *ops,
			 void *store, const char *client, const char *helper)
{
	bool meant = strcmp(helper, channel->own) == 0;
	int r;

	if (channel->other[0] != '\0' && strcmp(client, channel->other) != 0)
		return -ECONNRESET;
	if (channel->connected)
		return meant ? 0 : -ECONNRESET;
	if (channel->other[0] == '\0') {
		r = remove_last(channel, ops, store);
		if (r == 0)
			r = write_session(channel, ops, store, client);
		if (r < 0)
			return r;
		memcpy(channel->other, client, sizeof(channel->other));
	}
	channel->connected = meant;
	return 0;
}

/* A helper may not look at the nodes above its own, so that it sees no difference before it has
 * any. */
static bool is_absent(const struct peer_channel *channel, int error)
{
	return error == ENOENT || (error == EACCES && channel->side == CHANNEL_HELPER);
}

static int follow_session(struct peer_channel *channel, const struct peer_channel_ops *ops,
			  void *store)
{
	char path[NODE_SIZE], first[CHANNEL_SESSION_SIZE], second[CHANNEL_SESSION_SIZE];
	_cleanup_(freep) char *value = NULL;
	int r;

	node_path(channel, other_name(channel), "", "session", path);
	value = ops->read(store, path);
	if (!value && !is_absent(channel, errno))
		return last_error();
	if (!value)
		return channel->other[0] == '\0' ? 0 : -ECONNRESET;
	r = parse_sessions(value, first, second);
	if (r < 0)
		return r;
	return channel->side == CHANNEL_CLIENT ? follow_helper(channel, ops, store, first, second)
					       : follow_client(channel, ops, store, first, second);
}

/* It counts up to the number of our last packet, and never back. */
static int parse_acknowledged(const struct peer_channel *channel, const char *text,
			      uint64_t *ret_number)
{
	char canonical[24];

	*ret_number = strtoull(text, NULL, 10);
	snprintf(canonical, sizeof(canonical), "%" PRIu64, *ret_number);
	return strcmp(canonical, text) == 0 && *ret_number >= channel->acknowledged &&
			       *ret_number <= channel->sent
		       ? 0
		       : -EBADMSG;
}

/* What was read is not needed any more. */
static int take_acknowledgement(struct peer_channel *channel, const struct peer_channel_ops *ops,
				void *store)
{
	_cleanup_(freep) char *value = NULL;
	char path[NODE_SIZE];
	uint64_t number;
	int r;

	node_path(channel, other_name(channel), channel->other, "ack", path);
	value = ops->read(store, path);
	if (!value)
		return errno == ENOENT ? 0 : last_error();
	r = parse_acknowledged(channel, value, &number);
	if (r < 0)
		return r;
	while (channel->acknowledged < number) {
		packet_path(channel, channel->acknowledged + 1, true, path);
		if (!ops->remove(store, path) && errno != ENOENT)
			return last_error();
		channel->acknowledged++;
	}
	return 0;
}

/* 1: there was a packet; 0: there is none. */
static int take_packet(struct peer_channel *channel, const struct peer_channel_ops *ops,
		       void *store, struct peer_packets *in)
{
	_cleanup_(freep) char *value = NULL;
	char path[NODE_SIZE];
	int r;

	packet_path(channel, channel->received + 1, false, path);
	value = ops->read(store, path);
	if (!value)
		return errno == ENOENT ? 0 : last_error();
	if (value[0] == '\0')
		return -EBADMSG;
	r = peer_packets_add(in, value, strlen(value));
	if (r < 0)
		return r;
	channel->received++;
	return 1;
}

static int take_packets(struct peer_channel *channel, const struct peer_channel_ops *ops,
			void *store, unsigned int max, struct peer_packets *in)
{
	uint64_t before = channel->received;
	char path[NODE_SIZE], value[24];
	int r = 1;

	while (r > 0 && channel->received - before < max)
		r = take_packet(channel, ops, store, in);
	if (r < 0 || channel->received == before)
		return r < 0 ? r : 0;
	node_path(channel, own_name(channel), channel->own, "ack", path);
	snprintf(value, sizeof(value), "%" PRIu64, channel->received);
	return ops->write(store, path, value) ? 0 : last_error();
}

static int write_packets(struct peer_channel *channel, const struct peer_channel_ops *ops,
			 void *store, struct peer_packets *out)
{
	char path[NODE_SIZE];

	while (out->nr > 0 && channel->sent - channel->acknowledged < CHANNEL_WINDOW) {
		packet_path(channel, channel->sent + 1, true, path);
		if (!ops->write(store, path, out->texts[0]))
			return last_error();
		channel->sent++;
		free(peer_packets_take(out));
	}
	return 0;
}

int peer_channel_exchange(struct peer_channel *channel, const struct peer_channel_ops *ops,
			  void *store, unsigned int max, struct peer_packets *out,
			  struct peer_packets *in)
{
	int r = follow_session(channel, ops, store);

	if (r < 0 || !channel->connected)
		return r;
	r = take_acknowledgement(channel, ops, store);
	if (r == 0)
		r = take_packets(channel, ops, store, max, in);
	return r < 0 ? r : write_packets(channel, ops, store, out);
}

int peer_packets_add(struct peer_packets *packets, const char *text, size_t size)
{
	char *copy;

	if (size > CHANNEL_PACKET_MAX)
		return -EMSGSIZE;
	if (packets->nr == CHANNEL_WINDOW)
		return -ENOBUFS;
	copy = strndup(text, size);
	if (!copy)
		return -ENOMEM;
	packets->texts[packets->nr++] = copy;
	return 0;
}

char *peer_packets_take(struct peer_packets *packets)
{
	char *text;

	if (packets->nr == 0)
		return NULL;
	text = packets->texts[0];
	packets->nr--;
	memmove(packets->texts, packets->texts + 1, packets->nr * sizeof(packets->texts[0]));
	return text;
}

void peer_packets_clear(struct peer_packets *packets)
{
	while (packets->nr > 0)
		free(peer_packets_take(packets));
}
