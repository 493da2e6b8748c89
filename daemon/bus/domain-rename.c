// SPDX-License-Identifier: LGPL-2.1-or-later
/* Domain.Rename: reads the call and starts the job. */
#include "bus/domain-rename.h"

#include <errno.h>

#include "bus/auth.h"
#include "bus/call.h"
#include "bus/connection.h"
#include "bus/domain.h"
#include "bus/error.h"
#include "bus/options.h"
#include "domains/manager.h"
#include "lifecycle/name.h"
#include "lifecycle/rename.h"

static int read_arguments(sd_bus_message *call, const char **ret_name, sd_bus_error *error)
{
	const char *why;
	int r = sd_bus_message_read(call, "s", ret_name);

	if (r < 0)
		return r;
	why = name_refusal(*ret_name);
	if (why)
		return bus_error_set(error, BUS_ERROR_INVALID_ARGS,
				     "\"%.128s\" is no name of a domain: %s", *ret_name, why);
	return bus_options_read(call, NULL, 0, error);
}

static int run(const struct bus_allowed *allowed, void *userdata, sd_bus_error *error)
{
	static const struct bus_verb verb = {.kind = RENAME_JOB, .verb = "rename"};
	struct rename *data;
	const char *name;
	/* They were right when the call came; it was kept since. */
	int r = sd_bus_message_rewind(allowed->call, true);

	if (r >= 0)
		r = read_arguments(allowed->call, &name, error);
	if (r < 0)
		return r;
	data = rename_new(name);
	return data ? bus_call_start(userdata, allowed, &verb, data, error) : -ENOMEM;
}

static int on_rename(sd_bus_message *call, void *userdata, sd_bus_error *error)
{
	const char *name;
	int r = read_arguments(call, &name, error);

	return r < 0 ? r : bus_domain_ask(call, userdata, BUS_ACTION_RENAME, run, error);
}

static const sd_bus_vtable vtable[] = {
	SD_BUS_VTABLE_START(0),
	SD_BUS_METHOD_WITH_ARGS("Rename", SD_BUS_ARGS("s", name, "a{sv}", options),
				SD_BUS_NO_RESULT, on_rename, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_VTABLE_END,
};

int bus_domain_rename_register(struct bus *bus, sd_bus *connection)
{
	return sd_bus_add_fallback_vtable(connection, NULL, BUS_DOMAIN_PREFIX, BUS_DOMAIN, vtable,
					  bus_domain_for_bus, bus);
}
