// SPDX-License-Identifier: LGPL-2.1-or-later
/* Clients' requests about consoles, and the events. */
#include "requests.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "common/base64.h"
#include "early.h"
#include "saved.h"
#include "server.h"

#define MAX_DOMID 0x7fefu
/* What fits into a packet. */
#define MAX_INPUT 1024u

static const char *const state_names[] = {
	[CONSOLE_WAITING] = "waiting",
	[CONSOLE_SERVING] = "serving",
	[CONSOLE_BROKEN] = "broken",
	[CONSOLE_RELEASED] = "released",
};

static void __attribute__((format(printf, 3, 4))) fail(struct peer_answer *answer,
						       const char *error, const char *format, ...)
{
	va_list args;

	answer->error = error;
	va_start(args, format);
	vsnprintf(answer->message, sizeof(answer->message), format, args);
	va_end(args);
}

static void fail_with(struct peer_answer *answer, int r, uint32_t domid)
{
	switch (r) {
	case -EBUSY:
		fail(answer, "Busy", "domain %" PRIu32 ": another one has it", domid);
		break;
	case -EMFILE:
		fail(answer, "LimitsExceeded", "domain %" PRIu32 ": too many readers", domid);
		break;
	case -EAGAIN:
	case -EEXIST:
		fail(answer, "WrongState", "domain %" PRIu32 ": its console is %s", domid,
		     r == -EAGAIN ? "not being served" : "being served already");
		break;
	case -ENOMEM:
		fail(answer, "NoMemory", "no memory");
		break;
	default:
		fail(answer, "Failed", "domain %" PRIu32 ": %s", domid, strerror(-r));
	}
}

static bool add(struct json_object *object, const char *name, struct json_object *value)
{
	if (value && json_object_object_add(object, name, value) == 0)
		return true;
	json_object_put(value);
	return false;
}

/* An absent member has its default; false: it has another type, and the answer says so. */
static bool get_bool(struct json_object *packet, const char *name, bool *value,
		     struct peer_answer *answer)
{
	struct json_object *member = NULL;

	if (!json_object_object_get_ex(packet, name, &member))
		return true;
	if (!json_object_is_type(member, json_type_boolean)) {
		fail(answer, "InvalidArgs", "%s is no boolean", name);
		return false;
	}
	*value = json_object_get_boolean(member);
	return true;
}

/* Of 64 bits.  json-c has more than INT64_MAX as INT64_MAX. */
static bool get_number64(struct json_object *packet, const char *name, uint64_t *value,
			 struct peer_answer *answer)
{
	struct json_object *member = NULL;

	if (!json_object_object_get_ex(packet, name, &member))
		return true;
	if (!json_object_is_type(member, json_type_int) || json_object_get_int64(member) < 0) {
		fail(answer, "InvalidArgs", "%s is no number", name);
		return false;
	}
	*value = json_object_get_uint64(member);
	return true;
}

static bool get_number(struct json_object *packet, const char *name, uint32_t max, uint32_t *value,
		       struct peer_answer *answer)
{
	struct json_object *member = NULL;
	int64_t number;

	if (!json_object_object_get_ex(packet, name, &member))
		return true;
	number = json_object_get_int64(member);
	if (!json_object_is_type(member, json_type_int) || number < 0 || number > (int64_t)max) {
		fail(answer, "InvalidArgs", "%s is no number from 0 to %" PRIu32, name, max);
		return false;
	}
	*value = (uint32_t)number;
	return true;
}

static const char *get_text(struct json_object *packet, const char *name)
{
	struct json_object *member = NULL;

	if (!json_object_object_get_ex(packet, name, &member) ||
	    !json_object_is_type(member, json_type_string))
		return NULL;
	return json_object_get_string(member);
}

/* A domid can be used again: who knows the uuid names it, too. */
static bool is_uuid_of(const struct console *console, struct json_object *packet)
{
	const char *uuid = get_text(packet, "uuid");
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
		fail(answer, "InvalidArgs", "domid is missing");
		return NULL;
	}
	if (!get_number(packet, "domid", MAX_DOMID, ret_domid, answer))
		return NULL;
	console = server_find(server, *ret_domid);
	if (!console || !is_uuid_of(console, packet)) {
		fail(answer, "NoSuchDomain",
		     "domain %" PRIu32 " has no console that is served here", *ret_domid);
		return NULL;
	}
	return console;
}

static void do_attach(struct server *server, const char *id, struct json_object *packet,
		      struct peer_answer *answer)
{
	struct attach_options options = {.replay = 0};
	struct console *console;
	uint32_t domid;
	bool writer;
	int r;

	if (!get_bool(packet, "read-only", &options.read_only, answer) ||
	    !get_bool(packet, "exclusive", &options.exclusive, answer) ||
	    !get_number(packet, "replay", REPLAY_SIZE, &options.replay, answer))
		return;
	if (options.read_only && options.exclusive) {
		fail(answer, "InvalidArgs", "a reader is never exclusive");
		return;
	}
	console = get_console(server, packet, &domid, answer);
	if (!console)
		return;
	r = console_attach(console, &options, &answer->fd, &writer);
	if (r < 0) {
		fail_with(answer, r, domid);
		return;
	}
	answer->result = json_object_new_object();
	if (!answer->result || !add(answer->result, "writer", json_object_new_boolean(writer)))
		fail_with(answer, -ENOMEM, domid);
}

static void answer_log(struct peer_answer *answer, int r, uint32_t domid, uint64_t size)
{
	if (r == -ENOENT) {
		fail(answer, "NoSuchDomain", "no domain with that uuid has a log");
		return;
	}
	if (r == 0) {
		answer->result = json_object_new_object();
		if (!answer->result || !add(answer->result, "size", json_object_new_uint64(size)))
			r = -ENOMEM;
	}
	if (r < 0)
		fail_with(answer, r, domid);
}

static void do_log(struct server *server, const char *id, struct json_object *packet,
		   struct peer_answer *answer)
{
	const char *uuid = get_text(packet, "uuid");
	char checked[UUID_SIZE] = "";
	char path[UUID_SIZE + 4];
	struct console *console;
	uint32_t domid = 0;
	bool follow = false;
	uint64_t size = 0;
	int r;

	if (!get_bool(packet, "follow", &follow, answer))
		return;
	if (!uuid || json_object_object_get_ex(packet, "domid", NULL)) {
		console = get_console(server, packet, &domid, answer);
		if (!console)
			return;
	} else {
		snprintf(path, sizeof(path), "/vm/%s", uuid);
		uuid_from_path(strlen(uuid) < UUID_SIZE ? path : "", checked);
		if (checked[0] == '\0') {
			fail(answer, "InvalidArgs", "uuid is no uuid");
			return;
		}
		console = server_find_uuid(server, checked);
	}
	r = console ? console_follow(console, follow, &answer->fd, &size)
		    : server_follow(server, checked, &answer->fd, &size);
	answer_log(answer, r, domid, size);
}

/* What a request that comes again is known by: a job outlives the ids of its requests. */
static const char *get_job(struct json_object *packet, const char *id, struct peer_answer *answer)
{
	const char *job = get_text(packet, "job");

	if (!json_object_object_get_ex(packet, "job", NULL))
		return id;
	if (job && job[0] != '\0' && strlen(job) < SAVED_ID_SIZE)
		return job;
	fail(answer, "InvalidArgs", "job is no text of 1 to %d bytes", SAVED_ID_SIZE - 1);
	return NULL;
}

static bool get_yield(struct json_object *packet, bool *yield, struct peer_answer *answer)
{
	const char *to = get_text(packet, "to");

	*yield = to && strcmp(to, CONSOLE_TYPE_XENCONSOLED) == 0;
	if (*yield || !json_object_object_get_ex(packet, "to", NULL))
		return true;
	fail(answer, "InvalidArgs", "to is not " CONSOLE_TYPE_XENCONSOLED);
	return false;
}

static bool add_ring(struct json_object *result, const struct console *console)
{
	uint64_t ring_ref;
	uint32_t port;

	console_get_ring(console, &port, &ring_ref);
	return add(result, "port", json_object_new_int64(port)) &&
	       add(result, "ring-ref", json_object_new_uint64(ring_ref));
}

static void do_release(struct server *server, const char *id, struct json_object *packet,
		       struct peer_answer *answer)
{
	uint8_t input[SAVED_INPUT_SIZE];
	char text[BASE64_SIZE(SAVED_INPUT_SIZE)];
	uint32_t domid;
	size_t size;
	struct console *console = get_console(server, packet, &domid, answer);
	const char *job = console ? get_job(packet, id, answer) : NULL;
	bool yield;
	int r;

	if (!job || !get_yield(packet, &yield, answer))
		return;
	r = server_release(server, console, job, yield, input, &size);
	if (r < 0) {
		fail_with(answer, r, domid);
		return;
	}
	base64_encode(input, size, text);
	answer->result = json_object_new_object();
	if (!answer->result || !add(answer->result, "input", json_object_new_string(text)) ||
	    !add_ring(answer->result, console))
		fail_with(answer, -ENOMEM, domid);
}

/* The domain that is taken; one that is not known (yet) is described by the request. */
static bool get_facts(struct server *server, struct json_object *packet,
		      struct console_facts *facts, struct peer_answer *answer)
{
	const char *uuid = get_text(packet, "uuid");
	char path[UUID_SIZE + 4];

	*facts = (struct console_facts){.domid = 0};
	if (!get_number(packet, "domid", MAX_DOMID, &facts->domid, answer))
		return false;
	if (!json_object_object_get_ex(packet, "port", NULL) || server_find(server, facts->domid))
		return get_console(server, packet, &facts->domid, answer) != NULL;
	if (!get_number(packet, "port", INT32_MAX, &facts->remote_port, answer) ||
	    !get_number64(packet, "ring-ref", &facts->ring_ref, answer))
		return false;
	if (uuid && strlen(uuid) < UUID_SIZE) {
		snprintf(path, sizeof(path), "/vm/%s", uuid);
		uuid_from_path(path, facts->uuid);
	}
	return true;
}

static void do_take(struct server *server, const char *id, struct json_object *packet,
		    struct peer_answer *answer)
{
	const char *text = get_text(packet, "input"), *job;
	struct console_facts facts;
	uint8_t input[MAX_INPUT];
	size_t size = 0;
	int r;

	if (!get_facts(server, packet, &facts, answer))
		return;
	job = get_job(packet, id, answer);
	if (!job)
		return;
	if (text && base64_decode(text, input, sizeof(input), &size) < 0) {
		fail(answer, "InvalidArgs", "input is no Base64 of %u bytes at most", MAX_INPUT);
		return;
	}
	r = server_take(server, &facts, job, input, size);
	if (r == -ENOENT)
		fail(answer, "InvalidArgs", "port is no event channel");
	else if (r < 0)
		fail_with(answer, r, facts.domid);
}

static bool get_early(struct json_object *packet, uint8_t data[EARLY_PART_SIZE],
		      struct early_part *part, struct peer_answer *answer)
{
	const char *text = get_text(packet, "data");

	if (!get_number(packet, "size", EARLY_SIZE, &part->size, answer) ||
	    !get_number(packet, "offset", EARLY_SIZE, &part->offset, answer))
		return false;
	if (!text || base64_decode(text, data, EARLY_PART_SIZE, &part->length) < 0) {
		fail(answer, "InvalidArgs", "data is no Base64 of %u bytes at most",
		     EARLY_PART_SIZE);
		return false;
	}
	part->data = data;
	return get_number64(packet, "dropped", &part->dropped, answer);
}

static void do_early(struct server *server, const char *id, struct json_object *packet,
		     struct peer_answer *answer)
{
	uint8_t data[EARLY_PART_SIZE];
	struct early_part part = {.size = 0};
	struct console *console;
	uint32_t domid;
	int r;

	if (!get_early(packet, data, &part, answer))
		return;
	console = get_console(server, packet, &domid, answer);
	if (!console)
		return;
	r = console_early(console, &part);
	if (r == -EAGAIN)
		fail(answer, "WrongState", "domain %" PRIu32 ": another part is to come", domid);
	else if (r == -EINVAL)
		fail(answer, "InvalidArgs", "offset and data exceed size, or data is empty");
	else if (r < 0)
		fail_with(answer, r, domid);
}

static void on_request(void *userdata, const char *id, const char *name, struct json_object *packet,
		       struct peer_answer *answer)
{
	static const struct {
		const char *name;
		void (*run)(struct server *server, const char *id, struct json_object *packet,
			    struct peer_answer *answer);
	} requests[] = {
		{"attach", do_attach},	 {"early", do_early}, {"log", do_log},
		{"release", do_release}, {"take", do_take},
	};

	for (size_t i = 0; i < ARRAY_SIZE(requests); i++) {
		if (strcmp(name, requests[i].name) == 0) {
			requests[i].run(userdata, id, packet, answer);
			return;
		}
	}
	fail(answer, "NotSupported", "no such request");
}

static bool add_status(struct json_object *event, const struct console_status *status)
{
	return add(event, "event", json_object_new_string("console")) &&
	       add(event, "domid", json_object_new_int64(status->domid)) &&
	       add(event, "uuid", json_object_new_string(status->uuid)) &&
	       add(event, "state", json_object_new_string(state_names[status->state])) &&
	       add(event, "tty", json_object_new_string(status->tty)) &&
	       add(event, "attached", json_object_new_int64(status->attached)) &&
	       add(event, "writer", json_object_new_boolean(status->writer)) &&
	       add(event, "dropped", json_object_new_uint64(status->dropped)) &&
	       add(event, "early", json_object_new_boolean(status->early));
}

static struct json_object *make_event(void *userdata, uint32_t object)
{
	const struct console *console = server_find(userdata, object);
	struct json_object *event = json_object_new_object();
	struct console_status status;
	bool made;

	if (!event)
		return NULL;
	if (console) {
		server_get_status(userdata, console, &status);
		made = add_status(event, &status);
	} else {
		made = add(event, "event", json_object_new_string("gone")) &&
		       add(event, "domid", json_object_new_int64(object));
	}
	if (made)
		return event;
	json_object_put(event);
	return NULL;
}

static int64_t next_console(void *userdata, int64_t object)
{
	struct console *console = server_next(userdata, object);
	struct console_status status;

	if (!console)
		return -1;
	console_get_status(console, &status);
	return status.domid;
}

struct peer_ops requests_ops(struct server *server)
{
	return (struct peer_ops){
		.request = on_request,
		.event = make_event,
		.next = next_console,
		.userdata = server,
	};
}
