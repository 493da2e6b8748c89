// SPDX-License-Identifier: LGPL-2.1-or-later
/* hlctl rename: gives a domain another name. */
#include <stdio.h>

#include "bus.h"
#include "domains.h"
#include "table.h"

static enum exit_code print_name(const struct options *options, const struct domain *d,
				 const char *name)
{
	struct json_object *object;

	if (options->json) {
		object = json_new_object();
		json_put_id(object, "domid", d->domid);
		json_put_text(object, "name", name);
		json_put_text(object, "path", d->path);
		return json_print(object);
	}
	if (!options->quiet)
		print_line("Domain %u (%s) has the name %s now.", d->domid,
			   *d->name ? d->name : "-", name);
	return EXIT_OK;
}

enum exit_code verb_rename(const struct options *options, sd_bus *bus)
{
	_cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
	_cleanup_(domains_free) struct domains domains = {0};
	const char *name = options->domains[1];
	const struct domain *d;
	enum exit_code code = domains_get_present(bus, options->domain, &domains, &d);

	if (!code)
		code = bus_call_privileged(options, bus, d->path, BUS_DOMAIN, "Rename", &reply,
					   "sa{sv}", name, 0);
	return code ? code : print_name(options, d, name);
}
