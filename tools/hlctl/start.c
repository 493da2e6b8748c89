// SPDX-License-Identifier: LGPL-2.1-or-later
/* hlctl start: makes a domain that is defined, or all that are started with the host. */
#include <errno.h>
#include <string.h>

#include "bus.h"
#include "common/clock.h"
#include "create.h"
#include "definitions.h"
#include "domains.h"
#include "table.h"
#include "waves.h"

#define LOOK_AGAIN_USEC (10 * USEC_PER_SEC)

static enum exit_code start_one(const struct options *options, sd_bus *bus)
{
	_cleanup_(sd_bus_message_unrefp) sd_bus_message *call = NULL, *reply = NULL;
	enum exit_code code;
	int r = sd_bus_message_new_method_call(bus, &call, BUS_NAME, BUS_ROOT, BUS_MANAGER,
					       "Start");

	if (r >= 0)
		r = sd_bus_message_append(call, "sa{sv}", options->domain, 1, "Start", "b",
					  !options->paused);
	if (r < 0)
		return report_error(EXIT_FAILED, "the call cannot be made: %s", strerror(-r));
	code = create_send(options, bus, call, "create", options->domain, &reply);
	return code ? code : create_show(options, bus, reply);
}

static int make_start(sd_bus *bus, const struct waves *waves, const struct wave_item *item,
		      sd_bus_message **ret_call)
{
	int r;

	/* Why, was said before. */
	if (item->failed)
		return 0;
	r = sd_bus_message_new_method_call(bus, ret_call, BUS_NAME, BUS_ROOT, BUS_MANAGER, "Start");
	return r < 0 ? r : sd_bus_message_append(*ret_call, "sa{sv}", item->name, 0);
}

static bool exists(const struct domains *domains, const char *name)
{
	for (uint32_t i = 0; i < domains->nr; i++)
		if (!domain_is_gone(&domains->list[i]) && !strcmp(domains->list[i].name, name))
			return true;
	return false;
}

/* Enabled, and not there yet. */
static uint32_t choose(const struct definitions *definitions, const struct domains *domains,
		       struct wave_item *items)
{
	uint32_t nr = 0;

	for (uint32_t i = 0; i < definitions->nr; i++) {
		const struct defined *defined = &definitions->list[i];

		if (defined->enabled && !exists(domains, defined->name))
			items[nr++] =
				(struct wave_item){.name = defined->name, .after = &defined->after};
	}
	return nr;
}

/* Those in a circle are not started: no order of theirs would be the one that was asked for. */
static enum exit_code refuse_circles(struct wave_item *items, uint32_t nr)
{
	enum exit_code code = EXIT_OK;

	for (uint32_t i = 0; i < nr; i++) {
		if (items[i].wave != WAVE_CYCLE)
			continue;
		items[i].failed = true;
		code = report_error(EXIT_FAILED,
				    "%s is not started: by StartAfter= it would come after itself, "
				    "or after one that does",
				    items[i].name);
	}
	return code;
}

static uint32_t count_failed(const struct wave_item *items, uint32_t nr)
{
	uint32_t failed = 0;

	for (uint32_t i = 0; i < nr; i++)
		failed += items[i].failed;
	return failed;
}

static enum exit_code start_chosen(const struct options *options, sd_bus *bus,
				   struct wave_item *items, uint32_t nr)
{
	struct waves waves = {
		.items = items,
		.nr = nr,
		.work_usec = CREATE_WORK_USEC,
		.make_call = make_start,
	};
	enum exit_code circles, code;

	waves_order(items, nr);
	circles = refuse_circles(items, nr);
	code = waves_run(bus, &waves);
	if (!options->quiet && !options->json)
		print_line("%u of %u started.", nr - count_failed(items, nr), nr);
	return circles ? circles : code;
}

/* "": the daemon says nothing of it. */
static enum exit_code get_launch_state(sd_bus *bus, char *state, size_t size)
{
	_cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
	const char *text;
	enum exit_code code =
		bus_call(bus, BUS_PROPERTIES, "Get", &reply, "ss", BUS_LAUNCH, "State");
	int r;

	if (code)
		return code;
	r = sd_bus_message_read(reply, "v", "s", &text);
	if (r < 0)
		return bus_bad_answer(r);
	snprintf(state, size, "%s", text);
	return EXIT_OK;
}

static int on_changed(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	*(bool *)userdata = true;
	return 0;
}

/* Until properties have changed; of a hyperlaunchd that is restarted meanwhile nothing comes. */
static int wait_for_change(sd_bus *bus, bool *changed)
{
	int r = 1;

	*changed = false;
	while (r > 0 && !*changed) {
		r = sd_bus_process(bus, NULL);
		if (r == 0)
			r = sd_bus_wait(bus, LOOK_AGAIN_USEC);
	}
	return r;
}

/* Initial domains come first; where the launch has failed somebody has to look after it. */
static enum exit_code wait_for_launch(sd_bus *bus)
{
	static const char *const later[] = {"building", "preparing", "finalizing"};
	_cleanup_(sd_bus_slot_unrefp) sd_bus_slot *slot = NULL;
	char state[32];
	enum exit_code code;
	bool settled, changed;
	int r = sd_bus_match_signal(bus, &slot, BUS_NAME, BUS_ROOT, BUS_PROPERTIES,
				    "PropertiesChanged", on_changed, &changed);

	do {
		code = get_launch_state(bus, state, sizeof(state));
		if (code)
			return code;
		settled = true;
		for (size_t i = 0; i < ARRAY_SIZE(later); i++)
			settled = settled && strcmp(state, later[i]) != 0;
		if (r >= 0 && !settled)
			r = wait_for_change(bus, &changed);
	} while (r >= 0 && !settled);
	if (r < 0)
		return report_error(EXIT_FAILED, "the launch cannot be waited for: %s",
				    strerror(-r));
	if (!strcmp(state, "failed") || !strcmp(state, "recovery"))
		return report_error(EXIT_FAILED,
				    "nothing is started: the launch is in the state %s", state);
	return EXIT_OK;
}

static enum exit_code start_enabled(const struct options *options, sd_bus *bus)
{
	_cleanup_(definitions_free) struct definitions definitions = {.nr = 0};
	_cleanup_(domains_free) struct domains domains = {0};
	_cleanup_(freep) struct wave_item *items = NULL;
	enum exit_code code = wait_for_launch(bus);

	if (!code)
		code = definitions_get(bus, true, &definitions);
	if (!code)
		code = domains_list(bus, &domains);
	if (code)
		return code;
	items = calloc(definitions.nr ? definitions.nr : 1, sizeof(*items));
	if (!items)
		no_memory();
	return start_chosen(options, bus, items, choose(&definitions, &domains, items));
}

enum exit_code verb_start(const struct options *options, sd_bus *bus)
{
	if (options->enabled && options->domain)
		return report_error(EXIT_USAGE, "start: --enabled and a NAME exclude each other");
	return options->enabled ? start_enabled(options, bus) : start_one(options, bus);
}
