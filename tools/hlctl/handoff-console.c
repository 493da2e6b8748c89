// SPDX-License-Identifier: LGPL-2.1-or-later
/* hlctl handoff --console: which back end serves a domain's console. */
#include <string.h>

#include "bus.h"
#include "domains.h"
#include "json.h"
#include "lookup.h"
#include "table.h"

#define XENCONSOLED "xenconsoled"

/* The path of the domain that serves it; "/": not known, or it has none, which the daemon says when
 * it is to be handed over. */
static char *get_owner(sd_bus *bus, const struct domain *d)
{
	_cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
	_cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
	const char *path = "/";
	char *copy;

	if (bus_try_call(bus, d->path, BUS_PROPERTIES, "Get", &error, &reply, "ss", BUS_CONSOLE,
			 "Owner") < 0 ||
	    sd_bus_message_read(reply, "v", "o", &path) < 0)
		path = "/";
	copy = strdup(path);
	if (!copy)
		no_memory();
	return copy;
}

static enum exit_code print_json(const struct domain *d, const char *before, const char *after,
				 const char *backend)
{
	struct json_object *object = json_new_object();

	json_put_id(object, "domid", d->domid);
	json_put_text(object, "name", d->name);
	json_put_id(object, "old", lookup_domid(before));
	json_put_id(object, "new", lookup_domid(after));
	json_put_text(object, "backend", backend);
	return json_print(object);
}

static enum exit_code hand_off(const struct options *options, sd_bus *bus, const struct domain *d,
			       const char *target, bool xenconsoled)
{
	_cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;

	if (xenconsoled)
		return bus_call_privileged(options, bus, d->path, BUS_CONSOLE, "HandOff", &reply,
					   "oa{sv}", target, 1, "Xenconsoled", "b", true);
	return bus_call_privileged(options, bus, d->path, BUS_CONSOLE, "HandOff", &reply, "oa{sv}",
				   target, 0);
}

enum exit_code handoff_console(const struct options *options, sd_bus *bus)
{
	_cleanup_(domains_free) struct domains domains = {0};
	_cleanup_(freep) char *before = NULL, *target = NULL;
	const char *to = options->domains[1];
	bool xenconsoled = !strcmp(to, XENCONSOLED);
	const struct domain *d;
	enum exit_code code = domains_get_present(bus, options->domain, &domains, &d);

	if (!code)
		before = get_owner(bus, d);
	if (!code && xenconsoled)
		target = strdup(strcmp(before, "/") ? before : d->path);
	else if (!code)
		code = lookup_domain(bus, to, &target);
	if (!code && !target)
		no_memory();
	if (!code)
		code = hand_off(options, bus, d, target, xenconsoled);
	if (code)
		return code;
	if (options->json)
		return print_json(d, before, target, xenconsoled ? XENCONSOLED : "consoled");
	if (!options->quiet && xenconsoled)
		print_line("The console of domain %u (%s) is served by xenconsoled now.", d->domid,
			   *d->name ? d->name : "-");
	else if (!options->quiet)
		print_line("The console of domain %u (%s) is served by domain %u now.", d->domid,
			   *d->name ? d->name : "-", lookup_domid(target));
	return EXIT_OK;
}
