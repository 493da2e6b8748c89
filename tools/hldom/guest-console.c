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
#include "early.h"
#include "guests.h"
#include "hldom.h"
#include "peer.h"

#define MAX_REPLAY 65536

/* What was asked for, and what there is. */
struct request {
	const char *dir; /* of the helper's socket */
	bool read_only, exclusive, follow;
	uint32_t replay;
	int escape;
	struct peer *peer;
	struct guests guests;
};

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

static int list(struct request *request, const char *text)
{
	const struct guests *guests = &request->guests;

	read_names(&request->guests);
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

/*
 * By domid, UUID or name, in that order.  -ENOENT; -ENOTUNIQ: several have that name.
 * *ret_console is a copy, as events change the list.
 */
static int find(struct guests *guests, const char *text, struct console *ret_console)
{
	const struct console *found = NULL;

	for (size_t i = 0; i < guests->nr; i++) {
		const struct console *c = &guests->list[i];

		if (is_domid(text, c->domid) || (*c->uuid && !strcasecmp(text, c->uuid))) {
			*ret_console = *c;
			return 0;
		}
	}
	read_names(guests);
	for (size_t i = 0; i < guests->nr; i++) {
		const struct console *c = &guests->list[i];

		if (!c->name || strcmp(text, c->name) != 0)
			continue;
		if (found)
			return -ENOTUNIQ;
		found = c;
	}
	if (found)
		*ret_console = *found;
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

/* Takes the members over; prints what is wrong. */
static int ask(struct request *request, const char *name, json_object *members,
	       struct peer_result *ret_result)
{
	int r = peer_ask(request->peer, name, members, ret_result);

	if (r == 0 && ret_result->fd < 0)
		r = -EBADMSG;
	if (r == -EREMOTEIO)
		report_error("console: %s", ret_result->message);
	else if (r < 0)
		return guests_report_failure(request->dir, r);
	return r < 0 ? EXIT_FAILED : EXIT_OK;
}

static json_object *attach_members(const struct request *request, const struct console *console)
{
	_cleanup_(json_putp) json_object *members = json_object_new_object();

	if (!members || guests_add_domain(members, console->domid, console->uuid) < 0 ||
	    json_add(members, "read-only", json_object_new_boolean(request->read_only)) < 0 ||
	    json_add(members, "exclusive", json_object_new_boolean(request->exclusive)) < 0 ||
	    json_add(members, "replay", json_object_new_int64(request->replay)) < 0)
		return NULL;
	return steal(&members);
}

/* Only where somebody sits there. */
static void greet(const struct request *request, const struct console *console, bool writer)
{
	char buf[3];

	if (!isatty(STDIN_FILENO))
		return;
	if (request->escape == NO_ESCAPE)
		report_error("this is the console of domain %" PRIu32 "; a signal ends it",
			     console->domid);
	else
		report_error("this is the console of domain %" PRIu32 "; %s leaves it",
			     console->domid, relay_escape_name(request->escape, buf));
	if (!request->read_only && !writer)
		report_error("another client types here: what you type is thrown away until that "
			     "leaves");
}

static enum exit_code relay(const struct request *request, const struct console *console, int fd)
{
	int error = 0;

	switch (relay_run(fd, request->escape, request->read_only, &error)) {
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

static int attach(struct request *request, const char *text)
{
	_cleanup_(peer_result_clear) struct peer_result result = {.fd = -1};
	struct console console;
	bool writer = false;
	int code, r = find(&request->guests, text, &console);

	if (r < 0)
		return report_missing(text, r);
	code = ask(request, "attach", attach_members(request, &console), &result);
	if (code)
		return code;
	if (packet_get_bool(result.members, "writer", &writer) < 0 || !isatty(result.fd))
		return guests_report_failure(request->dir, -EBADMSG);
	greet(request, &console, writer);
	return relay(request, &console, result.fd);
}

/* A UUID may be that of a domain that is gone. */
static json_object *log_members(const struct request *request, const struct console *console,
				const char *uuid)
{
	_cleanup_(json_putp) json_object *members = json_object_new_object();
	int r = members ? 0 : -ENOMEM;

	if (r == 0)
		r = console ? guests_add_domain(members, console->domid, console->uuid)
			    : json_add(members, "uuid", json_object_new_string(uuid));
	if (r == 0)
		r = json_add(members, "follow", json_object_new_boolean(request->follow));
	return r < 0 ? NULL : steal(&members);
}

static int print_log(struct request *request, const char *text)
{
	_cleanup_(peer_result_clear) struct peer_result result = {.fd = -1};
	struct console console;
	char uuid[HL_UUID_TEXT_SIZE] = "";
	uint8_t bytes[16];
	int code, r = find(&request->guests, text, &console);
	bool is_known = r == 0;

	if (r == -ENOENT && hl_uuid_from_text(text, bytes) == 0) {
		hl_uuid_to_text(bytes, uuid);
		r = 0;
	}
	if (r < 0)
		return report_missing(text, r);
	code = ask(request, "log", log_members(request, is_known ? &console : NULL, uuid), &result);
	if (code)
		return code;
	r = print_console_log(result.fd, request->follow, isatty(STDOUT_FILENO));
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

static bool parse_option(struct request *request, int c)
{
	switch (c) {
	case OPTION_PEERS:
		request->dir = optarg;
		return true;
	case OPTION_READ_ONLY:
		request->read_only = true;
		return true;
	case OPTION_EXCLUSIVE:
		request->exclusive = true;
		return true;
	case OPTION_REPLAY:
		return parse_replay(optarg, &request->replay);
	case OPTION_ESCAPE:
		return relay_parse_escape(optarg, &request->escape) == 0;
	case OPTION_FOLLOW:
		request->follow = true;
		return true;
	default:
		return false;
	}
}

/* Until it is ended; nothing else may be asked of it meanwhile. */
static int give_early(struct request *request, const char *text)
{
	int r = early_run(request->peer, &request->guests);

	return r < 0 ? guests_report_failure(request->dir, r) : r;
}

/* What is asked for; options: those that this one has besides --peers. */
struct action {
	const char *name, *options;
	bool has_domain;
	int (*run)(struct request *request, const char *domain);
};

/* False: a usage error. */
static bool parse(struct request *request, const struct action *action, int argc, char *argv[])
{
	int c, nr = action->has_domain ? 1 : 0;

	optind = 0;
	opterr = 0;
	while ((c = getopt_long(argc, argv, "F", long_options, NULL)) >= 0)
		if ((c != OPTION_PEERS && !strchr(action->options, c)) || !parse_option(request, c))
			return false;
	return argc - optind == nr && !(request->read_only && request->exclusive);
}

static int run_action(const struct action *action, int argc, char *argv[])
{
	struct request request = {.dir = GUESTS_PEERS_DIR, .escape = DEFAULT_ESCAPE};
	int r, code;

	if (!parse(&request, action, argc, argv))
		return usage_error();
	r = peer_open(request.dir, GUESTS_KIND, guests_event, &request.guests, &request.peer);
	code = r < 0 ? guests_report_failure(request.dir, r) : action->run(&request, argv[optind]);
	guests_clear(&request.guests);
	peer_close(request.peer);
	return code;
}

/* After "--", and with a slash in it, each of these words is a program. */
int verb_console(int argc, char *argv[])
{
	static const struct action actions[] = {
		{"list", "", false, list},
		{"attach", "rxRe", true, attach},
		{"log", "F", true, print_log},
		{"early", "", false, give_early},
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
