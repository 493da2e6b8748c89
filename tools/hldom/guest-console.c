// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * hldom console: the consoles of guests, by the consoled of this domain, where no hyperlaunchd
 * publishes them; and the Xen console, which is console.c's.
 */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <xenstore.h>

#include "common/cleanup.h"
#include "common/json-write.h"
#include "common/packet.h"
#include "common/print-log.h"
#include "common/relay.h"
#include "hldom.h"
#include "peer.h"

#define KIND	   "console"
#define PEERS_DIR  "/run/hyperlaunch/peer"
#define MAX_DOMID  0x7fefu
#define MAX_REPLAY 65536
#define MAX_TEXT   63

struct console {
	uint32_t domid;
	char uuid[HL_UUID_TEXT_SIZE], state[MAX_TEXT + 1];
	char *name; /* NULL: not known */
	uint64_t attached, dropped;
};

/* What was asked for, and what there is. */
struct guests {
	const char *dir; /* of the helper's socket */
	bool read_only, exclusive, follow;
	uint32_t replay;
	int escape;
	struct peer *peer;
	struct console *list;
	size_t nr;
};

/* Printed, so nothing in it may act on a terminal. */
static int copy_text(json_object *members, const char *key, char *text, size_t size)
{
	_cleanup_(freep) char *shown = NULL;
	const char *value;

	if (packet_get_text(members, key, size - 1, &value) < 0)
		return -EBADMSG;
	shown = hl_utf8_dup(value);
	if (!shown)
		return -ENOMEM;
	snprintf(text, size, "%s", shown);
	return 0;
}

static int read_console(json_object *members, struct console *console)
{
	uint64_t domid;
	int r = copy_text(members, "uuid", console->uuid, sizeof(console->uuid));

	if (r == 0)
		r = copy_text(members, "state", console->state, sizeof(console->state));
	if (r == 0 && (packet_get_uint(members, "domid", MAX_DOMID, &domid) < 0 ||
		       packet_get_uint(members, "attached", UINT32_MAX, &console->attached) < 0 ||
		       packet_get_uint(members, "dropped", INT64_MAX, &console->dropped) < 0))
		r = -EBADMSG;
	if (r == 0)
		console->domid = (uint32_t)domid;
	return r;
}

static int on_event(void *userdata, const char *name, json_object *members)
{
	struct guests *guests = userdata;
	struct console console = {.name = NULL}, *list;
	int r;

	if (strcmp(name, "console") != 0)
		return 0;
	r = read_console(members, &console);
	if (r < 0)
		return r;
	for (size_t i = 0; i < guests->nr; i++) {
		if (guests->list[i].domid == console.domid) {
			guests->list[i] = console;
			return 0;
		}
	}
	if (guests->nr > MAX_DOMID)
		return -EBADMSG;
	list = realloc(guests->list, (guests->nr + 1) * sizeof(*list));
	if (!list)
		return -ENOMEM;
	guests->list = list;
	guests->list[guests->nr++] = console;
	return 0;
}

static void guests_clear(struct guests *guests)
{
	for (size_t i = 0; i < guests->nr; i++)
		free(guests->list[i].name);
	free(guests->list);
	peer_close(guests->peer);
}

/* Names are xenstore's; where it does not answer us, there are none. */
static void read_names(struct guests *guests)
{
	struct xs_handle *h = guests->nr > 0 ? xs_open(XS_UNWATCH_FILTER) : NULL;
	char path[64];

	for (size_t i = 0; h && i < guests->nr; i++) {
		_cleanup_(freep) char *name = NULL;

		snprintf(path, sizeof(path), "/local/domain/%" PRIu32 "/name",
			 guests->list[i].domid);
		name = xs_read(h, XBT_NULL, path, NULL);
		if (name)
			guests->list[i].name = hl_utf8_dup(name);
	}
	if (h)
		xs_close(h);
}

static enum exit_code report_failure(const struct guests *guests, int r)
{
	if (r == -ENOENT || r == -ECONNREFUSED)
		report_error("console: hyperlaunch-consoled does not run here (%s/" KIND ")",
			     guests->dir);
	else if (r == -EACCES || r == -EPERM)
		report_error("console: only root may connect to hyperlaunch-consoled");
	else if (r == -ETIMEDOUT)
		report_error("console: hyperlaunch-consoled does not answer");
	else if (r == -ECONNRESET || r == -EPIPE)
		report_error("console: hyperlaunch-consoled has ended the connection");
	else if (r == -EBADMSG || r == -EPROTO)
		report_error("console: hyperlaunch-consoled gave no valid answer");
	else
		report_error("console: %s", strerror(-r));
	return EXIT_FAILED;
}

static int connect_guests(struct guests *guests)
{
	int r = peer_open(guests->dir, KIND, on_event, guests, &guests->peer);

	if (r == 0)
		read_names(guests);
	return r;
}

static int list(struct guests *guests)
{
	printf("%-5s  %-20s  %-9s  %8s  %10s  %s\n", "DOMID", "NAME", "STATE", "ATTACHED",
	       "DROPPED", "UUID");
	for (size_t i = 0; i < guests->nr; i++) {
		const struct console *c = &guests->list[i];

		printf("%-5" PRIu32 "  %-20s  %-9s  %8" PRIu64 "  %10" PRIu64 "  %s\n", c->domid,
		       c->name && *c->name ? c->name : "-", c->state, c->attached, c->dropped,
		       *c->uuid ? c->uuid : "-");
	}
	return EXIT_OK;
}

/* As Xen prints it: "05" and "5 " are names. */
static bool is_domid(const char *text, uint32_t domid)
{
	char number[16];

	snprintf(number, sizeof(number), "%" PRIu32, domid);
	return strcmp(text, number) == 0;
}

/* By domid, UUID or name, in that order.  -ENOENT; -ENOTUNIQ: several have that name. */
static int find(const struct guests *guests, const char *text, const struct console **ret_console)
{
	const struct console *found = NULL;

	for (size_t i = 0; i < guests->nr; i++) {
		const struct console *c = &guests->list[i];

		if (is_domid(text, c->domid) || (*c->uuid && !strcasecmp(text, c->uuid))) {
			*ret_console = c;
			return 0;
		}
	}
	for (size_t i = 0; i < guests->nr; i++) {
		const struct console *c = &guests->list[i];

		if (!c->name || strcmp(text, c->name) != 0)
			continue;
		if (found)
			return -ENOTUNIQ;
		found = c;
	}
	*ret_console = found;
	return found ? 0 : -ENOENT;
}

static enum exit_code report_missing(const char *text, int r)
{
	if (r == -ENOTUNIQ)
		report_error("console: several domains are called '%s': say which by its domid",
			     text);
	else
		report_error("console: no domain '%s' has a console here ('hldom console list' "
			     "shows all)",
			     text);
	return EXIT_FAILED;
}

static int add_domain(json_object *members, const struct console *console)
{
	int r = json_add(members, "domid", json_object_new_int64(console->domid));

	/* The domid may have another domain by now. */
	if (r == 0 && *console->uuid)
		r = json_add(members, "uuid", json_object_new_string(console->uuid));
	return r;
}

/* Takes the members over; prints what is wrong. */
static enum exit_code ask(struct guests *guests, const char *request, json_object *members,
			  struct peer_result *ret_result)
{
	int r = peer_ask(guests->peer, request, members, ret_result);

	if (r == 0 && ret_result->fd < 0)
		r = -EBADMSG;
	if (r == -EREMOTEIO)
		report_error("console: %s", ret_result->message);
	else if (r < 0)
		return report_failure(guests, r);
	return r < 0 ? EXIT_FAILED : EXIT_OK;
}

static json_object *attach_members(const struct guests *guests, const struct console *console)
{
	_cleanup_(json_putp) json_object *members = json_object_new_object();

	if (!members || add_domain(members, console) < 0 ||
	    json_add(members, "read-only", json_object_new_boolean(guests->read_only)) < 0 ||
	    json_add(members, "exclusive", json_object_new_boolean(guests->exclusive)) < 0 ||
	    json_add(members, "replay", json_object_new_int64(guests->replay)) < 0)
		return NULL;
	return steal(&members);
}

/* Only where somebody sits there. */
static void greet(const struct guests *guests, const struct console *console, bool writer)
{
	char buf[3];

	if (!isatty(STDIN_FILENO))
		return;
	if (guests->escape == NO_ESCAPE)
		report_error("this is the console of domain %" PRIu32 "; a signal ends it",
			     console->domid);
	else
		report_error("this is the console of domain %" PRIu32 "; %s leaves it",
			     console->domid, relay_escape_name(guests->escape, buf));
	if (!guests->read_only && !writer)
		report_error("another client types here: what you type is thrown away until that "
			     "leaves");
}

static enum exit_code relay(const struct guests *guests, const struct console *console, int fd)
{
	int error = 0;

	switch (relay_run(fd, guests->escape, guests->read_only, &error)) {
	case RELAY_FAILED:
		report_error("console: %s", strerror(-error));
		return EXIT_FAILED;
	case RELAY_CLOSED:
		report_error("the console of domain %" PRIu32 " has ended", console->domid);
		break;
	case RELAY_LEFT:
		break;
	}
	return EXIT_OK;
}

static enum exit_code attach(struct guests *guests, const char *text)
{
	_cleanup_(peer_result_clear) struct peer_result result = {.fd = -1};
	const struct console *console;
	bool writer = false;
	enum exit_code code;
	int r = find(guests, text, &console);

	if (r < 0)
		return report_missing(text, r);
	code = ask(guests, "attach", attach_members(guests, console), &result);
	if (code)
		return code;
	if (packet_get_bool(result.members, "writer", &writer) < 0 || !isatty(result.fd))
		return report_failure(guests, -EBADMSG);
	greet(guests, console, writer);
	return relay(guests, console, result.fd);
}

/* A UUID may be that of a domain that is gone. */
static json_object *log_members(const struct guests *guests, const struct console *console,
				const char *uuid)
{
	_cleanup_(json_putp) json_object *members = json_object_new_object();
	int r = members ? 0 : -ENOMEM;

	if (r == 0)
		r = console ? add_domain(members, console)
			    : json_add(members, "uuid", json_object_new_string(uuid));
	if (r == 0)
		r = json_add(members, "follow", json_object_new_boolean(guests->follow));
	return r < 0 ? NULL : steal(&members);
}

static enum exit_code print_log(struct guests *guests, const char *text)
{
	_cleanup_(peer_result_clear) struct peer_result result = {.fd = -1};
	const struct console *console = NULL;
	char uuid[HL_UUID_TEXT_SIZE] = "";
	enum exit_code code;
	uint8_t bytes[16];
	int r = find(guests, text, &console);

	if (r == -ENOENT && hl_uuid_from_text(text, bytes) == 0) {
		hl_uuid_to_text(bytes, uuid);
		r = 0;
	}
	if (r < 0)
		return report_missing(text, r);
	code = ask(guests, "log", log_members(guests, console, uuid), &result);
	if (code)
		return code;
	r = print_console_log(result.fd, guests->follow, isatty(STDOUT_FILENO));
	if (r == 0)
		return EXIT_OK;
	report_error("console: cannot copy the log: %s", strerror(-r));
	return EXIT_FAILED;
}

static bool parse_replay(const char *text, uint32_t *ret_replay)
{
	unsigned long number;
	char *end;

	errno = 0;
	number = strtoul(text, &end, 10);
	*ret_replay = (uint32_t)number;
	return text[0] >= '0' && text[0] <= '9' && !*end && !errno && number <= MAX_REPLAY;
}

enum {
	OPTION_PEERS = 'p',
	OPTION_READ_ONLY = 'r',
	OPTION_EXCLUSIVE = 'x',
	OPTION_REPLAY = 'R',
	OPTION_ESCAPE = 'e',
	OPTION_FOLLOW = 'F'
};

static const struct option long_options[] = {
	{"peers", required_argument, NULL, OPTION_PEERS},
	{"read-only", no_argument, NULL, OPTION_READ_ONLY},
	{"exclusive", no_argument, NULL, OPTION_EXCLUSIVE},
	{"replay", required_argument, NULL, OPTION_REPLAY},
	{"escape", required_argument, NULL, OPTION_ESCAPE},
	{"follow", no_argument, NULL, OPTION_FOLLOW},
	{NULL, 0, NULL, 0},
};

static bool parse_option(struct guests *guests, int c)
{
	switch (c) {
	case OPTION_PEERS:
		guests->dir = optarg;
		return true;
	case OPTION_READ_ONLY:
		guests->read_only = true;
		return true;
	case OPTION_EXCLUSIVE:
		guests->exclusive = true;
		return true;
	case OPTION_REPLAY:
		return parse_replay(optarg, &guests->replay);
	case OPTION_ESCAPE:
		return relay_parse_escape(optarg, &guests->escape) == 0;
	case OPTION_FOLLOW:
		guests->follow = true;
		return true;
	default:
		return false;
	}
}

/* What is asked for; options: those that this one has besides --peers. */
struct action {
	const char *name, *options;
	enum exit_code (*run)(struct guests *guests, const char *text); /* NULL: list() */
};

/* False: a usage error. */
static bool parse(struct guests *guests, const struct action *action, int argc, char *argv[])
{
	int c, nr = action->run ? 1 : 0;

	optind = 0;
	opterr = 0;
	while ((c = getopt_long(argc, argv, "F", long_options, NULL)) >= 0)
		if ((c != OPTION_PEERS && !strchr(action->options, c)) || !parse_option(guests, c))
			return false;
	return argc - optind == nr && !(guests->read_only && guests->exclusive);
}

static int run_action(const struct action *action, int argc, char *argv[])
{
	struct guests guests = {.dir = PEERS_DIR, .escape = DEFAULT_ESCAPE};
	int r, code;

	if (!parse(&guests, action, argc, argv))
		return usage_error();
	r = connect_guests(&guests);
	if (r < 0)
		code = (int)report_failure(&guests, r);
	else
		code = action->run ? (int)action->run(&guests, argv[optind]) : list(&guests);
	guests_clear(&guests);
	return code;
}

/* After "--", and with a slash in it, each of these words is a program. */
int verb_console(int argc, char *argv[])
{
	static const struct action actions[] = {
		{"list", "", NULL},
		{"attach", "rxRe", attach},
		{"log", "F", print_log},
	};

	if (argc < 2)
		return usage_error();
	for (size_t i = 0; i < ARRAY_SIZE(actions); i++)
		if (strcmp(argv[1], actions[i].name) == 0)
			return run_action(&actions[i], argc - 1, argv + 1);
	if (strcmp(argv[1], "--") != 0)
		return run_on_console(argc, argv);
	return argc > 2 ? run_on_console(argc - 1, argv + 1) : usage_error();
}
