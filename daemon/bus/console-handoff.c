// SPDX-License-Identifier: LGPL-2.1-or-later
/* Console.HandOff: reads the call and starts the job. */
#include "bus/console-handoff.h"

#include <errno.h>
#include <inttypes.h>

#include "bus/auth.h"
#include "bus/call.h"
#include "bus/connection.h"
#include "bus/domain.h"
#include "bus/error.h"
#include "bus/options.h"
#include "common/cleanup.h"
#include "console/consoles.h"
#include "console/handoff.h"
#include "domains/manager.h"

static int read_arguments(sd_bus_message *call, const char **ret_target, bool *ret_xenconsoled,
			  sd_bus_error *error)
{
	const struct bus_option options[] = {{.name = "Xenconsoled", .flag = ret_xenconsoled}};
	int r = sd_bus_message_read(call, "o", ret_target);

	*ret_xenconsoled = false;
	return r < 0 ? r : bus_options_read(call, options, ARRAY_SIZE(options), error);
}

static const struct hl_domain *find_target(const struct bus *bus, const char *path,
					   sd_bus_error *error)
{
	const struct hl_domain *target = bus_domain_find(manager_table(bus_manager_of(bus)), path);

	if (!target)
		(void)bus_error_set(error, BUS_ERROR_NO_SUCH_DOMAIN, "There is no domain %.128s",
				    path);
	return target;
}

static int start(struct bus *bus, const struct bus_allowed *allowed, const struct domain *domain,
		 uint32_t target, bool xenconsoled, sd_bus_error *error)
{
	char key[CONSOLE_HANDOFF_KEY_SIZE];
	const struct bus_verb verb = {
		.kind = CONSOLE_HANDOFF_JOB, .verb = "hand over the console of", .key = key};
	struct console_handoff *handoff = NULL;
	struct handoff_refusal refusal;
	int r;

	console_handoff_key(domain, key);
	if (jobs_find_key(bus_jobs_of(bus), key))
		return bus_error_set(error, BUS_ERROR_BUSY,
				     "The console of domain %" PRIu32 " is being handed over",
				     domain->domid);
	r = console_handoff_new(bus_consoles_of(bus), domain, target, xenconsoled, &handoff,
				&refusal);
	if (r < 0)
		return bus_error_set(error, bus_call_error_of(refusal.error),
				     "Cannot hand over the console of domain %" PRIu32 ": %s",
				     domain->domid, refusal.why);
	return bus_call_start(bus, allowed, &verb, handoff, error);
}

static int run(const struct bus_allowed *allowed, void *userdata, sd_bus_error *error)
{
	struct manager *manager = bus_manager_of(userdata);
	const struct hl_domain *target;
	const struct domain *domain;
	bool xenconsoled;
	const char *path;
	/* They were right when the call came; it was kept since. */
	int r = sd_bus_message_rewind(allowed->call, true);

	if (r >= 0)
		r = read_arguments(allowed->call, &path, &xenconsoled, error);
	if (r < 0)
		return r;
	manager_refresh_if_stale(manager);
	target = find_target(userdata, path, error);
	if (!target)
		return -ENXIO;
	domain = domains_find(manager_domains(manager), allowed->subject.domid,
			      allowed->subject.generation);
	if (!domain)
		return bus_error_set(error, BUS_ERROR_NO_SUCH_DOMAIN,
				     "Domain %" PRIu32 " has gone meanwhile",
				     allowed->subject.domid);
	return start(userdata, allowed, domain, target->domid, xenconsoled, error);
}

int bus_console_hand_off(sd_bus_message *call, void *userdata, sd_bus_error *error)
{
	const struct hl_table *table = manager_table(bus_manager_of(userdata));
	const struct bus_auth_question question = {
		.action = BUS_ACTION_HAND_OFF_CONSOLE,
		.domain = bus_domain_find(table, sd_bus_message_get_path(call)),
		.run = run,
		.userdata = userdata,
	};
	bool xenconsoled;
	const char *path;
	int r = read_arguments(call, &path, &xenconsoled, error);

	if (r < 0)
		return r;
	if (!find_target(userdata, path, error))
		return -ENXIO;
	if (!question.domain)
		return bus_error_set(error, BUS_ERROR_NO_SUCH_DOMAIN,
				     "The domain of this object has gone");
	return bus_auth_call(bus_auth_of(userdata), call, &question, error);
}
