// SPDX-License-Identifier: LGPL-2.1-or-later
#include "bus-request.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "bus-error.h"
#include "bus-handoff.h"
#include "bus.h"
#include "log.h"
#include "manager.h"

/* what: the act, before a domain's number and name.  -EAGAIN without an error: to be tried again. */
static int run(sd_bus_message *call, const struct bus_subject *subject, struct manager *manager, const char *what,
	       int (*act)(struct manager *manager, uint32_t domid), sd_bus_error *error)
{
	const struct hl_domain *domain;
	char doing[224];
	int r;

	manager_refresh(manager);
	if (hl_table_find(manager_table(manager), subject->domid, subject->generation, &domain) < 0)
		return bus_error_set(error, BUS_ERROR_NO_SUCH_DOMAIN, "Domain %" PRIu32 " has gone meanwhile",
				     subject->domid);
	if (!domain->live)
		return bus_error_set(error, BUS_ERROR_NO_SUCH_DOMAIN, "Domain %" PRIu32 " (%.128s) does not exist now: it is %s",
				     domain->domid, domain->name, hl_domain_state_name(domain->state));
	snprintf(doing, sizeof(doing), "%s domain %" PRIu32 " (%.128s)", what, domain->domid, domain->name);
	if (domain->state == HL_DOMAIN_DYING)
		return bus_error_set(error, BUS_ERROR_WRONG_STATE, "Cannot %s: it is dying", doing);
	r = act(manager, subject->domid);
	if (r == -EAGAIN)
		return r;
	if (r < 0)
		return bus_error_set_errno(error, r, doing);
	log_notice("%s: done, for %s", doing, sd_bus_message_get_sender(call));
	return 0;
}

int bus_request_set_console(struct bus *bus, sd_bus_message *call, const struct bus_subject *subject,
			    sd_bus_error *error)
{
	return run(call, subject, bus_manager_of(bus), "give the console to", manager_set_console_owner, error);
}

static int run_set_console(sd_bus_message *call, const struct bus_subject *subject, void *userdata, sd_bus_error *error)
{
	return handoffs_add(bus_handoffs_of(userdata), call, subject, error);
}

static int run_release(sd_bus_message *call, const struct bus_subject *subject, void *userdata, sd_bus_error *error)
{
	int r = run(call, subject, bus_manager_of(userdata), "release", manager_release, error);

	return r < 0 ? r : sd_bus_reply_method_return(call, "");
}

int bus_request_call(struct bus *bus, sd_bus_message *call, enum bus_request request, const struct hl_domain *domain,
		     sd_bus_error *error)
{
	static const struct {
		const char *action;
		bus_auth_run_t run;
	} requests[] = {
		[BUS_REQUEST_SET_CONSOLE] = {BUS_ACTION_SET_CONSOLE_OWNER, run_set_console},
		[BUS_REQUEST_RELEASE] = {BUS_ACTION_RELEASE, run_release},
	};
	const struct bus_auth_question question = {
		.action = requests[request].action,
		.domain = domain,
		.run = requests[request].run,
		.userdata = bus,
	};

	return bus_auth_call(bus_auth_of(bus), call, &question, error);
}
