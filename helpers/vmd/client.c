// SPDX-License-Identifier: LGPL-2.1-or-later
/* Packets of the connection. */
#include "client.h"

#include <errno.h>
#include <json-c/json.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/json-write.h"
#include "common/packet.h"

/* A client that does not read is given so long, as the service manager's own. */
#define SEND_MAX_MS 5000

static int wait_for(const struct client *client, short events, int timeout_ms)
{
	struct pollfd wanted = {.fd = client->fd, .events = events};
	int r;

	do
		r = poll(&wanted, 1, timeout_ms);
	while (r < 0 && errno == EINTR);
	return r < 0 ? -errno : r == 0 ? -ETIMEDOUT : 0;
}

/* Takes `packet` over; where it cannot be made or sent, the client counts as gone. */
static int send_object_fd(struct client *client, json_object *packet, int r, int fd)
{
	_cleanup_(json_putp) json_object *object = packet;
	const char *text =
		r == 0 ? json_object_to_json_string_ext(object, JSON_C_TO_STRING_PLAIN) : NULL;

	if (client->gone)
		return -EPIPE;
	if (!text)
		r = -ENOMEM;
	if (r == 0)
		r = packet_send_fds(client->fd, text, strlen(text), &fd, fd >= 0);
	if (r == -EAGAIN) {
		r = wait_for(client, POLLOUT, SEND_MAX_MS);
		if (r == 0)
			r = packet_send_fds(client->fd, text, strlen(text), &fd, fd >= 0);
	}
	client->gone = client->gone || r < 0;
	return r;
}

static int send_object(struct client *client, json_object *packet, int r)
{
	return send_object_fd(client, packet, r, -1);
}

/* QEMU holds the connection open for longer than this process lives, which is what counts. */
int client_greet(struct client *client)
{
	_cleanup_(closep) int process = pidfd_open(getpid(), 0);
	json_object *hello = json_object_new_object();
	int r = hello ? json_add(hello, "hello", json_object_new_string("vm")) : -ENOMEM;

	if (r == 0)
		r = json_add(hello, "version", json_object_new_int(1));
	if (process < 0)
		fprintf(stderr, "<4>no descriptor of this process: %s\n", strerror(errno));
	return send_object_fd(client, hello, r, process);
}

static int note_id(struct client *client, json_object *packet)
{
	const char *id;
	int r = packet_get_text(packet, "id", sizeof(client->id) - 1, &id);

	if (r == 0)
		snprintf(client->id, sizeof(client->id), "%s", id);
	return r;
}

static int parse(struct client *client, const char *data, ssize_t size, json_object **ret_packet)
{
	_cleanup_(json_putp) json_object *packet = NULL;
	int r = size < 0 ? (int)size : size == 0 ? -ECONNRESET : 0;

	if (r == 0)
		r = packet_parse(data, (size_t)size, &packet);
	if (r == 0)
		r = note_id(client, packet);
	if (r == 0)
		*ret_packet = steal(&packet);
	return r;
}

int client_read(struct client *client, json_object **ret_packet, int *fds, size_t *ret_nr)
{
	char data[PACKET_MAX];
	ssize_t size;
	int r = wait_for(client, POLLIN, -1);

	*ret_nr = 0;
	if (r < 0)
		return r;
	size = packet_receive_fds(client->fd, data, sizeof(data), fds, PACKET_FDS_MAX, ret_nr);
	return parse(client, data, size, ret_packet);
}

void client_tell_stage(struct client *client, const char *stage)
{
	json_object *event = json_object_new_object();
	int r = event ? json_add(event, "event", json_object_new_string("stage")) : -ENOMEM;

	if (r == 0)
		r = json_add(event, "stage", json_object_new_string(stage));
	(void)send_object(client, event, r);
}

static void answer(struct client *client, json_object *object, int r)
{
	if (r == 0)
		r = json_add(object, "id", json_object_new_string(client->id));
	(void)send_object(client, object, r);
}

void client_tell_result(struct client *client, json_object *result)
{
	json_object *object = json_object_new_object();

	if (!result)
		result = json_object_new_object();
	if (!object) {
		json_object_put(result);
		return;
	}
	answer(client, object, json_add(object, "result", result));
}

void client_tell_error(struct client *client, const char *code, const char *format, ...)
{
	json_object *object = json_object_new_object();
	char text[512];
	va_list args;
	int r;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	fprintf(stderr, "<3>%s: %s\n", code, text);
	r = object ? json_add(object, "error", json_object_new_string(code)) : -ENOMEM;
	if (r == 0)
		r = json_add(object, "message", json_object_new_string(text));
	answer(client, object, r);
}

/* It sends nothing after its order, so whatever it is readable for is its end. */
bool client_has_left(struct client *client)
{
	char byte;
	ssize_t n = recv(client->fd, &byte, sizeof(byte), MSG_DONTWAIT | MSG_PEEK);

	if (n >= 0 || (errno != EAGAIN && errno != EINTR))
		client->gone = true;
	return client->gone;
}
