// SPDX-License-Identifier: LGPL-2.1-or-later
/* hlctl shutdown --all: the end of the host for the VMs that hyperlaunchd has made. */
#include <stddef.h>
#include <string.h>

#include "bus.h"
#include "common/clock.h"
#include "definitions.h"
#include "domains.h"
#include "lifecycle.h"
#include "table.h"
#include "waves.h"

/* What becomes of a VM that ends; "": it is not ours. */
struct actions {
	const char *poweroff, *reboot, *crash;
};

/* What libvirt and xl have made is theirs to shut down, and the initial domains are Xen's: neither
 * has actions. */
static enum exit_code get_actions(sd_bus *bus, const struct domain *d, sd_bus_message **ret_reply,
				  struct actions *ret_actions)
{
	static const struct bus_field fields[] = {
		{"OnPoweroff", "s", offsetof(struct actions, poweroff), NULL},
		{"OnReboot", "s", offsetof(struct actions, reboot), NULL},
		{"OnCrash", "s", offsetof(struct actions, crash), NULL},
	};
	_cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
	int r;

	*ret_actions = (struct actions){"", "", ""};
	if (domain_is_gone(d) || strcmp(d->origin, "post-boot") != 0)
		return EXIT_OK;
	r = bus_try_call(bus, d->path, BUS_PROPERTIES, "GetAll", &error, ret_reply, "s",
			 BUS_LIFECYCLE);
	/* It has ended meanwhile. */
	if (r < 0 && sd_bus_error_has_name(&error, SD_BUS_ERROR_UNKNOWN_OBJECT))
		return EXIT_OK;
	if (r < 0)
		return bus_report_error(&error, r);
	r = bus_read_fields(*ret_reply, fields, ARRAY_SIZE(fields), ret_actions);
	return r < 0 ? bus_bad_answer(r) : EXIT_OK;
}

/* Else it would be made again while the host ends. */
static void stop_restarts(const struct options *options, sd_bus *bus, const struct domain *d,
			  const struct actions *actions)
{
	_cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
	const char *const all[] = {actions->poweroff, actions->reboot, actions->crash};
	bool restarts = false;

	for (size_t i = 0; i < ARRAY_SIZE(all); i++)
		restarts = restarts || !strcmp(all[i], "restart");
	if (restarts &&
	    bus_call_privileged(options, bus, d->path, BUS_LIFECYCLE, "SetPolicy", &reply, "a{sv}",
				3, "OnPoweroff", "s", "destroy", "OnReboot", "s", "destroy",
				"OnCrash", "s", "destroy") != EXIT_OK)
		warn("%s may be made again when it has shut down", d->name);
}

static const struct defined_after *after_of(const struct definitions *definitions, const char *name)
{
	for (uint32_t i = 0; i < definitions->nr; i++)
		if (!strcmp(definitions->list[i].name, name))
			return &definitions->list[i].after;
	return NULL;
}

static enum exit_code choose(const struct options *options, sd_bus *bus,
			     const struct domains *domains, const struct definitions *definitions,
			     struct wave_item *items, uint32_t *ret_nr)
{
	*ret_nr = 0;
	for (uint32_t i = 0; i < domains->nr; i++) {
		_cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
		const struct domain *d = &domains->list[i];
		struct actions actions;
		enum exit_code code = get_actions(bus, d, &reply, &actions);

		if (code)
			return code;
		if (!*actions.poweroff)
			continue;
		stop_restarts(options, bus, d, &actions);
		items[(*ret_nr)++] = (struct wave_item){
			.name = d->name,
			.after = after_of(definitions, d->name),
			.data = d,
		};
	}
	return EXIT_OK;
}

/* None is left out for its order: those in a circle are the last, those without a definition the
 * first. */
static void order(struct wave_item *items, uint32_t nr)
{
	waves_order(items, nr);
	for (uint32_t i = 0; i < nr; i++) {
		if (items[i].wave == WAVE_CYCLE)
			items[i].wave = 0;
		if (!items[i].after)
			items[i].wave = nr - 1;
	}
}

static int new_call(sd_bus *bus, const struct wave_item *item, const char *method,
		    sd_bus_message **ret_call)
{
	const struct domain *d = item->data;

	return sd_bus_message_new_method_call(bus, ret_call, BUS_NAME, d->path, BUS_LIFECYCLE,
					      method);
}

static int make_shutdown(sd_bus *bus, const struct waves *waves, const struct wave_item *item,
			 sd_bus_message **ret_call)
{
	int r = new_call(bus, item, "Shutdown", ret_call);

	return r < 0 ? r
		     : sd_bus_message_append(*ret_call, "a{sv}", 2, "TimeoutUSec", "t",
					     waves->work_usec, "Destroy", "b", true);
}

/* Of a guest that could not be asked, such as a paused one. */
static int make_destroy(sd_bus *bus, const struct waves *waves, const struct wave_item *item,
			sd_bus_message **ret_call)
{
	int r = item->failed ? new_call(bus, item, "Destroy", ret_call) : 0;

	return r < 0 || !item->failed ? r : sd_bus_message_append(*ret_call, "a{sv}", 0);
}

static enum exit_code end_chosen(const struct options *options, sd_bus *bus,
				 struct wave_item *items, uint32_t nr)
{
	uint32_t seconds = options->timeout ? options->timeout : LIFECYCLE_TIMEOUT_SECONDS;
	struct waves waves = {
		.items = items,
		.nr = nr,
		.last_first = true,
		.work_usec = seconds * USEC_PER_SEC,
		.make_call = make_shutdown,
	};
	enum exit_code code;

	order(items, nr);
	code = waves_run(bus, &waves);
	if (code) {
		waves.make_call = make_destroy;
		code = waves_run(bus, &waves);
	}
	if (!options->quiet && !options->json)
		print_line("%u shut down.", nr);
	return code;
}

enum exit_code shutdown_all(const struct options *options, sd_bus *bus)
{
	_cleanup_(definitions_free) struct definitions definitions = {.nr = 0};
	_cleanup_(domains_free) struct domains domains = {0};
	_cleanup_(freep) struct wave_item *items = NULL;
	enum exit_code code = definitions_get(bus, true, &definitions);
	uint32_t nr;

	if (!code)
		code = domains_list(bus, &domains);
	if (code)
		return code;
	items = calloc(domains.nr ? domains.nr : 1, sizeof(*items));
	if (!items)
		no_memory();
	code = choose(options, bus, &domains, &definitions, items, &nr);
	return code ? code : end_chosen(options, bus, items, nr);
}
