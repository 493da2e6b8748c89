// SPDX-License-Identifier: LGPL-2.1-or-later
#include "bus.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "bus-auth.h"
#include "bus-domain.h"
#include "bus-event.h"
#include "bus-handoff.h"
#include "bus-lifecycle.h"
#include "bus-manager.h"
#include "log.h"
#include "loop.h"
#include "manager.h"
#include "util.h"

#define MAX_ROOT_PROPERTIES 8

struct bus {
	sd_bus *connection;
	struct bus_event *source;
	struct bus_auth *auth;
	struct handoffs *handoffs;
	struct manager *manager;
	/* The root object's properties that have changed since the last poll. */
	const char *changed[MAX_ROOT_PROPERTIES + 1];
	size_t nr_changed;
	struct deferred *emit;
};

/* A signal that cannot be sent means that the connection is gone, which ends the loop. */
static void sent(int r, const char *what)
{
	if (r < 0)
		log_warning("cannot send %s: %s", what, strerror(-r));
}

static void mark(struct bus *bus, const char *property)
{
	for (size_t i = 0; i < bus->nr_changed; i++)
		if (strcmp(bus->changed[i], property) == 0)
			return;
	if (bus->nr_changed == MAX_ROOT_PROPERTIES)
		return;
	bus->changed[bus->nr_changed++] = property;
	bus->changed[bus->nr_changed] = NULL;
	deferred_request(bus->emit);
}

static void on_emit(void *userdata)
{
	struct bus *bus = userdata;

	if (bus->nr_changed == 0)
		return;
	sent(sd_bus_emit_properties_changed_strv(bus->connection, BUS_ROOT, BUS_MANAGER, (char **)bus->changed),
	     "PropertiesChanged");
	bus->nr_changed = 0;
}

static void on_removing(void *userdata, const struct hl_domain *domain)
{
	struct bus *bus = userdata;
	char path[BUS_DOMAIN_PATH_SIZE];

	bus_domain_path(domain, path);
	sent(bus_manager_emit_domain(bus->connection, "DomainRemoved", domain), "DomainRemoved");
	sent(sd_bus_emit_object_removed(bus->connection, path), "InterfacesRemoved");
}

static void on_added(void *userdata, const struct hl_domain *domain)
{
	struct bus *bus = userdata;
	char path[BUS_DOMAIN_PATH_SIZE];

	bus_domain_path(domain, path);
	sent(sd_bus_emit_object_added(bus->connection, path), "InterfacesAdded");
	sent(bus_manager_emit_domain(bus->connection, "DomainAdded", domain), "DomainAdded");
}

static void on_changed(void *userdata, const struct hl_domain *domain, uint32_t fields)
{
	const struct bus *bus = userdata;

	sent(bus_domain_emit_changed(bus->connection, domain, fields), "PropertiesChanged");
}

static void tell_roles(const struct bus *bus, const struct hl_summary *before, const struct hl_summary *after)
{
	const struct {
		enum hl_role role;
		uint32_t before, after;
	} holders[] = {
		{HL_ROLE_HARDWARE, before->hardware_domid, after->hardware_domid},
		{HL_ROLE_BOOT, before->boot_domid, after->boot_domid},
		{HL_ROLE_CRASH, before->crash_domid, after->crash_domid},
		{HL_ROLE_CONSOLE, before->console_owner, after->console_owner},
		{HL_ROLE_XENSTORE, before->xenstore_domid, after->xenstore_domid},
	};

	for (size_t i = 0; i < ARRAY_SIZE(holders); i++)
		if (holders[i].before != holders[i].after)
			sent(bus_manager_emit_role(bus->connection, holders[i].role, holders[i].before,
						   holders[i].after),
			     "RoleChanged");
}

static void on_summary(void *userdata, const struct hl_summary *before, const struct hl_summary *after, uint32_t fields)
{
	struct bus *bus = userdata;

	if (before->state != after->state) {
		mark(bus, "LaunchState");
		sent(bus_manager_emit_launch_state(bus->connection, before->state, after->state), "LaunchStateChanged");
	}
	if (before->console_owner != after->console_owner)
		mark(bus, "ConsoleDomid");
	if (before->hardware_domid != after->hardware_domid)
		mark(bus, "HardwareDomid");
	if (before->xenstore_domid != after->xenstore_domid)
		mark(bus, "XenstoreDomid");
	tell_roles(bus, before, after);
}

static void on_count(void *userdata)
{
	mark(userdata, "NDomains");
}

static void on_xenstore(void *userdata)
{
	mark(userdata, "XenstoreState");
}

static const struct manager_observer observer = {
	.removing = on_removing,
	.added = on_added,
	.changed = on_changed,
	.summary = on_summary,
	.count = on_count,
	.xenstore = on_xenstore,
};

/* What is read shall not be stale: before anything is dispatched the table is looked after. */
static int on_message(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
	const struct bus *bus = userdata;
	const char *interface = sd_bus_message_get_interface(message);

	if (!sd_bus_message_is_method_call(message, NULL, NULL))
		return 0;
	if (!interface || strcmp(interface, "org.freedesktop.DBus.Peer") != 0)
		manager_freshen(bus->manager);
	return 0;
}

static int open_address(const char *address, sd_bus **ret_connection)
{
	_cleanup_(sd_bus_unrefp) sd_bus *connection = NULL;
	int r = sd_bus_new(&connection);

	if (r >= 0)
		r = sd_bus_set_address(connection, address);
	if (r >= 0)
		r = sd_bus_set_bus_client(connection, 1);
	if (r >= 0)
		r = sd_bus_start(connection);
	if (r < 0)
		return r;
	*ret_connection = steal(&connection);
	return 0;
}

static int open_connection(const struct bus_config *config, sd_bus **ret_connection)
{
	if (config->address)
		return open_address(config->address, ret_connection);
	if (config->session)
		return sd_bus_open_user_with_description(ret_connection, "hyperlaunchd");
	return sd_bus_open_system_with_description(ret_connection, "hyperlaunchd");
}

static int show_objects(struct bus *bus)
{
	int r = sd_bus_add_filter(bus->connection, NULL, on_message, bus);

	if (r >= 0)
		r = bus_manager_register(bus, bus->connection);
	if (r >= 0)
		r = bus_domain_register(bus, bus->connection);
	if (r >= 0)
		r = bus_lifecycle_register(bus, bus->connection);
	if (r >= 0)
		r = sd_bus_add_object_manager(bus->connection, NULL, BUS_ROOT);
	return r;
}

static int set_up(struct bus *bus, struct loop *loop, const struct bus_config *config, const char **ret_step)
{
	int r;

	*ret_step = "connect to the bus";
	r = open_connection(config, &bus->connection);
	if (r < 0)
		return r;
	*ret_step = "show objects on the bus";
	r = bus_auth_new(bus->connection, config->session, &bus->auth);
	if (r >= 0)
		r = handoffs_new(loop, bus, &bus->handoffs);
	if (r >= 0)
		r = deferred_new(loop, on_emit, bus, &bus->emit);
	if (r >= 0)
		r = show_objects(bus);
	if (r < 0)
		return r;
	*ret_step = "take the name " BUS_NAME;
	r = sd_bus_request_name(bus->connection, BUS_NAME, 0);
	if (r < 0)
		return r;
	*ret_step = "join the bus to the loop";
	return bus_event_new(loop, bus->connection, &bus->source);
}

int bus_new(struct loop *loop, struct manager *manager, const struct bus_config *config, struct bus **ret_bus,
	    const char **ret_step)
{
	struct bus *bus = calloc(1, sizeof(*bus));
	int r;

	*ret_step = "begin";
	if (!bus)
		return -ENOMEM;
	bus->manager = manager;
	r = set_up(bus, loop, config, ret_step);
	if (r < 0) {
		bus_free(bus);
		return r;
	}
	manager_observe(manager, &observer, bus);
	*ret_bus = bus;
	return 0;
}

struct bus *bus_free(struct bus *bus)
{
	if (!bus)
		return NULL;
	manager_observe(bus->manager, NULL, NULL);
	bus_event_free(bus->source);
	bus_auth_free(bus->auth);
	handoffs_free(bus->handoffs);
	deferred_free(bus->emit);
	sd_bus_flush_close_unref(bus->connection);
	free(bus);
	return NULL;
}

struct manager *bus_manager_of(const struct bus *bus)
{
	return bus->manager;
}

struct bus_auth *bus_auth_of(const struct bus *bus)
{
	return bus->auth;
}

struct handoffs *bus_handoffs_of(const struct bus *bus)
{
	return bus->handoffs;
}
