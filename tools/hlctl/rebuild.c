// SPDX-License-Identifier: LGPL-2.1-or-later
/* hlctl rebuild: an initial domain is made again. */
#include <string.h>

#include "bus.h"
#include "create.h"
#include "domains.h"
#include "progress.h"

/* A little more than the daemon allows itself, for all steps. */
#define REBUILD_USEC (UINT64_C(56) * 60 * 1000000)

static enum exit_code send_call(const struct options *options, sd_bus *bus, const struct domain *d,
				sd_bus_message **ret_reply)
{
	_cleanup_(sd_bus_message_unrefp) sd_bus_message *call = NULL;
	struct progress progress;
	enum exit_code code;
	int r = sd_bus_message_new_method_call(bus, &call, BUS_NAME, d->path, BUS_LIFECYCLE,
					       "Rebuild");

	if (r >= 0)
		r = sd_bus_message_append(call, "a{sv}", 1, "Force", "b", options->force);
	if (r < 0)
		return report_error(EXIT_FAILED, "the call cannot be made: %s", strerror(-r));
	progress_begin(options, bus, "rebuild", d->name, &progress);
	code = bus_send_privileged(options, bus, call, REBUILD_USEC, ret_reply);
	progress_end(&progress);
	return code;
}

/* Also one that is gone. */
enum exit_code verb_rebuild(const struct options *options, sd_bus *bus)
{
	_cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
	_cleanup_(domains_free) struct domains domains = {0};
	enum exit_code code = domains_get_one(bus, options->domain, &domains);

	if (!code)
		code = send_call(options, bus, domains.list, &reply);
	return code ? code : create_show(options, bus, reply);
}
