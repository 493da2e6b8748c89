// SPDX-License-Identifier: LGPL-2.1-or-later
/* The methods of the interface Lifecycle; each starts a job. */
#include "bus/lifecycle.h"

#include <inttypes.h>

#include "bus/auth.h"
#include "bus/call.h"
#include "bus/connection.h"
#include "bus/domain.h"
#include "bus/error.h"
#include "bus/options.h"
#include "common/cleanup.h"
#include "domains/manager.h"
#include "lifecycle/destroy.h"
#include "lifecycle/guard.h"
#include "lifecycle/release.h"

static const struct hl_domain *domain_at(const struct bus *bus, const char *path)
{
	return bus_domain_find(manager_table(bus_manager_of(bus)), path);
}

static int run_release(const struct bus_allowed *allowed, void *userdata, sd_bus_error *error)
{
	static const struct bus_verb verb = {.kind = RELEASE_JOB, .verb = "release"};

	return bus_call_start(userdata, allowed, &verb, NULL, error);
}

static int release(sd_bus_message *call, void *userdata, sd_bus_error *error)
{
	const struct bus_auth_question question = {
		.action = BUS_ACTION_RELEASE,
		.domain = domain_at(userdata, sd_bus_message_get_path(call)),
		.run = run_release,
		.userdata = userdata,
	};
	int r = bus_options_read(call, NULL, 0, error);

	if (r < 0)
		return r;
	if (!question.domain)
		return bus_error_set(error, BUS_ERROR_NO_SUCH_DOMAIN,
				     "The domain of this object has gone");
	return bus_auth_call(bus_auth_of(userdata), call, &question, error);
}

static int read_force(sd_bus_message *call, bool *ret_force, sd_bus_error *error)
{
	const struct bus_option options[] = {{.name = "Force", .flag = ret_force}};

	*ret_force = false;
	return bus_options_read(call, options, ARRAY_SIZE(options), error);
}

static int check_end(const struct bus *bus, const struct hl_domain *domain, bool force,
		     sd_bus_error *error)
{
	const char *why = guard_against_end(manager_table(bus_manager_of(bus)), domain, force);

	if (!why)
		return 0;
	return bus_error_set(error, BUS_ERROR_NOT_SUPPORTED,
			     "Cannot destroy domain %" PRIu32 " (%.128s): %s", domain->domid,
			     domain->name, why);
}

/* Roles do not change, so what was said of them when the call came is still so. */
static int run_destroy(const struct bus_allowed *allowed, void *userdata, sd_bus_error *error)
{
	static const struct bus_verb verb = {.kind = DESTROY_JOB, .verb = "destroy"};

	return bus_call_start(userdata, allowed, &verb, NULL, error);
}

static int destroy(sd_bus_message *call, void *userdata, sd_bus_error *error)
{
	const struct bus_auth_question question = {
		.action = BUS_ACTION_DESTROY_DOMAIN,
		.domain = domain_at(userdata, sd_bus_message_get_path(call)),
		.run = run_destroy,
		.userdata = userdata,
	};
	bool force;
	int r = read_force(call, &force, error);

	if (r < 0)
		return r;
	if (!question.domain)
		return bus_error_set(error, BUS_ERROR_NO_SUCH_DOMAIN,
				     "The domain of this object has gone");
	r = check_end(userdata, question.domain, force, error);
	return r < 0 ? r : bus_auth_call(bus_auth_of(userdata), call, &question, error);
}

/* A call may outlast the row, so handlers are given the bus. */
static int find(sd_bus *connection, const char *path, const char *interface, void *userdata,
		void **ret_found, sd_bus_error *error)
{
	if (!domain_at(userdata, path))
		return 0;
	*ret_found = userdata;
	return 1;
}

/* Each asks for the caller's right itself. */
static const sd_bus_vtable vtable[] = {
	SD_BUS_VTABLE_START(0),
	SD_BUS_METHOD_WITH_ARGS("Destroy", SD_BUS_ARGS("a{sv}", options), SD_BUS_NO_RESULT, destroy,
				SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD_WITH_ARGS("Release", SD_BUS_ARGS("a{sv}", options), SD_BUS_NO_RESULT, release,
				SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_VTABLE_END,
};

int bus_lifecycle_register(struct bus *bus, sd_bus *connection)
{
	return sd_bus_add_fallback_vtable(connection, NULL, BUS_DOMAIN_PREFIX, BUS_LIFECYCLE,
					  vtable, find, bus);
}
