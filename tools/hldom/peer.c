// SPDX-License-Identifier: LGPL-2.1-or-later
/* Asks a helper in this domain, and waits for the answer. */
#include "peer.h"

#include <errno.h>
#include <hyperlaunch/hl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "common/cleanup.h"
#include "common/clock.h"
#include "common/json-write.h"
#include "common/packet-socket.h"
#include "common/packet.h"

#define PROTOCOL_VERSION 1
#define MAX_NAME	 32
#define MAX_ID		 64
/* For the helper to be ready, as it may have to start first, and for an answer. */
#define READY_MAX   (30 * USEC_PER_SEC)
#define ANSWER_MAX  (5 * USEC_PER_SEC)
#define NO_DEADLINE UINT64_MAX

struct peer {
	int fd;
	int (*event)(void *userdata, const char *name, json_object *members);
	void *userdata;
	uint64_t random; /* of the ids, which are used once by all clients */
	unsigned int nr_requests;
};

static uint64_t now_usec(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * USEC_PER_SEC + (uint64_t)now.tv_nsec / NSEC_PER_USEC;
}

static int wait_for(int fd, short events, uint64_t deadline)
{
	uint64_t now = now_usec();
	struct pollfd one = {.fd = fd, .events = events};
	int timeout, r;

	if (now >= deadline)
		return -ETIMEDOUT;
	timeout = deadline == NO_DEADLINE ? -1 : (int)((deadline - now) / USEC_PER_MSEC) + 1;
	r = poll(&one, 1, timeout);
	return r < 0 && errno != EINTR ? -errno : 0;
}

static int receive(const struct peer *peer, uint64_t deadline, json_object **ret_packet,
		   int *ret_fd)
{
	char data[PACKET_MAX];
	ssize_t size;

	while ((size = packet_receive(peer->fd, data, sizeof(data), ret_fd)) == -EAGAIN) {
		int r = wait_for(peer->fd, POLLIN, deadline);

		if (r < 0)
			return r;
	}
	if (size == 0)
		return -ECONNRESET;
	if (size < 0)
		return size == -EMSGSIZE ? -EBADMSG : (int)size;
	return packet_parse(data, (size_t)size, ret_packet);
}

static int read_hello(json_object *packet, const char *kind)
{
	uint64_t version;
	const char *text;

	if (packet_get_text(packet, "hello", MAX_NAME, &text) < 0 ||
	    packet_get_uint(packet, "version", UINT32_MAX, &version) < 0)
		return -EBADMSG;
	return strcmp(text, kind) == 0 && version == PROTOCOL_VERSION ? 0 : -EPROTO;
}

/* 1: it is ready. */
static int read_event(const struct peer *peer, json_object *packet)
{
	const char *name;

	if (packet_get_text(packet, "event", MAX_NAME, &name) < 0)
		return -EBADMSG;
	return strcmp(name, "ready") == 0 ? 1 : peer->event(peer->userdata, name, packet);
}

static int get_ready(const struct peer *peer, const char *kind)
{
	uint64_t deadline = now_usec() + READY_MAX;
	bool greeted = false;
	int r = 0;

	while (r == 0) {
		_cleanup_(json_putp) json_object *packet = NULL;
		_cleanup_(closep) int fd = -1;

		r = receive(peer, deadline, &packet, &fd);
		if (r < 0)
			return r;
		if (fd >= 0)
			return -EBADMSG;
		r = greeted ? read_event(peer, packet) : read_hello(packet, kind);
		greeted = true;
	}
	return r < 0 ? r : 0;
}

int peer_open(const char *dir, const char *kind,
	      int (*event)(void *userdata, const char *name, json_object *members), void *userdata,
	      struct peer **ret_peer)
{
	_cleanup_(freep) char *path = NULL;
	struct peer *peer = calloc(1, sizeof(*peer));
	int r;

	if (!peer || asprintf(&path, "%s/%s", dir, kind) < 0) {
		free(peer);
		return -ENOMEM;
	}
	peer->event = event;
	peer->userdata = userdata;
	peer->fd = packet_connect(path);
	if (getrandom(&peer->random, sizeof(peer->random), 0) != (ssize_t)sizeof(peer->random)) {
		peer_close(peer);
		return -EIO;
	}
	r = peer->fd < 0 ? peer->fd : get_ready(peer, kind);
	if (r < 0) {
		peer_close(peer);
		return r;
	}
	*ret_peer = peer;
	return 0;
}

struct peer *peer_close(struct peer *peer)
{
	if (!peer)
		return NULL;
	closep(&peer->fd);
	free(peer);
	return NULL;
}

static int send_request(const struct peer *peer, const char *id, const char *request,
			json_object *members, uint64_t deadline)
{
	const char *text;
	int r;

	if (!members || json_add(members, "id", json_object_new_string(id)) < 0 ||
	    json_add(members, "request", json_object_new_string(request)) < 0)
		return -ENOMEM;
	text = json_object_to_json_string_ext(members, JSON_C_TO_STRING_PLAIN);
	if (!text)
		return -ENOMEM;
	while ((r = packet_send(peer->fd, text, strlen(text))) == -EAGAIN) {
		r = wait_for(peer->fd, POLLOUT, deadline);
		if (r < 0)
			return r;
	}
	return r;
}

/* What a helper writes is printed: nothing of it acts on a terminal. */
static void copy_text(char *text, size_t size, const char *from)
{
	_cleanup_(freep) char *shown = hl_utf8_dup(from);

	snprintf(text, size, "%s", shown ? shown : "");
}

static int read_error(json_object *packet, struct peer_result *result)
{
	const char *code, *message;

	if (packet_get_text(packet, "error", MAX_NAME, &code) < 0 ||
	    packet_get_text(packet, "message", PACKET_MAX, &message) < 0)
		return -EBADMSG;
	copy_text(result->error, sizeof(result->error), code);
	copy_text(result->message, sizeof(result->message), message);
	return -EREMOTEIO;
}

/* A "ready" comes once. */
static int take_event(const struct peer *peer, json_object *packet, int fd)
{
	int r = fd < 0 ? read_event(peer, packet) : -EBADMSG;

	return r > 0 ? -EBADMSG : r;
}

/* 1: that was no answer, but an event; 0: the result is there. */
static int read_answer(const struct peer *peer, json_object *packet, const char *expected,
		       struct peer_result *result)
{
	const char *id;

	if (!json_object_object_get_ex(packet, "id", NULL)) {
		int r = take_event(peer, packet, result->fd);

		return r < 0 ? r : 1;
	}
	if (packet_get_text(packet, "id", MAX_ID, &id) < 0 || strcmp(id, expected) != 0)
		return -EBADMSG;
	if (json_object_object_get_ex(packet, "error", NULL))
		return read_error(packet, result);
	if (!json_object_object_get_ex(packet, "result", &result->members) ||
	    !json_object_is_type(result->members, json_type_object))
		return -EBADMSG;
	return 0;
}

static int take_answer(const struct peer *peer, const char *id, uint64_t deadline,
		       struct peer_result *result)
{
	int r = 1;

	while (r > 0) {
		peer_result_clear(result);
		r = receive(peer, deadline, &result->packet, &result->fd);
		if (r == 0)
			r = read_answer(peer, result->packet, id, result);
	}
	return r;
}

int peer_ask(struct peer *peer, const char *request, json_object *members,
	     struct peer_result *ret_result)
{
	uint64_t deadline = now_usec() + ANSWER_MAX;
	char id[MAX_ID + 1];
	int r;

	*ret_result = (struct peer_result){.fd = -1};
	snprintf(id, sizeof(id), "%016" PRIx64 "-%u", peer->random, peer->nr_requests++);
	r = send_request(peer, id, request, members, deadline);
	json_object_put(members);
	return r < 0 ? r : take_answer(peer, id, deadline, ret_result);
}

int peer_wait_event(struct peer *peer)
{
	_cleanup_(json_putp) json_object *packet = NULL;
	_cleanup_(closep) int fd = -1;
	int r = receive(peer, NO_DEADLINE, &packet, &fd);

	/* An answer that came too late for its request is none of ours. */
	if (r == 0 && !json_object_object_get_ex(packet, "id", NULL))
		r = take_event(peer, packet, fd);
	return r;
}

void peer_result_clear(struct peer_result *result)
{
	json_object_put(result->packet);
	closep(&result->fd);
	*result = (struct peer_result){.fd = -1};
}
