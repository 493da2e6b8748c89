// SPDX-License-Identifier: LGPL-2.1-or-later
/* Connections of clients, and their packets. */
#include "peer.h"

#include <errno.h>
#include <event2/event.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/socket.h>

#include "message.h"
#include "util.h"

#define DEPTH	    8
#define MAX_REPLIES 32 /* that a client leaves unread */
#define MAX_FDS	    16 /* that a packet may come with, to be closed */

struct pending {
	TAILQ_ENTRY(pending) link;
	uint32_t object;
};

/* Waits for the events before it, and for room. */
struct reply {
	TAILQ_ENTRY(reply) link;
	struct json_object *packet;
	int fd;
};

struct connection {
	TAILQ_ENTRY(connection) link;
	struct peer *peer;
	int fd;
	struct event *readable, *writable;
	TAILQ_HEAD(pending_list, pending) pending; /* objects whose event is to be sent */
	TAILQ_HEAD(reply_list, reply) replies;
	unsigned int nr_replies;
	bool greeted, ready;
};

struct peer {
	struct event_base *base;
	const char *kind;
	struct peer_ops ops;
	int fd;
	struct event *listener;
	TAILQ_HEAD(connection_list, connection) connections;
	unsigned int nr_connections;
	int64_t self; /* -1: not started */
};

struct json_object *peer_parse(const char *packet, size_t size)
{
	struct json_tokener *tokener = json_tokener_new_ex(DEPTH);
	struct json_object *object = NULL;

	if (!tokener)
		return NULL;
	json_tokener_set_flags(tokener, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
	if (size > 0 && size <= PEER_PACKET_SIZE && !memchr(packet, '\0', size))
		object = json_tokener_parse_ex(tokener, packet, (int)size);
	if (object && (json_tokener_get_error(tokener) != json_tokener_success ||
		       json_tokener_get_parse_end(tokener) != size ||
		       !json_object_is_type(object, json_type_object))) {
		json_object_put(object);
		object = NULL;
	}
	json_tokener_free(tokener);
	return object;
}

const char *peer_request_id(struct json_object *packet)
{
	struct json_object *member;
	const char *id;

	if (!json_object_object_get_ex(packet, "id", &member) ||
	    !json_object_is_type(member, json_type_string))
		return NULL;
	id = json_object_get_string(member);
	if (id[0] == '\0' || strlen(id) >= PEER_ID_SIZE ||
	    strlen(id) != (size_t)json_object_get_string_len(member))
		return NULL;
	for (const char *c = id; *c; c++)
		if (*c < ' ' || *c > '~')
			return NULL;
	return id;
}

static int send_text(int socket, const char *text, int fd)
{
	union {
		char data[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control = {.data = {0}};
	struct iovec part = {.iov_base = (void *)text, .iov_len = strlen(text)};
	struct msghdr header = {.msg_iov = &part, .msg_iovlen = 1};

	if (part.iov_len > PEER_PACKET_SIZE)
		return -EMSGSIZE;
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
	return sendmsg(socket, &header, MSG_DONTWAIT | MSG_NOSIGNAL) < 0 ? -errno : 0;
}

static int send_packet(const struct connection *connection, struct json_object *packet, int fd)
{
	const char *text = json_object_to_json_string_ext(
		packet, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE);

	return text ? send_text(connection->fd, text, fd) : -ENOMEM;
}

/* Takes `object` over.  -EAGAIN: the socket is full. */
static int send_object(const struct connection *connection, struct json_object *object)
{
	int r = object ? send_packet(connection, object, -1) : -ENOMEM;

	json_object_put(object);
	return r;
}

static bool put(struct json_object *object, const char *name, struct json_object *value)
{
	if (value && json_object_object_add(object, name, value) == 0)
		return true;
	json_object_put(value);
	return false;
}

static struct json_object *make_hello(const struct peer *peer)
{
	struct json_object *hello = json_object_new_object();

	if (hello && put(hello, "hello", json_object_new_string(peer->kind)) &&
	    put(hello, "version", json_object_new_int(1)) &&
	    put(hello, "domid", json_object_new_int64(peer->self)))
		return hello;
	json_object_put(hello);
	return NULL;
}

static struct json_object *make_ready(void)
{
	struct json_object *ready = json_object_new_object();

	if (ready && put(ready, "event", json_object_new_string("ready")))
		return ready;
	json_object_put(ready);
	return NULL;
}

static int add_pending(struct connection *connection, uint32_t object)
{
	struct pending *pending;

	for (pending = TAILQ_FIRST(&connection->pending); pending;
	     pending = TAILQ_NEXT(pending, link))
		if (pending->object == object)
			return 0;
	pending = calloc(1, sizeof(*pending));
	if (!pending)
		return -ENOMEM;
	pending->object = object;
	TAILQ_INSERT_TAIL(&connection->pending, pending, link);
	return 0;
}

static int greet(struct connection *connection)
{
	const struct peer *peer = connection->peer;
	int64_t object = -1;
	int r = send_object(connection, make_hello(peer));

	if (r < 0)
		return r;
	connection->greeted = true;
	while (r == 0 && (object = peer->ops.next(peer->ops.userdata, object)) >= 0)
		r = add_pending(connection, (uint32_t)object);
	return r;
}

static int send_events(struct connection *connection)
{
	const struct peer *peer = connection->peer;
	struct pending *pending, *next;
	int r = 0;

	for (pending = TAILQ_FIRST(&connection->pending); r == 0 && pending; pending = next) {
		next = TAILQ_NEXT(pending, link);
		r = send_object(connection, peer->ops.event(peer->ops.userdata, pending->object));
		if (r < 0)
			return r;
		TAILQ_REMOVE(&connection->pending, pending, link);
		free(pending);
	}
	return r;
}

static void reply_free(struct reply *reply)
{
	json_object_put(reply->packet);
	closep(&reply->fd);
	free(reply);
}

static int send_replies(struct connection *connection)
{
	struct reply *reply, *next;

	for (reply = TAILQ_FIRST(&connection->replies); reply; reply = next) {
		int r = send_packet(connection, reply->packet, reply->fd);

		if (r < 0)
			return r;
		next = TAILQ_NEXT(reply, link);
		TAILQ_REMOVE(&connection->replies, reply, link);
		connection->nr_replies--;
		reply_free(reply);
	}
	return 0;
}

/*
 * Sends what there is to tell: what has changed comes before the reply to the request that changed
 * it.  -EAGAIN: the rest when there is room; else the connection is broken.
 */
static int flush(struct connection *connection)
{
	int r = 0;

	if (connection->peer->self < 0)
		return send_replies(connection);
	if (!connection->greeted)
		r = greet(connection);
	if (r == 0)
		r = send_events(connection);
	if (r == 0 && !connection->ready) {
		r = send_object(connection, make_ready());
		connection->ready = r == 0;
	}
	return r < 0 ? r : send_replies(connection);
}

static void connection_free(struct connection *connection)
{
	struct pending *pending, *next;
	struct reply *reply, *following;

	TAILQ_REMOVE(&connection->peer->connections, connection, link);
	connection->peer->nr_connections--;
	if (connection->readable)
		event_free(connection->readable);
	if (connection->writable)
		event_free(connection->writable);
	for (pending = TAILQ_FIRST(&connection->pending); pending; pending = next) {
		next = TAILQ_NEXT(pending, link);
		TAILQ_REMOVE(&connection->pending, pending, link);
		free(pending);
	}
	for (reply = TAILQ_FIRST(&connection->replies); reply; reply = following) {
		following = TAILQ_NEXT(reply, link);
		TAILQ_REMOVE(&connection->replies, reply, link);
		reply_free(reply);
	}
	closep(&connection->fd);
	free(connection);
}

/* Not from within a request, which may be of this connection: its turn comes. */
static void flush_later(struct connection *connection)
{
	event_active(connection->writable, EV_WRITE, 0);
}

static void on_writable(evutil_socket_t fd, short what, void *userdata)
{
	struct connection *connection = userdata;
	int r = flush(connection);

	if (r == -EAGAIN && event_add(connection->writable, NULL) == 0)
		return;
	if (r < 0)
		connection_free(connection);
}

static struct json_object *make_answer(const char *id, struct peer_answer *answer)
{
	struct json_object *object = json_object_new_object();
	bool made = object && put(object, "id", json_object_new_string(id));

	if (answer->error) {
		made = made && put(object, "error", json_object_new_string(answer->error)) &&
		       put(object, "message", json_object_new_string(answer->message));
	} else {
		if (!answer->result)
			answer->result = json_object_new_object();
		made = made && answer->result &&
		       json_object_object_add(object, "result", json_object_get(answer->result)) ==
			       0;
	}
	if (made)
		return object;
	json_object_put(object);
	return NULL;
}

/* Takes the answer over. */
static int add_reply(struct connection *connection, const char *id, struct peer_answer *answer)
{
	struct reply *reply = calloc(1, sizeof(*reply));

	if (reply)
		reply->packet = make_answer(id, answer);
	json_object_put(answer->result);
	if (!reply || !reply->packet || answer->error) {
		closep(&answer->fd);
		answer->fd = -1;
	}
	if (!reply || !reply->packet) {
		free(reply);
		return -ENOMEM;
	}
	reply->fd = answer->fd;
	TAILQ_INSERT_TAIL(&connection->replies, reply, link);
	connection->nr_replies++;
	return 0;
}

static int handle_request(struct connection *connection, struct json_object *packet)
{
	const struct peer *peer = connection->peer;
	struct peer_answer answer = {.fd = -1};
	const char *id = peer_request_id(packet);
	struct json_object *name;
	int r;

	if (!id || !json_object_object_get_ex(packet, "request", &name) ||
	    !json_object_is_type(name, json_type_string))
		return -EBADMSG;
	peer->ops.request(peer->ops.userdata, id, json_object_get_string(name), packet, &answer);
	r = add_reply(connection, id, &answer);
	if (r < 0)
		return r;
	flush_later(connection);
	/* What would follow a gap would be wrong. */
	return connection->nr_replies > MAX_REPLIES ? -ENOBUFS : 0;
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

/* 0: a packet was handled; -EAGAIN: there is none; else the connection has ended. */
static int receive(struct connection *connection)
{
	union {
		char data[CMSG_SPACE(sizeof(int) * MAX_FDS)];
		struct cmsghdr align;
	} control;
	char text[PEER_PACKET_SIZE + 1];
	struct iovec part = {.iov_base = text, .iov_len = sizeof(text)};
	struct msghdr header = {
		.msg_iov = &part,
		.msg_iovlen = 1,
		.msg_control = control.data,
		.msg_controllen = sizeof(control.data),
	};
	struct json_object *packet;
	ssize_t size = recvmsg(connection->fd, &header, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	int r;

	if (size < 0)
		return errno == EINTR ? 0 : -errno;
	if (has_descriptors(&header) || header.msg_flags & (MSG_CTRUNC | MSG_TRUNC))
		return -EBADMSG;
	if (size == 0)
		return -ECONNRESET;
	packet = peer_parse(text, (size_t)size);
	if (!packet)
		return -EBADMSG;
	r = handle_request(connection, packet);
	json_object_put(packet);
	return r;
}

static void on_readable(evutil_socket_t fd, short what, void *userdata)
{
	struct connection *connection = userdata;
	int r = receive(connection);

	if (r == 0 || r == -EAGAIN)
		return;
	if (r == -EBADMSG)
		message(LOG_NOTICE, "a client sent an invalid packet: its connection is closed");
	connection_free(connection);
}

/* Ours, or root's. */
static bool is_allowed(int fd)
{
	struct ucred sender;
	socklen_t size = sizeof(sender);

	return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &sender, &size) == 0 &&
	       (sender.uid == 0 || sender.uid == geteuid());
}

static void on_connection(evutil_socket_t listener, short what, void *userdata)
{
	struct peer *peer = userdata;
	_cleanup_(closep) int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	struct connection *connection;

	if (fd < 0 || !is_allowed(fd))
		return;
	if (peer->nr_connections >= PEER_CLIENTS) {
		message(LOG_NOTICE, "too many clients: a connection is refused");
		return;
	}
	connection = calloc(1, sizeof(*connection));
	if (!connection)
		return;
	connection->peer = peer;
	TAILQ_INIT(&connection->pending);
	TAILQ_INIT(&connection->replies);
	TAILQ_INSERT_TAIL(&peer->connections, connection, link);
	peer->nr_connections++;
	connection->fd = steal_fd(&fd);
	connection->readable = event_new(peer->base, connection->fd, EV_READ | EV_PERSIST,
					 on_readable, connection);
	connection->writable =
		event_new(peer->base, connection->fd, EV_WRITE, on_writable, connection);
	if (!connection->readable || !connection->writable ||
	    event_add(connection->readable, NULL) < 0) {
		connection_free(connection);
		return;
	}
	flush_later(connection);
}

int peer_new(struct event_base *base, int fd, const char *kind, const struct peer_ops *ops,
	     struct peer **ret_peer)
{
	struct peer *peer = calloc(1, sizeof(*peer));

	if (!peer)
		return -ENOMEM;
	peer->base = base;
	peer->kind = kind;
	peer->ops = *ops;
	peer->self = -1;
	TAILQ_INIT(&peer->connections);
	peer->listener = event_new(base, fd, EV_READ | EV_PERSIST, on_connection, peer);
	if (!peer->listener || evutil_make_socket_nonblocking(fd) < 0 ||
	    event_add(peer->listener, NULL) < 0) {
		peer->fd = -1;
		peer_free(peer);
		return -ENOMEM;
	}
	peer->fd = fd;
	*ret_peer = peer;
	return 0;
}

struct peer *peer_free(struct peer *peer)
{
	struct connection *connection, *next;

	if (!peer)
		return NULL;
	for (connection = TAILQ_FIRST(&peer->connections); connection; connection = next) {
		next = TAILQ_NEXT(connection, link);
		connection_free(connection);
	}
	if (peer->listener)
		event_free(peer->listener);
	closep(&peer->fd);
	free(peer);
	return NULL;
}

void peer_start(struct peer *peer, uint32_t self)
{
	struct connection *connection;

	peer->self = self;
	for (connection = TAILQ_FIRST(&peer->connections); connection;
	     connection = TAILQ_NEXT(connection, link))
		flush_later(connection);
}

void peer_changed(struct peer *peer, uint32_t object)
{
	struct connection *connection;

	for (connection = TAILQ_FIRST(&peer->connections); connection;
	     connection = TAILQ_NEXT(connection, link)) {
		if (!connection->greeted)
			continue;
		if (add_pending(connection, object) < 0)
			message(LOG_ERR, "no memory to tell a client of a change");
		flush_later(connection);
	}
}
