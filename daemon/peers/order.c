// SPDX-License-Identifier: LGPL-2.1-or-later
/* One request, one answer, and what is told between them. */
#include "peers/order.h"

#include <errno.h>
#include <json-c/json.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "common/cleanup.h"
#include "common/json-write.h"
#include "common/packet-socket.h"
#include "common/packet.h"
#include "loop/io.h"
#include "loop/log.h"
#include "peers/peer.h"

#define PROTOCOL_VERSION 1
/* Of the only request of the connection. */
#define ID	    "1"
#define MAX_NAME    32
#define MAX_MESSAGE PACKET_MAX

struct order {
	struct order_config config;
	int fd;
	struct io *io;
	/* Of the helper's process, which may end without the connection's: the service manager has
	 * the other end too, for as long as a process of the unit runs. */
	int process;
	struct io *process_io;
	bool greeted;
};

/* Ends the order, which done() may free. */
static void end(struct order *order, struct peer_reply *reply)
{
	(void)io_set(order->io, -1, false, false);
	order->process_io = io_free(order->process_io);
	order->config.done(order->config.userdata, reply);
}

static void fail(struct order *order, int error)
{
	struct peer_reply reply = {.error = error, .fd = -1};

	if (error == -EBADMSG)
		log_warning("the helper %s breaks the rules of the protocol", order->config.kind);
	else if (error == -EPROTO)
		log_warning("the helper %s has another kind or version", order->config.kind);
	end(order, &reply);
}

/* What it has sent before is read first. */
static void on_process_end(void *userdata)
{
	struct order *order = userdata;
	char byte;

	if (recv(order->fd, &byte, sizeof(byte), MSG_DONTWAIT | MSG_PEEK) < 0)
		fail(order, -ECONNRESET);
}

static int on_hello(struct order *order, json_object *packet)
{
	uint64_t version;
	const char *kind;

	if (packet_get_text(packet, "hello", MAX_NAME, &kind) < 0 ||
	    packet_get_uint(packet, "version", UINT32_MAX, &version) < 0)
		return -EBADMSG;
	if (strcmp(kind, order->config.kind) != 0 || version != PROTOCOL_VERSION)
		return -EPROTO;
	order->greeted = true;
	return order->process < 0 || io_new_read(order->config.loop, order->process, on_process_end,
						 order, &order->process_io) == 0
		       ? 0
		       : -EBADMSG;
}

/* Other events than that are for later versions. */
static int on_event(struct order *order, json_object *packet)
{
	const char *name, *stage;

	if (packet_get_text(packet, "event", MAX_NAME, &name) < 0)
		return -EBADMSG;
	if (strcmp(name, "stage") != 0)
		return 0;
	if (packet_get_text(packet, "stage", MAX_NAME, &stage) < 0)
		return -EBADMSG;
	order->config.stage(order->config.userdata, stage);
	return 0;
}

static int read_answer(json_object *packet, struct peer_reply *reply)
{
	const char *id;

	if (packet_get_text(packet, "id", MAX_NAME, &id) < 0 || strcmp(id, ID) != 0)
		return -EBADMSG;
	if (json_object_object_get_ex(packet, "error", NULL)) {
		reply->error = -EREMOTEIO;
		return packet_get_text(packet, "error", MAX_NAME, &reply->code) == 0 &&
				       packet_get_text(packet, "message", MAX_MESSAGE,
						       &reply->message) == 0
			       ? 0
			       : -EBADMSG;
	}
	return json_object_object_get_ex(packet, "result", &reply->result) &&
			       json_object_is_type(reply->result, json_type_object)
		       ? 0
		       : -EBADMSG;
}

/* Positive: the order has ended, and may be freed. */
static int on_packet(struct order *order, json_object *packet)
{
	struct peer_reply reply = {.fd = -1};
	int r;

	if (!order->greeted)
		return on_hello(order, packet);
	if (!json_object_object_get_ex(packet, "id", NULL))
		return on_event(order, packet);
	r = read_answer(packet, &reply);
	if (r < 0)
		return r;
	end(order, &reply);
	return 1;
}

/* One packet in a turn of the loop, so that others have theirs. */
static void on_readable(void *userdata)
{
	_cleanup_(json_putp) json_object *packet = NULL;
	_cleanup_(closep) int fd = -1;
	struct order *order = userdata;
	char data[PACKET_MAX];
	ssize_t size = packet_receive(order->fd, data, sizeof(data), &fd);
	int r = size < 0 ? (int)size : 0;

	if (r == -EAGAIN)
		return;
	if (size == 0)
		r = -ECONNRESET;
	/* The service manager closes those that are too many, without a word. */
	if (r == -ECONNRESET && !order->greeted)
		r = -EBUSY;
	if (fd >= 0 && order->greeted)
		r = -EBADMSG;
	else if (fd >= 0)
		order->process = steal_fd(&fd);
	if (r == 0)
		r = packet_parse(data, (size_t)size, &packet);
	if (r == 0)
		r = on_packet(order, packet);
	if (r < 0)
		fail(order, r == -EMSGSIZE ? -EBADMSG : r);
}

static int send_request(int fd, const struct order_config *config)
{
	json_object *members = config->members;
	const char *text;
	size_t length;
	int r = json_add(members, "id", json_object_new_string(ID));

	if (r == 0)
		r = json_add(members, "request", json_object_new_string(config->name));
	if (r < 0)
		return r;
	text = json_object_to_json_string_length(members, JSON_C_TO_STRING_PLAIN, &length);
	if (!text)
		return -ENOMEM;
	if (length > PACKET_MAX)
		return -EMSGSIZE;
	return packet_send_fds(fd, text, length, config->fds, config->nr_fds);
}

static int open_order(struct order *order)
{
	int r = packet_connect(order->config.path);

	if (r < 0)
		return r;
	order->fd = r;
	r = send_request(order->fd, &order->config);
	if (r == -EPIPE || r == -ECONNRESET)
		return -EBUSY;
	return r < 0 ? r
		     : io_new_read(order->config.loop, order->fd, on_readable, order, &order->io);
}

int order_new(const struct order_config *config, struct order **ret_order)
{
	_cleanup_(json_putp) json_object *members = config->members;
	struct order *order = members ? calloc(1, sizeof(*order)) : NULL;
	int r;

	if (!order)
		return -ENOMEM;
	*order = (struct order){.config = *config, .fd = -1, .process = -1};
	r = open_order(order);
	if (r < 0) {
		order_free(order);
		return r;
	}
	*ret_order = order;
	return 0;
}

struct order *order_free(struct order *order)
{
	if (!order)
		return NULL;
	io_free(order->io);
	io_free(order->process_io);
	closep(&order->fd);
	closep(&order->process);
	free(order);
	return NULL;
}
