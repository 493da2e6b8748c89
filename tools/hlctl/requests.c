// SPDX-License-Identifier: LGPL-2.1-or-later
/* hlctl handoff, hlctl release: what changes something about one domain. */
#include <stdio.h>

#include "bus.h"
#include "domains.h"

/* A domain that can be asked for something; another one may have the domid of one that is gone. */
static enum exit_code find(const struct options *options, sd_bus *bus, struct domains *domains,
			   const struct domain **ret_domain)
{
	const struct domain *d;
	enum exit_code code = domains_get(bus, domains);

	if (!code)
		code = domains_find(domains, options->domain, &d);
	if (code)
		return code;
	*ret_domain = d;
	if (d->domid == UINT32_MAX || domain_is_gone(d))
		return complain(EXIT_NOT_FOUND, "domain '%s' does not exist now: it is %s",
				options->domain, d->state);
	return EXIT_OK;
}

static enum exit_code console_owner(sd_bus *bus, uint32_t *ret_domid)
{
	CLEANUP(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
	enum exit_code code = bus_call(bus, "org.freedesktop.DBus.Properties", "Get", &reply, "ss",
				       BUS_MANAGER, "ConsoleDomid");
	int r;

	if (code)
		return code;
	r = sd_bus_message_read(reply, "v", "u", ret_domid);
	return r < 0 ? bus_bad_answer(r) : EXIT_OK;
}

static enum exit_code handoff_json(const struct domain *d, uint32_t before)
{
	struct json_object *object = json_new_object();

	json_put_text(object, "role", "console");
	json_put_id(object, "old", before);
	json_put_id(object, "new", d->domid);
	json_put_text(object, "name", d->name);
	return json_print(object);
}

static enum exit_code handoff_text(const struct domain *d, uint32_t before)
{
	printf("The console is with domain %u (%s)", d->domid, *d->name ? d->name : "-");
	if (before == d->domid)
		puts(", as before.");
	else if (before == UINT32_MAX)
		puts(" now; nobody had it.");
	else
		printf(" now; domain %u had it.\n", before);
	return EXIT_OK;
}

enum exit_code verb_handoff(const struct options *options, sd_bus *bus)
{
	CLEANUP(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
	CLEANUP(domains_free) struct domains domains = { 0 };
	const struct domain *d;
	uint32_t before;
	enum exit_code code = find(options, bus, &domains, &d);

	if (!code)
		code = console_owner(bus, &before);
	if (!code)
		code = bus_call(bus, BUS_MANAGER, "SetConsoleOwner", &reply, "u", d->domid);
	if (code)
		return code;
	return options->json ? handoff_json(d, before) : handoff_text(d, before);
}

static enum exit_code release_json(const struct domain *d, const char *state)
{
	struct json_object *object = json_new_object();

	json_put_id(object, "domid", d->domid);
	json_put_text(object, "name", d->name);
	json_put_text(object, "state", state);
	json_put_text(object, "path", d->path);
	return json_print(object);
}

enum exit_code verb_release(const struct options *options, sd_bus *bus)
{
	CLEANUP(sd_bus_message_unrefp) sd_bus_message *reply = NULL, *after = NULL;
	CLEANUP(domains_free) struct domains domains = { 0 };
	const struct domain *d;
	const char *state;
	enum exit_code code = find(options, bus, &domains, &d);
	int r;

	if (!code)
		code = bus_call_at(bus, d->path, BUS_LIFECYCLE, "Release", &reply, "");
	if (!code)
		code = bus_call_at(bus, d->path, "org.freedesktop.DBus.Properties", "Get", &after,
				   "ss", BUS_DOMAIN, "State");
	if (code)
		return code;
	r = sd_bus_message_read(after, "v", "s", &state);
	if (r < 0)
		return bus_bad_answer(r);
	if (options->json)
		return release_json(d, state);
	printf("Domain %u (%s) is %s.\n", d->domid, d->name, state);
	return EXIT_OK;
}
