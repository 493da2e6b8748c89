// SPDX-License-Identifier: LGPL-2.1-or-later
/* What becomes of a domain that ends by itself: properties of Lifecycle, and its SetPolicy. */
#include "bus/lifecycle-policy.h"

#include <errno.h>
#include <string.h>

#include "bus/auth.h"
#include "bus/connection.h"
#include "bus/domain.h"
#include "bus/error.h"
#include "bus/options.h"
#include "bus/property.h"
#include "common/cleanup.h"
#include "domains/manager.h"
#include "lifecycle/policy.h"
#include "lifecycle/vm.h"

static const char *const properties[POLICY_NR_EVENTS] = {
	[POLICY_POWEROFF] = "OnPoweroff",
	[POLICY_REBOOT] = "OnReboot",
	[POLICY_CRASH] = "OnCrash",
};

/* NULL: hyperlaunchd has no policy for it: another toolstack made it, or the LCM has none. */
static const struct policy *policy_of(const struct bus *bus, const struct hl_domain *domain)
{
	const struct policies *policies = bus_vms_of(bus)->policies;

	return policies && domain ? policies_find_of(policies, domain) : NULL;
}

static const char *action_of(const struct policy *policy, const char *property)
{
	for (size_t i = 0; policy && i < POLICY_NR_EVENTS; i++)
		if (strcmp(properties[i], property) == 0)
			return policy_action_name(policy->actions[i]);
	return "";
}

BUS_GETTER(get_action)
{
	const struct policy *policy = policy_of(userdata, bus_domain_at(userdata, path));

	return sd_bus_message_append(reply, "s", action_of(policy, property));
}

BUS_GETTER(get_restarts)
{
	const struct policy *policy = policy_of(userdata, bus_domain_at(userdata, path));

	return sd_bus_message_append(reply, "u", policy ? policy->nr_restarts : 0);
}

/* names: of actions; NULL: not given. */
static int read_names(sd_bus_message *call, const char *names[POLICY_NR_EVENTS],
		      sd_bus_error *error)
{
	struct bus_option options[POLICY_NR_EVENTS];
	enum policy_action ignored;
	bool any = false;
	int r;

	for (size_t i = 0; i < POLICY_NR_EVENTS; i++) {
		names[i] = NULL;
		options[i] = (struct bus_option){.name = properties[i], .text = &names[i]};
	}
	r = bus_options_read(call, options, POLICY_NR_EVENTS, error);
	for (size_t i = 0; r >= 0 && i < POLICY_NR_EVENTS; i++) {
		any = any || names[i];
		if (names[i] && policy_action_from_name(names[i], &ignored) < 0)
			r = bus_error_set(error, BUS_ERROR_INVALID_ARGS,
					  "%s must be \"destroy\", \"restart\" or \"preserve\"",
					  properties[i]);
	}
	if (r >= 0 && !any)
		r = bus_error_set(error, BUS_ERROR_INVALID_ARGS,
				  "One of the options OnPoweroff, OnReboot and OnCrash is needed");
	return r;
}

static int explain(int r, const struct hl_domain *domain, sd_bus_error *error)
{
	if (r == -EOPNOTSUPP)
		return bus_error_set(error, BUS_ERROR_NOT_SUPPORTED,
				     "Domain %u (%s) cannot be restarted: nothing was kept of "
				     "what it is made of, as its definition asked for no restart",
				     domain->domid, domain->name);
	if (r == -ENOMEM)
		return r;
	return bus_error_set(error, BUS_ERROR_FAILED,
			     "What becomes of domain %u (%s) cannot be recorded: %s", domain->domid,
			     domain->name, strerror(-r));
}

static int change(struct bus *bus, const struct hl_domain *domain,
		  const char *const names[POLICY_NR_EVENTS], sd_bus_error *error)
{
	const struct policy *policy = policy_of(bus, domain);
	enum policy_action actions[POLICY_NR_EVENTS];
	int r;

	if (!policy)
		return bus_error_set(error, BUS_ERROR_NOT_SUPPORTED,
				     "Domain %u (%s) was not made by hyperlaunchd, nor does the "
				     "LCM have it restarted: nothing is done when it ends",
				     domain->domid, domain->name);
	memcpy(actions, policy->actions, sizeof(actions));
	for (size_t i = 0; i < POLICY_NR_EVENTS; i++)
		if (names[i])
			(void)policy_action_from_name(names[i], &actions[i]);
	r = policies_change(bus_vms_of(bus)->policies, policy->uuid, actions);
	return r < 0 ? explain(r, domain, error) : 0;
}

static void announce(struct bus *bus, const struct hl_domain *domain)
{
	char path[BUS_DOMAIN_PATH_SIZE];

	bus_domain_path(domain, path);
	bus_sent(sd_bus_emit_properties_changed(bus_connection_of(bus), path, BUS_LIFECYCLE,
						properties[0], properties[1], properties[2], NULL),
		 "PropertiesChanged");
}

static int run(const struct bus_allowed *allowed, void *userdata, sd_bus_error *error)
{
	const struct bus_subject *subject = &allowed->subject;
	const char *names[POLICY_NR_EVENTS];
	const struct hl_domain *domain;
	/* They were right when the call came; it was kept since. */
	int r = sd_bus_message_rewind(allowed->call, true);

	if (r >= 0)
		r = read_names(allowed->call, names, error);
	if (r < 0)
		return r;
	manager_refresh_if_stale(bus_manager_of(userdata));
	if (hl_table_find(manager_table(bus_manager_of(userdata)), subject->domid,
			  subject->generation, &domain) < 0)
		return bus_error_set(error, BUS_ERROR_NO_SUCH_DOMAIN,
				     "Domain %u has gone meanwhile", subject->domid);
	r = change(userdata, domain, names, error);
	if (r < 0)
		return r;
	announce(userdata, domain);
	return sd_bus_reply_method_return(allowed->call, "");
}

static int on_set_policy(sd_bus_message *call, void *userdata, sd_bus_error *error)
{
	const char *names[POLICY_NR_EVENTS];
	int r = read_names(call, names, error);

	return r < 0 ? r : bus_domain_ask(call, userdata, BUS_ACTION_SET_POLICY, run, error);
}

static const sd_bus_vtable vtable[] = {
	SD_BUS_VTABLE_START(0),
	SD_BUS_METHOD_WITH_ARGS("SetPolicy", SD_BUS_ARGS("a{sv}", options), SD_BUS_NO_RESULT,
				on_set_policy, SD_BUS_VTABLE_UNPRIVILEGED),
	BUS_PROPERTY("OnPoweroff", "s", get_action),
	BUS_PROPERTY("OnReboot", "s", get_action),
	BUS_PROPERTY("OnCrash", "s", get_action),
	BUS_SILENT_PROPERTY("Restarts", "u", get_restarts),
	SD_BUS_VTABLE_END,
};

int bus_lifecycle_policy_register(struct bus *bus, sd_bus *connection)
{
	return sd_bus_add_fallback_vtable(connection, NULL, BUS_DOMAIN_PREFIX, BUS_LIFECYCLE,
					  vtable, bus_domain_for_bus, bus);
}
