// SPDX-License-Identifier: LGPL-2.1-or-later
/* Connections of clients, and what they are told and ask, whatever carries it. */
#include "peer.h"

#include <errno.h>
#include <event2/event.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/queue.h>

#include "carrier.h"
#include "message.h"
#include "peer-local.h"
#include "peer-remote.h"
#include "util.h"

#define DEPTH	    8
#define MAX_REPLIES 32 /* that a client leaves unread, and as many that come later */

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
	struct carrier *carrier;
	struct event *turn;			   /* made active when there is something to send */
	TAILQ_HEAD(pending_list, pending) pending; /* objects whose event is to be sent */
	TAILQ_HEAD(reply_list, reply) replies;
	unsigned int nr_replies, nr_deferred;
	uint64_t number; /* with each connection another one */
	bool greeted, ready;
	bool broken; /* it ends in its next turn */
};

struct peer_request {
	struct connection *connection;
	const char *id;
};

struct peer_later {
	struct peer *peer;
	uint64_t number; /* of the connection */
	char id[PEER_ID_SIZE];
};

struct peer {
	struct event_base *base;
	const char *kind;
	struct peer_ops ops;
	struct local_listener *local;
	struct remote_listener *remote;
	TAILQ_HEAD(connection_list, connection) connections;
	unsigned int nr_connections;
	uint64_t last_number; /* of a connection */
	int64_t self;	      /* -1: not started */
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

static int send_packet(const struct connection *connection, struct json_object *packet, int fd)
{
	struct carrier *carrier = connection->carrier;
	const char *text = json_object_to_json_string_ext(
		packet, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE);

	if (!text)
		return -ENOMEM;
	return strlen(text) > carrier->type->packet_max ? -EMSGSIZE
							: carrier->type->send(carrier, text, fd);
}

/* Takes `object` over.  -EAGAIN: there is no room. */
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
	connection->carrier->type->free(connection->carrier);
	event_free(connection->turn);
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
	free(connection);
}

/* Not from within a request, which may be of this connection: its turn comes. */
static void flush_later(struct connection *connection)
{
	event_active(connection->turn, 0, 0);
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

/* It is closed with the answer, which ends what was begun for it. */
static void refuse_descriptor(struct peer_answer *answer)
{
	json_object_put(answer->result);
	answer->result = NULL;
	answer->error = "NotSupported";
	snprintf(answer->message, sizeof(answer->message),
		 "no descriptor can be passed to another domain");
}

/* Takes the answer over. */
static int answer_request(struct connection *connection, const char *id, struct peer_answer *answer)
{
	int r;

	if (answer->fd >= 0 && !connection->carrier->type->passes_fds)
		refuse_descriptor(answer);
	r = add_reply(connection, id, answer);
	if (r < 0)
		return r;
	flush_later(connection);
	/* What would follow a gap would be wrong. */
	return connection->nr_replies > MAX_REPLIES ? -ENOBUFS : 0;
}

static int handle_request(struct connection *connection, struct json_object *packet)
{
	const struct peer *peer = connection->peer;
	const struct peer_request request = {connection, peer_request_id(packet)};
	struct peer_answer answer = {.fd = -1, .request = &request};
	struct json_object *name;

	if (!request.id || !json_object_object_get_ex(packet, "request", &name) ||
	    !json_object_is_type(name, json_type_string))
		return -EBADMSG;
	peer->ops.request(peer->ops.userdata, request.id, json_object_get_string(name), packet,
			  &answer);
	return answer.later ? 0 : answer_request(connection, request.id, &answer);
}

struct peer_later *peer_defer(struct peer_answer *answer)
{
	struct connection *connection = answer->request->connection;
	bool full = connection->nr_deferred >= MAX_REPLIES;
	struct peer_later *later = full ? NULL : calloc(1, sizeof(*later));

	if (!later) {
		answer->error = full ? "LimitsExceeded" : "NoMemory";
		snprintf(answer->message, sizeof(answer->message), "%s",
			 full ? "too many requests are open" : "no memory");
		return NULL;
	}
	later->peer = connection->peer;
	later->number = connection->number;
	snprintf(later->id, sizeof(later->id), "%s", answer->request->id);
	connection->nr_deferred++;
	answer->later = true;
	return later;
}

static void end_later(struct connection *connection)
{
	connection->broken = true;
	flush_later(connection);
}

static struct connection *find_connection(const struct peer *peer, uint64_t number)
{
	struct connection *connection = TAILQ_FIRST(&peer->connections);

	while (connection && connection->number != number)
		connection = TAILQ_NEXT(connection, link);
	return connection;
}

void peer_answer_later(struct peer_later *later, struct peer_answer *answer)
{
	struct connection *connection = find_connection(later->peer, later->number);

	if (connection) {
		connection->nr_deferred--;
		/* The caller may be using this connection, so it is not freed at once. */
		if (answer_request(connection, later->id, answer) < 0)
			end_later(connection);
	} else {
		json_object_put(answer->result);
		closep(&answer->fd);
	}
	free(later);
}

/* 0: a packet was handled; -EAGAIN: there is none; else the connection has ended. */
static int receive(struct connection *connection)
{
	struct carrier *carrier = connection->carrier;
	char text[PEER_PACKET_SIZE + 1];
	struct json_object *packet;
	ssize_t size = carrier->type->receive(carrier, text, sizeof(text));
	int r;

	if (size < 0)
		return (int)size;
	packet = peer_parse(text, (size_t)size);
	if (!packet)
		return -EBADMSG;
	r = handle_request(connection, packet);
	json_object_put(packet);
	return r;
}

static void on_readable(void *userdata)
{
	struct connection *connection = userdata;
	int r = receive(connection);

	if (r == 0 || r == -EAGAIN)
		return;
	if (r == -EBADMSG)
		message(LOG_NOTICE, "a client sent an invalid packet: its connection is closed");
	connection_free(connection);
}

static void on_writable(void *userdata)
{
	struct connection *connection = userdata;
	int r = connection->broken ? -EPIPE : flush(connection);

	if (r < 0 && r != -EAGAIN)
		connection_free(connection);
}

static void on_turn(evutil_socket_t fd, short what, void *userdata)
{
	on_writable(userdata);
}

static struct connection *connection_new(struct peer *peer)
{
	struct connection *connection = calloc(1, sizeof(*connection));

	if (!connection)
		return NULL;
	connection->turn = event_new(peer->base, -1, 0, on_turn, connection);
	if (!connection->turn) {
		free(connection);
		return NULL;
	}
	connection->peer = peer;
	connection->number = ++peer->last_number;
	TAILQ_INIT(&connection->pending);
	TAILQ_INIT(&connection->replies);
	TAILQ_INSERT_TAIL(&peer->connections, connection, link);
	peer->nr_connections++;
	return connection;
}

static bool on_client(void *userdata, struct carrier *carrier)
{
	struct peer *peer = userdata;
	bool full = peer->nr_connections >= PEER_CLIENTS;
	struct connection *connection = full ? NULL : connection_new(peer);

	if (full)
		message(LOG_NOTICE, "too many clients: a connection is refused");
	if (!connection) {
		carrier->type->free(carrier);
		return false;
	}
	connection->carrier = carrier;
	carrier->readable = on_readable;
	carrier->writable = on_writable;
	carrier->userdata = connection;
	flush_later(connection);
	return true;
}

int peer_new(struct event_base *base, const char *kind, const struct peer_ops *ops,
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
	*ret_peer = peer;
	return 0;
}

int peer_listen(struct peer *peer, int fd)
{
	return local_listener_new(peer->base, fd, on_client, peer, &peer->local);
}

int peer_listen_remote(struct peer *peer, const struct store_ops *ops, uint32_t self)
{
	return remote_listener_new(peer->base, ops, self, peer->kind, on_client, peer,
				   &peer->remote);
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
	local_listener_free(peer->local);
	remote_listener_free(peer->remote);
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
