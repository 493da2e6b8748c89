// SPDX-License-Identifier: LGPL-2.1-or-later
/* Sends the signals that follow from a diff of two tables. */
#include "bus/signals.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "bus/connection.h"
#include "bus/domain.h"
#include "bus/launch.h"
#include "bus/manager.h"
#include "common/cleanup.h"
#include "domains/manager.h"

/* A property of the root object whose value is a domain. */
struct holder {
	const char *property;
	enum hl_role role;
};

static const struct holder holders[] = {
	{"HardwareDomain", HL_ROLE_HARDWARE}, {"BootDomain", HL_ROLE_BOOT},
	{"CrashDomain", HL_ROLE_CRASH},	      {"ConsoleOwner", HL_ROLE_CONSOLE},
	{"XenstoreDomain", HL_ROLE_XENSTORE},
};

struct bus_signals {
	struct bus *bus;
	sd_bus *connection;
	struct manager_observer observer;
	/* Names of the root object's properties that this change of the table has changed. */
	const char *changed[ARRAY_SIZE(holders) + 2];
	size_t nr_changed;
};

/* Each property once. */
static void mark(struct bus_signals *signals, const char *property)
{
	for (size_t i = 0; i < signals->nr_changed; i++)
		if (strcmp(signals->changed[i], property) == 0)
			return;
	signals->changed[signals->nr_changed++] = property;
}

/* Before the reply to the call that changed them, if one did. */
static void on_done(void *userdata)
{
	struct bus_signals *signals = userdata;
	const char *names[ARRAY_SIZE(signals->changed) + 1] = {NULL};

	if (signals->nr_changed == 0)
		return;
	memcpy(names, signals->changed, signals->nr_changed * sizeof(names[0]));
	signals->nr_changed = 0;
	bus_sent(sd_bus_emit_properties_changed_strv(signals->connection, BUS_ROOT, BUS_MANAGER,
						     (char **)names),
		 "PropertiesChanged");
}

static void on_removing(void *userdata, const struct hl_domain *domain, const char *reason)
{
	const struct bus_signals *signals = userdata;
	char path[BUS_DOMAIN_PATH_SIZE];

	bus_domain_path(domain, path);
	bus_sent(bus_manager_emit_removed(signals->connection, domain, reason), "DomainRemoved");
	bus_sent(sd_bus_emit_object_removed(signals->connection, path), "InterfacesRemoved");
}

static void on_added(void *userdata, const struct hl_domain *domain)
{
	const struct bus_signals *signals = userdata;
	char path[BUS_DOMAIN_PATH_SIZE];

	bus_domain_path(domain, path);
	bus_sent(sd_bus_emit_object_added(signals->connection, path), "InterfacesAdded");
	bus_sent(bus_manager_emit_added(signals->connection, domain), "DomainAdded");
}

static void on_changed(void *userdata, const struct hl_domain *domain, uint32_t fields)
{
	const struct bus_signals *signals = userdata;

	bus_sent(bus_domain_emit_changed(signals->connection, domain, fields), "PropertiesChanged");
}

static void notify_holder(struct bus_signals *signals, const struct holder *holder,
			  const struct hl_table *before, const struct hl_table *after)
{
	char old[BUS_DOMAIN_PATH_SIZE], new[BUS_DOMAIN_PATH_SIZE];

	bus_manager_holder(before, holder->property, old);
	bus_manager_holder(after, holder->property, new);
	if (strcmp(old, new) == 0)
		return;
	mark(signals, holder->property);
	bus_sent(bus_manager_emit_role(signals->connection, holder->role, old, new), "RoleChanged");
}

static void on_summary(void *userdata, const struct hl_table *before, const struct hl_table *after,
		       uint32_t fields)
{
	struct bus_signals *signals = userdata;

	for (size_t i = 0; i < ARRAY_SIZE(holders); i++)
		notify_holder(signals, &holders[i], before, after);
	bus_sent(bus_launch_emit_changed(signals->connection, fields), "PropertiesChanged");
}

static void on_count(void *userdata)
{
	mark(userdata, "NDomains");
}

static void on_xenstore(void *userdata)
{
	mark(userdata, "XenstoreState");
}

int bus_signals_new(struct bus *bus, struct bus_signals **ret_signals)
{
	struct bus_signals *signals = calloc(1, sizeof(*signals));

	if (!signals)
		return -ENOMEM;
	signals->bus = bus;
	signals->connection = bus_connection_of(bus);
	signals->observer = (struct manager_observer){
		.removing = on_removing,
		.added = on_added,
		.changed = on_changed,
		.summary = on_summary,
		.count = on_count,
		.xenstore = on_xenstore,
		.done = on_done,
		.userdata = signals,
	};
	manager_observe(bus_manager_of(bus), &signals->observer);
	*ret_signals = signals;
	return 0;
}

struct bus_signals *bus_signals_free(struct bus_signals *signals)
{
	if (!signals)
		return NULL;
	manager_unobserve(bus_manager_of(signals->bus), &signals->observer);
	free(signals);
	return NULL;
}
