// SPDX-License-Identifier: LGPL-2.1-or-later
/* hlctl release, pause, unpause, shutdown, reboot: what makes a domain run, or not. */
#include <stdio.h>
#include <string.h>

#include "bus.h"
#include "common/clock.h"
#include "domains.h"
#include "lifecycle.h"
#include "table.h"

static enum exit_code print_json(const struct domain *d, const char *state)
{
	struct json_object *object = json_new_object();

	json_put_id(object, "domid", d->domid);
	json_put_text(object, "name", d->name);
	json_put_text_or_null(object, "state", state);
	json_put_text(object, "path", d->path);
	return json_print(object);
}

static enum exit_code print_text(const struct domain *d, const char *state)
{
	const char *name = *d->name ? d->name : "-";

	if (!*state)
		print_line("Domain %u (%s) is gone.", d->domid, name);
	else if (!strcmp(state, "shutdown"))
		print_line("Domain %u (%s) has shut down.", d->domid, name);
	else
		print_line("Domain %u (%s) is %s.", d->domid, name, state);
	return EXIT_OK;
}

/* The state that it has now; one that has shut down may be gone. */
static enum exit_code print_state(const struct options *options, sd_bus *bus,
				  const struct domain *d)
{
	_cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
	_cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
	const char *state = "";
	int r = bus_try_call(bus, d->path, BUS_PROPERTIES, "Get", &error, &reply, "ss", BUS_DOMAIN,
			     "State");

	if (r < 0 && !sd_bus_error_has_name(&error, SD_BUS_ERROR_UNKNOWN_OBJECT))
		return bus_report_error(&error, r);
	if (r >= 0)
		r = sd_bus_message_read(reply, "v", "s", &state);
	if (reply && r < 0)
		return bus_bad_answer(r);
	if (options->json)
		return print_json(d, state);
	return options->quiet ? EXIT_OK : print_text(d, state);
}

static enum exit_code call_without_options(const struct options *options, sd_bus *bus,
					   const char *method)
{
	_cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
	_cleanup_(domains_free) struct domains domains = {0};
	const struct domain *d;
	enum exit_code code = domains_get_present(bus, options->domain, &domains, &d);

	if (!code)
		code = bus_call_privileged(options, bus, d->path, BUS_LIFECYCLE, method, &reply,
					   "a{sv}", 0);
	return code ? code : print_state(options, bus, d);
}

enum exit_code verb_release(const struct options *options, sd_bus *bus)
{
	return call_without_options(options, bus, "Release");
}

enum exit_code verb_unpause(const struct options *options, sd_bus *bus)
{
	return call_without_options(options, bus, "Unpause");
}

enum exit_code verb_pause(const struct options *options, sd_bus *bus)
{
	_cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
	_cleanup_(domains_free) struct domains domains = {0};
	const struct domain *d;
	enum exit_code code = domains_get_present(bus, options->domain, &domains, &d);

	if (!code)
		code = bus_call_privileged(options, bus, d->path, BUS_LIFECYCLE, "Pause", &reply,
					   "a{sv}", 1, "Force", "b", options->force);
	return code ? code : print_state(options, bus, d);
}

static enum exit_code ask_guest(const struct options *options, sd_bus *bus, const char *method)
{
	_cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
	_cleanup_(domains_free) struct domains domains = {0};
	struct options patient = *options;
	const struct domain *d;
	enum exit_code code = domains_get_present(bus, options->domain, &domains, &d);

	if (!patient.timeout)
		patient.timeout = LIFECYCLE_TIMEOUT_SECONDS;
	if (!code)
		code = bus_call_privileged(&patient, bus, d->path, BUS_LIFECYCLE, method, &reply,
					   "a{sv}", 3, "TimeoutUSec", "t",
					   patient.timeout * USEC_PER_SEC, "Force", "b",
					   options->force, "Destroy", "b", options->or_destroy);
	return code ? code : print_state(options, bus, d);
}

enum exit_code verb_shutdown(const struct options *options, sd_bus *bus)
{
	return options->all ? shutdown_all(options, bus) : ask_guest(options, bus, "Shutdown");
}

enum exit_code verb_reboot(const struct options *options, sd_bus *bus)
{
	return ask_guest(options, bus, "Reboot");
}
