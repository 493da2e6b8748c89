// SPDX-License-Identifier: LGPL-2.1-or-later
/* Clients' requests about consoles, and the events. */
#include "requests.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "common/base64.h"
#include "early.h"
#include "members.h"
#include "relay.h"
#include "requests-stream.h"
#include "saved.h"
#include "server.h"
#include "stream.h"

#define MAX_DOMID 0x7fefu
/* What fits into a packet. */
#define MAX_INPUT 1024u

static const char *const state_names[] = {
	[CONSOLE_WAITING] = "waiting",
	[CONSOLE_SERVING] = "serving",
	[CONSOLE_BROKEN] = "broken",
	[CONSOLE_RELEASED] = "released",
};

/* A domid can be used again: who knows the uuid names it, too. */
static bool is_uuid_of(const struct console *console, struct json_object *packet)
{
	const char *uuid = member_text(packet, "uuid");
	struct console_status status;

	console_get_status(console, &status);
	return !uuid || strcmp(status.uuid, uuid) == 0;
}

/* The console that a request is about; NULL: the answer says why. */
static struct console *get_console(struct server *server, struct json_object *packet,
				   uint32_t *ret_domid, struct peer_answer *answer)
{
	struct console *console;

	*ret_domid = 0;
	if (!json_object_object_get_ex(packet, "domid", NULL)) {
		answer_fail(answer, "InvalidArgs", "domid is missing");
		return NULL;
	}
	if (!member_number(packet, "domid", MAX_DOMID, ret_domid, answer))
		return NULL;
	console = server_find(server, *ret_domid);
	if (!console || !is_uuid_of(console, packet)) {
		answer_fail(answer, "NoSuchDomain",
			    "domain %" PRIu32 " has no console that is served here", *ret_domid);
		return NULL;
	}
	return console;
}

/* The terminal that xl console has here, for that of another domain. */
static int open_terminal(const struct console *console, int *ret_fd, bool *ret_writer)
{
	struct console_status status;

	console_get_status(console, &status);
	if (status.state != CONSOLE_SERVING)
		return -EAGAIN;
	*ret_writer = true;
	*ret_fd = open(status.tty, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
	return *ret_fd < 0 ? -errno : 0;
}

static void do_attach(struct requests *requests, const char *id, struct json_object *packet,
		      struct peer_answer *answer)
{
	struct attach_options options = {.replay = 0};
	struct stream_target target;
	bool terminal = false, writer;
	struct console *console;
	uint32_t domid;
	int r;

	if (!member_bool(packet, "terminal", &terminal, answer) ||
	    !member_bool(packet, "read-only", &options.read_only, answer) ||
	    !member_bool(packet, "exclusive", &options.exclusive, answer) ||
	    !member_number(packet, "replay", REPLAY_SIZE, &options.replay, answer) ||
	    !stream_target_get(requests, packet, &target, answer))
		return;
	if (options.read_only && options.exclusive) {
		answer_fail(answer, "InvalidArgs", "a reader is never exclusive");
		return;
	}
	console = get_console(requests->server, packet, &domid, answer);
	if (!console)
		return;
	r = terminal ? open_terminal(console, &answer->fd, &writer)
		     : console_attach(console, &options, &answer->fd, &writer);
	if (r < 0) {
		answer_fail_with(answer, r, domid);
		return;
	}
	answer->result = json_object_new_object();
	if (!answer->result ||
	    !member_add(answer->result, "writer", json_object_new_boolean(writer)))
		answer_fail_with(answer, -ENOMEM, domid);
	else
		stream_divert(requests->streams, &target, STREAM_READS | STREAM_WRITES, answer);
}

static void answer_log(struct peer_answer *answer, int r, uint32_t domid, uint64_t size)
{
	if (r == -ENOENT) {
		answer_fail(answer, "NoSuchDomain", "no domain with that uuid has a log");
		return;
	}
	if (r == 0) {
		answer->result = json_object_new_object();
		if (!answer->result ||
		    !member_add(answer->result, "size", json_object_new_uint64(size)))
			r = -ENOMEM;
	}
	if (r < 0)
		answer_fail_with(answer, r, domid);
}

static void do_log(struct requests *requests, const char *id, struct json_object *packet,
		   struct peer_answer *answer)
{
	const char *uuid = member_text(packet, "uuid");
	char checked[UUID_SIZE] = "";
	char path[UUID_SIZE + 4];
	struct console *console;
	uint32_t domid = 0;
	struct stream_target target;
	bool follow = false;
	uint64_t size = 0;
	int r;

	if (!member_bool(packet, "follow", &follow, answer) ||
	    !stream_target_get(requests, packet, &target, answer))
		return;
	if (!uuid || json_object_object_get_ex(packet, "domid", NULL)) {
		console = get_console(requests->server, packet, &domid, answer);
		if (!console)
			return;
	} else {
		snprintf(path, sizeof(path), "/vm/%s", uuid);
		uuid_from_path(strlen(uuid) < UUID_SIZE ? path : "", checked);
		if (checked[0] == '\0') {
			answer_fail(answer, "InvalidArgs", "uuid is no uuid");
			return;
		}
		console = server_find_uuid(requests->server, checked);
	}
	r = console ? console_follow(console, follow, &answer->fd, &size)
		    : server_follow(requests->server, checked, &answer->fd, &size);
	answer_log(answer, r, domid, size);
	if (!answer->error)
		stream_divert(requests->streams, &target, STREAM_READS, answer);
}

/* What a request that comes again is known by: a job outlives the ids of its requests. */
static const char *get_job(struct json_object *packet, const char *id, struct peer_answer *answer)
{
	const char *job = member_text(packet, "job");

	if (!json_object_object_get_ex(packet, "job", NULL))
		return id;
	if (job && job[0] != '\0' && strlen(job) < SAVED_ID_SIZE)
		return job;
	answer_fail(answer, "InvalidArgs", "job is no text of 1 to %d bytes", SAVED_ID_SIZE - 1);
	return NULL;
}

static bool get_yield(struct json_object *packet, bool *yield, struct peer_answer *answer)
{
	const char *to = member_text(packet, "to");

	*yield = to && strcmp(to, CONSOLE_TYPE_XENCONSOLED) == 0;
	if (*yield || !json_object_object_get_ex(packet, "to", NULL))
		return true;
	answer_fail(answer, "InvalidArgs", "to is not " CONSOLE_TYPE_XENCONSOLED);
	return false;
}

static bool add_ring(struct json_object *result, const struct console *console)
{
	uint64_t ring_ref;
	uint32_t port;

	console_get_ring(console, &port, &ring_ref);
	return member_add(result, "port", json_object_new_int64(port)) &&
	       member_add(result, "ring-ref", json_object_new_uint64(ring_ref));
}

static void do_release(struct requests *requests, const char *id, struct json_object *packet,
		       struct peer_answer *answer)
{
	uint8_t input[SAVED_INPUT_SIZE];
	char text[BASE64_SIZE(SAVED_INPUT_SIZE)];
	uint32_t domid;
	size_t size;
	struct console *console = get_console(requests->server, packet, &domid, answer);
	const char *job = console ? get_job(packet, id, answer) : NULL;
	bool yield;
	int r;

	if (!job || !get_yield(packet, &yield, answer))
		return;
	r = server_release(requests->server, console, job, yield, input, &size);
	if (r < 0) {
		answer_fail_with(answer, r, domid);
		return;
	}
	base64_encode(input, size, text);
	answer->result = json_object_new_object();
	if (!answer->result || !member_add(answer->result, "input", json_object_new_string(text)) ||
	    !add_ring(answer->result, console))
		answer_fail_with(answer, -ENOMEM, domid);
}

/* The domain that is taken; one that is not known (yet) is described by the request. */
static bool get_facts(struct server *server, struct json_object *packet,
		      struct console_facts *facts, struct peer_answer *answer)
{
	const char *uuid = member_text(packet, "uuid");
	char path[UUID_SIZE + 4];

	*facts = (struct console_facts){.domid = 0};
	if (!member_number(packet, "domid", MAX_DOMID, &facts->domid, answer))
		return false;
	if (!json_object_object_get_ex(packet, "port", NULL) || server_find(server, facts->domid))
		return get_console(server, packet, &facts->domid, answer) != NULL;
	if (!member_number(packet, "port", INT32_MAX, &facts->remote_port, answer) ||
	    !member_number64(packet, "ring-ref", &facts->ring_ref, answer))
		return false;
	if (uuid && strlen(uuid) < UUID_SIZE) {
		snprintf(path, sizeof(path), "/vm/%s", uuid);
		uuid_from_path(path, facts->uuid);
	}
	return true;
}

static void do_take(struct requests *requests, const char *id, struct json_object *packet,
		    struct peer_answer *answer)
{
	const char *text = member_text(packet, "input"), *job;
	struct console_facts facts;
	uint8_t input[MAX_INPUT];
	size_t size = 0;
	int r;

	if (!get_facts(requests->server, packet, &facts, answer))
		return;
	job = get_job(packet, id, answer);
	if (!job)
		return;
	if (text && base64_decode(text, input, sizeof(input), &size) < 0) {
		answer_fail(answer, "InvalidArgs", "input is no Base64 of %u bytes at most",
			    MAX_INPUT);
		return;
	}
	r = server_take(requests->server, &facts, job, input, size);
	if (r == -ENOENT)
		answer_fail(answer, "InvalidArgs", "port is no event channel");
	else if (r < 0)
		answer_fail_with(answer, r, facts.domid);
	else if (requests->relays)
		(void)relays_end(requests->relays, facts.domid, false);
}

static bool get_early(struct json_object *packet, uint8_t data[EARLY_PART_SIZE],
		      struct early_part *part, struct peer_answer *answer)
{
	const char *text = member_text(packet, "data");

	if (!member_number(packet, "size", EARLY_SIZE, &part->size, answer) ||
	    !member_number(packet, "offset", EARLY_SIZE, &part->offset, answer))
		return false;
	if (!text || base64_decode(text, data, EARLY_PART_SIZE, &part->length) < 0) {
		answer_fail(answer, "InvalidArgs", "data is no Base64 of %u bytes at most",
			    EARLY_PART_SIZE);
		return false;
	}
	part->data = data;
	return member_number64(packet, "dropped", &part->dropped, answer);
}

static void do_early(struct requests *requests, const char *id, struct json_object *packet,
		     struct peer_answer *answer)
{
	uint8_t data[EARLY_PART_SIZE];
	struct early_part part = {.size = 0};
	struct console *console;
	uint32_t domid;
	int r;

	if (!get_early(packet, data, &part, answer))
		return;
	console = get_console(requests->server, packet, &domid, answer);
	if (!console)
		return;
	r = console_early(console, &part);
	if (r == -EAGAIN)
		answer_fail(answer, "WrongState", "domain %" PRIu32 ": another part is to come",
			    domid);
	else if (r == -EINVAL)
		answer_fail(answer, "InvalidArgs", "offset and data exceed size, or data is empty");
	else if (r < 0)
		answer_fail_with(answer, r, domid);
}

static void on_request(void *userdata, const char *id, const char *name, struct json_object *packet,
		       struct peer_answer *answer)
{
	static const struct {
		const char *name;
		void (*run)(struct requests *requests, const char *id, struct json_object *packet,
			    struct peer_answer *answer);
	} requests[] = {
		{"attach", do_attach}, {"early", do_early}, {"keep-streams", do_keep_streams},
		{"log", do_log},       {"relay", do_relay}, {"release", do_release},
		{"stream", do_stream}, {"take", do_take},   {"unrelay", do_unrelay},
	};

	for (size_t i = 0; i < ARRAY_SIZE(requests); i++) {
		if (strcmp(name, requests[i].name) == 0) {
			requests[i].run(userdata, id, packet, answer);
			return;
		}
	}
	answer_fail(answer, "NotSupported", "no such request");
}

static bool add_status(struct json_object *event, const struct console_status *status)
{
	return member_add(event, "event", json_object_new_string("console")) &&
	       member_add(event, "domid", json_object_new_int64(status->domid)) &&
	       member_add(event, "uuid", json_object_new_string(status->uuid)) &&
	       member_add(event, "state", json_object_new_string(state_names[status->state])) &&
	       member_add(event, "tty", json_object_new_string(status->tty)) &&
	       member_add(event, "attached", json_object_new_int64(status->attached)) &&
	       member_add(event, "writer", json_object_new_boolean(status->writer)) &&
	       member_add(event, "dropped", json_object_new_uint64(status->dropped)) &&
	       member_add(event, "early", json_object_new_boolean(status->early));
}

/* What is not known of a console that another domain serves is as if nothing was. */
static bool add_relay(struct json_object *event, const struct relay_status *status)
{
	return member_add(event, "event", json_object_new_string("console")) &&
	       member_add(event, "domid", json_object_new_int64(status->domid)) &&
	       member_add(event, "uuid", json_object_new_string(status->uuid)) &&
	       member_add(event, "state",
			  json_object_new_string(status->connected ? "relayed" : "detached")) &&
	       member_add(event, "tty", json_object_new_string(status->tty)) &&
	       member_add(event, "backend", json_object_new_int64(status->backend)) &&
	       member_add(event, "attached", json_object_new_int(0)) &&
	       member_add(event, "writer", json_object_new_boolean(false)) &&
	       member_add(event, "dropped", json_object_new_int(0));
}

static struct json_object *make_event(void *userdata, uint32_t object)
{
	const struct requests *requests = userdata;
	const struct console *console = server_find(requests->server, object);
	struct json_object *event = json_object_new_object();
	struct console_status status;
	struct relay_status relay;
	bool made;

	if (!event)
		return NULL;
	if (console) {
		server_get_status(requests->server, console, &status);
		made = add_status(event, &status);
	} else if (requests->relays && relays_get(requests->relays, object, &relay)) {
		made = add_relay(event, &relay);
	} else {
		made = member_add(event, "event", json_object_new_string("gone")) &&
		       member_add(event, "domid", json_object_new_int64(object));
	}
	if (made)
		return event;
	json_object_put(event);
	return NULL;
}

static int64_t next_object(void *userdata, int64_t object)
{
	const struct requests *requests = userdata;
	struct console *console = server_next(requests->server, object);
	int64_t relay = requests->relays ? relays_next(requests->relays, object) : -1;
	struct console_status status;

	if (!console)
		return relay;
	console_get_status(console, &status);
	return relay >= 0 && relay < status.domid ? relay : status.domid;
}

struct peer_ops requests_ops(struct requests *requests)
{
	return (struct peer_ops){
		.request = on_request,
		.event = make_event,
		.next = next_object,
		.userdata = requests,
	};
}
