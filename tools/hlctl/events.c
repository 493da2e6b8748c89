// SPDX-License-Identifier: LGPL-2.1-or-later
/* hlctl events: the launch log, and with --follow what is added to it until it is stopped. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <systemd/sd-event.h>

#include "bus.h"
#include "domains.h"
#include "loop.h"
#include "table.h"

#define NR_COLUMNS 5
/* Where lines come one by one, no later one can make a column wider. */
#define FOLLOW_FORMAT "%-5s  %-13s  %-12s  %-5s  %s%s%s\n"
#define CELL_MAX      24
#define ARGUMENT_MAX  160

static const char *const heading[NR_COLUMNS] = {"SEQ", "TIME", "EVENT", "DOMID", ""};

struct event {
	uint32_t seq, domid, arg;
	uint64_t usec;
	const char *type;
};

static struct json_object *event_json(const struct event *e)
{
	struct json_object *object = json_new_object();

	json_put_number(object, "seq", e->seq);
	json_put_number(object, "time_usec", e->usec);
	json_put_text(object, "event", e->type);
	json_put_id(object, "domid", e->domid);
	if (!strcmp(e->type, "console"))
		json_put_id(object, "arg", e->arg);
	else
		json_put_number(object, "arg", e->arg);
	return object;
}

/* What the number means. */
static enum colour describe_argument(const struct event *e, char text[static ARGUMENT_MAX])
{
	const char *state = hl_launch_state_name((enum hl_launch_state)e->arg);

	*text = '\0';
	if (!strcmp(e->type, "lcm-found")) {
		snprintf(text, ARGUMENT_MAX, "%u bytes", e->arg);
	} else if (!strcmp(e->type, "built") || !strcmp(e->type, "adopted")) {
		snprintf(text, ARGUMENT_MAX, "number %u in the LCM", e->arg);
	} else if (!strcmp(e->type, "build-failed") || !strcmp(e->type, "boot-failed")) {
		snprintf(text, ARGUMENT_MAX, "%s", hl_error_text(e->arg));
		return RED;
	} else if (!strcmp(e->type, "state")) {
		snprintf(text, ARGUMENT_MAX, "%s", state);
		return state_colour(state);
	} else if (!strcmp(e->type, "died")) {
		snprintf(text, ARGUMENT_MAX, "%s", hl_shutdown_name(e->arg));
		return RED;
	} else if (!strcmp(e->type, "console") && e->arg != UINT32_MAX) {
		snprintf(text, ARGUMENT_MAX, "from domain %u", e->arg);
	} else if (e->arg && e->arg != UINT32_MAX) {
		snprintf(text, ARGUMENT_MAX, "%u", e->arg);
	}
	return PLAIN;
}

/* The cells of a row but for the last. */
static void describe(const struct event *e, char cells[static NR_COLUMNS - 1][CELL_MAX])
{
	snprintf(cells[0], CELL_MAX, "%u", e->seq);
	snprintf(cells[1], CELL_MAX, "%" PRIu64 ".%06" PRIu64, e->usec / 1000000,
		 e->usec % 1000000);
	snprintf(cells[2], CELL_MAX, "%s", e->type);
	if (e->domid == UINT32_MAX)
		snprintf(cells[3], CELL_MAX, "-");
	else
		snprintf(cells[3], CELL_MAX, "%u", e->domid);
}

/* What read_events() does with each; a code other than EXIT_OK ends it. */
typedef enum exit_code (*event_fn)(const struct event *e, void *data);

static enum exit_code read_events(sd_bus_message *m, event_fn take, void *data)
{
	enum exit_code code = EXIT_OK;
	struct event e;
	int r = sd_bus_message_enter_container(m, 'a', NULL);

	while (!code && r >= 0 &&
	       (r = bus_read_record(m, "utsuu", &e.seq, &e.usec, &e.type, &e.domid, &e.arg)) > 0)
		code = take(&e, data);
	return r < 0 ? bus_bad_answer(r) : code;
}

/* --- once ------------------------------------------------------------------ */

static enum exit_code add_to_array(const struct event *e, void *data)
{
	json_append(data, event_json(e));
	return EXIT_OK;
}

static enum exit_code add_to_table(const struct event *e, void *data)
{
	char cells[NR_COLUMNS - 1][CELL_MAX], text[ARGUMENT_MAX];
	enum colour colour = describe_argument(e, text);

	describe(e, cells);
	for (size_t i = 0; i < ARRAY_SIZE(cells); i++)
		table_add(data, PLAIN, "%s", cells[i]);
	table_add(data, colour, "%s", text);
	return EXIT_OK;
}

static enum exit_code list_json(sd_bus_message *reply)
{
	struct json_object *object = json_new_object(), *array = json_new_array();
	enum exit_code code;

	json_put(object, "events", array);
	code = read_events(reply, add_to_array, array);
	return code ? code : json_print(object);
}

static enum exit_code list_table(sd_bus_message *reply, bool legend)
{
	struct table *table = table_new(heading, NR_COLUMNS, legend);
	enum exit_code code = read_events(reply, add_to_table, table);

	if (!code)
		return table_print(table);
	table_free(table);
	return code;
}

/* --- follow ---------------------------------------------------------------- */

struct follower {
	bool json;
	uint32_t next; /* sequence number of the first that was not printed */
	sd_bus *bus;
	sd_event *event;
	bool asked, again; /* a question is on its way; another one is to follow */
};

static enum exit_code print_event(const struct event *e, void *data)
{
	struct follower *follower = data;
	char cells[NR_COLUMNS - 1][CELL_MAX], text[ARGUMENT_MAX];
	enum colour colour;

	follower->next = e->seq + 1;
	if (follower->json)
		return json_print_line(event_json(e));
	colour = describe_argument(e, text);
	describe(e, cells);
	printf(FOLLOW_FORMAT, cells[0], cells[1], cells[2], cells[3], colour_begin(colour), text,
	       colour_end(colour));
	return fflush(stdout) ? report_error(EXIT_FAILED, "cannot write: %s", strerror(errno))
			      : EXIT_OK;
}

static void ask(struct follower *follower);

/* A daemon that ends while it is asked is asked again when it is back. */
static bool is_away(const sd_bus_error *error)
{
	return sd_bus_error_has_name(error, SD_BUS_ERROR_NO_REPLY) ||
	       sd_bus_error_has_name(error, SD_BUS_ERROR_SERVICE_UNKNOWN) ||
	       sd_bus_error_has_name(error, SD_BUS_ERROR_NAME_HAS_NO_OWNER);
}

static int on_events(sd_bus_message *reply, void *userdata, sd_bus_error *ret_error)
{
	struct follower *follower = userdata;
	const sd_bus_error *error = sd_bus_message_get_error(reply);
	enum exit_code code = EXIT_OK;

	follower->asked = false;
	if (!error)
		code = read_events(reply, print_event, follower);
	else if (!is_away(error))
		code = bus_report_error(error, -sd_bus_error_get_errno(error));
	if (code)
		(void)sd_event_exit(follower->event, code);
	else if (follower->again)
		ask(follower);
	return 0;
}

static void ask(struct follower *follower)
{
	int r;

	follower->again = follower->asked;
	if (follower->asked)
		return;
	r = sd_bus_call_method_async(follower->bus, NULL, BUS_NAME, BUS_ROOT, BUS_MANAGER,
				     "GetEvents", on_events, follower, "u", follower->next);
	follower->asked = r >= 0;
	if (r < 0)
		(void)sd_event_exit(follower->event, bus_report_error(NULL, r));
}

static int on_change(sd_bus_message *m, void *userdata, sd_bus_error *ret_error)
{
	ask(userdata);
	return 0;
}

/* From before the first question on, so that nothing is missed. */
static int add_matches(struct follower *follower)
{
	int r = sd_bus_match_signal(follower->bus, NULL, BUS_NAME, BUS_ROOT,
				    "org.freedesktop.DBus.Properties", "PropertiesChanged",
				    on_change, follower);

	if (r >= 0)
		r = sd_bus_add_match(follower->bus, NULL, MATCH_OWNER_CHANGED, on_change, follower);
	return r;
}

static enum exit_code follow(const struct options *options, sd_bus *bus)
{
	_cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
	_cleanup_(sd_event_unrefp) sd_event *event = NULL;
	struct follower follower = {.json = options->json, .next = options->since, .bus = bus};
	enum exit_code code;
	int r = loop_new(bus, &event);

	follower.event = event;
	if (r >= 0)
		r = add_matches(&follower);
	if (r < 0)
		return report_error(EXIT_FAILED, "cannot listen: %s", strerror(-r));
	code = bus_call(bus, BUS_MANAGER, "GetEvents", &reply, "u", options->since);
	if (code)
		return code;
	if (!options->json && !options->no_legend)
		printf(FOLLOW_FORMAT, heading[0], heading[1], heading[2], heading[3], "", "", "");
	code = read_events(reply, print_event, &follower);
	return code ? code : loop_run(bus, event);
}

enum exit_code verb_events(const struct options *options, sd_bus *bus)
{
	_cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
	enum exit_code code;

	if (options->follow)
		return follow(options, bus);
	code = bus_call(bus, BUS_MANAGER, "GetEvents", &reply, "u", options->since);
	if (code)
		return code;
	return options->json ? list_json(reply) : list_table(reply, !options->no_legend);
}
