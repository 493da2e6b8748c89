// SPDX-License-Identifier: LGPL-2.1-or-later
/* hlctl console: a domain's console, and its log. */
#include <errno.h>
#include <hyperlaunch/hl.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "bus.h"
#include "common/print-log.h"
#include "common/relay.h"
#include "domains.h"
#include "lookup.h"
#include "pager.h"

#define STATE_SIZE 32
/* How long a console may be without a back end: 10 s. */
#define AGAIN_USEC  250000
#define AGAIN_TRIES 40

static int escape_of(const struct options *options)
{
	return options->escape == ESCAPE_DEFAULT ? DEFAULT_ESCAPE
	       : options->escape == ESCAPE_NONE	 ? NO_ESCAPE
						 : options->escape;
}

/* What is wrong with the options together. */
static enum exit_code check_options(const struct options *options)
{
	if (options->json)
		return report_error(EXIT_USAGE, "console: it is bytes; it has no JSON");
	if (options->follow && !options->log)
		return report_error(EXIT_USAGE, "console: --follow is for --log");
	if (options->log && (options->read_only || options->exclusive || options->replay ||
			     options->escape != ESCAPE_DEFAULT))
		return report_error(EXIT_USAGE, "console: with --log there is no --read-only, "
						"--exclusive, --replay or --escape");
	if (options->read_only && options->exclusive)
		return report_error(EXIT_USAGE, "--read-only and --exclusive exclude each other");
	if (options->bus == BUS_KIND_HOST)
		return report_error(
			EXIT_UNSUPPORTED,
			"a console comes as a file descriptor, which no other host can pass; "
			"run hlctl console there");
	return EXIT_OK;
}

/* h and a{sv}, of which one boolean is read; the descriptor is the message's. */
static int read_answer(sd_bus_message *reply, int *ret_fd, bool *ret_writer)
{
	struct answer {
		bool writer;
	} answer = {.writer = false};
	static const struct bus_field fields[] = {
		{"Writer", "b", offsetof(struct answer, writer), NULL},
	};
	int r = sd_bus_message_read_basic(reply, 'h', ret_fd);

	if (r >= 0)
		r = bus_read_fields(reply, fields, ARRAY_SIZE(fields), &answer);
	*ret_writer = answer.writer;
	return r;
}

/* Only where somebody sits there. */
static void greet(const struct options *options, const struct domain *d, bool writer)
{
	char buf[3];
	int escape = escape_of(options);

	if (options->quiet || !isatty(STDIN_FILENO))
		return;
	if (escape == NO_ESCAPE)
		warn("this is the console of domain %u (%s); a signal ends it", d->domid, d->name);
	else
		warn("this is the console of domain %u (%s); %s leaves it", d->domid, d->name,
		     relay_escape_name(escape, buf));
	if (!options->read_only && !writer)
		warn("another client types here: what you type is thrown away until that leaves");
}

/* Until one side ends it. */
static enum exit_code attach_once(const struct options *options, sd_bus *bus,
				  const struct domain *d, uint64_t replay, enum relay_end *ret_end)
{
	_cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
	enum exit_code code = bus_call_privileged(
		options, bus, d->path, BUS_CONSOLE, "Attach", &reply, "a{sv}", 3, "ReadOnly", "b",
		options->read_only, "Exclusive", "b", options->exclusive, "Replay", "t", replay);
	bool writer;
	int fd, error, r;

	if (code)
		return code;
	r = read_answer(reply, &fd, &writer);
	if (r < 0)
		return bus_bad_answer(r);
	greet(options, d, writer);
	*ret_end = relay_run(fd, escape_of(options), options->read_only, &error);
	if (*ret_end == RELAY_FAILED)
		return report_error(EXIT_FAILED, "cannot go on with the console: %s",
				    strerror(-error));
	return EXIT_OK;
}

/* -ENOENT: the domain has no console any more. */
static int get_state(sd_bus *bus, const struct domain *d, char state[STATE_SIZE])
{
	_cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
	_cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
	const char *text;
	int r = bus_try_call(bus, d->path, BUS_PROPERTIES, "Get", &error, &reply, "ss", BUS_CONSOLE,
			     "State");

	if (r >= 0)
		r = sd_bus_message_read(reply, "v", "s", &text);
	if (r < 0)
		return -ENOENT;
	snprintf(state, STATE_SIZE, "%s", text);
	return 0;
}

/*
 * A back end that hands the console over, or is restarted, ends what was attached to it.  Whether
 * one serves the console again soon.
 */
static bool is_served_again(sd_bus *bus, const struct domain *d)
{
	char state[STATE_SIZE] = "";

	for (int i = 0; i < AGAIN_TRIES; i++) {
		/* What has ended it is known to hyperlaunchd a moment later. */
		usleep(AGAIN_USEC);
		if (get_state(bus, d, state) < 0)
			return false;
		if (strcmp(state, "serving") == 0)
			return true;
	}
	return false;
}

static enum exit_code attach(const struct options *options, sd_bus *bus, const struct domain *d)
{
	enum relay_end end = RELAY_LEFT;
	enum exit_code code = attach_once(options, bus, d, (uint64_t)options->replay, &end);

	while (!code && end == RELAY_CLOSED && is_served_again(bus, d))
		code = attach_once(options, bus, d, 0, &end);
	if (code || options->quiet)
		return code;
	if (end == RELAY_CLOSED)
		warn("the console of domain %u (%s) has ended", d->domid, d->name);
	else if (isatty(STDIN_FILENO))
		warn("left the console of domain %u (%s)", d->domid, d->name);
	return EXIT_OK;
}

static enum exit_code print_log(const struct options *options, int fd)
{
	bool terminal = isatty(STDOUT_FILENO);
	int r;

	pager_open();
	r = print_console_log(fd, options->follow, terminal);
	/* The pager was left before the end. */
	if (r == -EPIPE && terminal)
		return EXIT_OK;
	if (r < 0)
		return report_error(EXIT_FAILED, "cannot copy the log: %s", strerror(-r));
	return EXIT_OK;
}

static enum exit_code read_log(const struct options *options, sd_bus_message *reply)
{
	int fd, r = sd_bus_message_read_basic(reply, 'h', &fd);

	return r < 0 ? bus_bad_answer(r) : print_log(options, fd);
}

static enum exit_code show_log(const struct options *options, sd_bus *bus, const struct domain *d)
{
	_cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
	enum exit_code code =
		bus_call_privileged(options, bus, d->path, BUS_CONSOLE, "OpenLog", &reply, "a{sv}",
				    1, "Follow", "b", options->follow);

	return code ? code : read_log(options, reply);
}

/* Of a domain that is gone. */
static enum exit_code show_old_log(const struct options *options, sd_bus *bus, const char *uuid)
{
	_cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
	enum exit_code code =
		bus_call_privileged(options, bus, BUS_ROOT, BUS_MANAGER, "OpenConsoleLog", &reply,
				    "sa{sv}", uuid, 1, "Follow", "b", options->follow);

	return code ? code : read_log(options, reply);
}

static bool is_unknown_uuid(sd_bus *bus, const char *text, enum exit_code *ret_code)
{
	_cleanup_(freep) char *path = NULL;
	uint8_t uuid[16];

	*ret_code = EXIT_OK;
	if (hl_uuid_from_text(text, uuid) < 0)
		return false;
	*ret_code = lookup_domain_quietly(bus, text, &path);
	return *ret_code == EXIT_NOT_FOUND;
}

static enum exit_code find_log(const struct options *options, sd_bus *bus)
{
	_cleanup_(domains_free) struct domains domains = {0};
	const char *text = options->domain;
	const struct domain *d;
	enum exit_code code;

	if (is_unknown_uuid(bus, text, &code))
		return show_old_log(options, bus, text);
	if (!code)
		code = domains_get_one(bus, text, &domains);
	if (code)
		return code;
	d = domains.list;
	if (domain_is_gone(d) && *d->uuid)
		return show_old_log(options, bus, d->uuid);
	code = domain_check_present(d, text);
	return code ? code : show_log(options, bus, d);
}

enum exit_code verb_console(const struct options *options, sd_bus *bus)
{
	_cleanup_(domains_free) struct domains domains = {0};
	const struct domain *d;
	enum exit_code code = check_options(options);

	if (!code && options->log)
		return find_log(options, bus);
	if (!code)
		code = domains_get_present(bus, options->domain, &domains, &d);
	return code ? code : attach(options, bus, d);
}
