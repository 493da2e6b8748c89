// SPDX-License-Identifier: LGPL-2.1-or-later
/* Connects to the bus, registers the objects and takes the name. */
#include "bus/connection.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "bus/auth.h"
#include "bus/console.h"
#include "bus/domain-rename.h"
#include "bus/domain.h"
#include "bus/event-source.h"
#include "bus/host.h"
#include "bus/job.h"
#include "bus/launch.h"
#include "bus/lifecycle-change.h"
#include "bus/lifecycle-device.h"
#include "bus/lifecycle-policy.h"
#include "bus/lifecycle.h"
#include "bus/manager.h"
#include "bus/signals.h"
#include "bus/start.h"
#include "bus/stats.h"
#include "common/cleanup.h"
#include "domains/manager.h"
#include "loop/log.h"
#include "loop/loop.h"

struct bus {
	sd_bus *connection;
	struct bus_event *source;
	struct bus_auth *auth;
	struct bus_signals *signals;
	struct bus_consoles *consoles;
	struct bus_starts *starts;
	struct bus_subjects subjects;
};

/* What is read shall not be stale: before anything is dispatched the table is looked after. */
static int on_message(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
	struct bus *bus = userdata;
	const char *interface = sd_bus_message_get_interface(message);

	if (!sd_bus_message_is_method_call(message, NULL, NULL))
		return 0;
	if (!interface || strcmp(interface, "org.freedesktop.DBus.Peer") != 0)
		manager_refresh_if_stale(bus->subjects.manager);
	return bus_console_check(bus, message, error);
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
		r = bus_launch_register(bus, bus->connection);
	if (r >= 0)
		r = bus_host_register(bus, bus->connection);
	if (r >= 0)
		r = bus_domain_register(bus, bus->connection);
	if (r >= 0)
		r = bus_stats_register(bus, bus->connection);
	if (r >= 0)
		r = bus_lifecycle_register(bus, bus->connection);
	if (r >= 0)
		r = bus_lifecycle_change_register(bus, bus->connection);
	if (r >= 0)
		r = bus_lifecycle_device_register(bus, bus->connection);
	if (r >= 0)
		r = bus_lifecycle_policy_register(bus, bus->connection);
	if (r >= 0)
		r = bus_domain_rename_register(bus, bus->connection);
	if (r >= 0)
		r = bus_console_register(bus, bus->connection);
	if (r >= 0)
		r = bus_job_register(bus, bus->connection);
	if (r >= 0)
		r = sd_bus_add_object_manager(bus->connection, NULL, BUS_ROOT);
	return r;
}

static int set_up(struct bus *bus, struct loop *loop, const struct bus_config *config,
		  const char **ret_step)
{
	int r;

	*ret_step = "connect to the bus";
	r = open_connection(config, &bus->connection);
	if (r < 0)
		return r;
	*ret_step = "show objects on the bus";
	r = bus_auth_new(bus->connection, config->session, &bus->auth);
	if (r >= 0)
		r = show_objects(bus);
	if (r < 0)
		return r;
	*ret_step = "take the name " BUS_NAME;
	r = sd_bus_request_name(bus->connection, BUS_NAME, 0);
	if (r < 0)
		return r;
	*ret_step = "join the bus to the loop";
	r = bus_event_new(loop, bus->connection, &bus->source);
	if (r >= 0)
		r = bus_signals_new(bus, &bus->signals);
	if (r >= 0)
		r = bus_starts_new(loop, bus, &bus->starts);
	return r < 0 ? r : bus_consoles_new(bus, &bus->consoles);
}

int bus_new(struct loop *loop, const struct bus_subjects *subjects, const struct bus_config *config,
	    struct bus **ret_bus, const char **ret_step)
{
	struct bus *bus = calloc(1, sizeof(*bus));
	int r;

	*ret_step = "begin";
	if (!bus)
		return -ENOMEM;
	bus->subjects = *subjects;
	r = set_up(bus, loop, config, ret_step);
	if (r < 0) {
		bus_free(bus);
		return r;
	}
	bus_job_observe(bus);
	*ret_bus = bus;
	return 0;
}

struct bus *bus_free(struct bus *bus)
{
	if (!bus)
		return NULL;
	bus_job_unobserve(bus);
	bus_starts_free(bus->starts);
	bus_consoles_free(bus->consoles);
	bus_signals_free(bus->signals);
	bus_event_free(bus->source);
	bus_auth_free(bus->auth);
	sd_bus_flush_close_unref(bus->connection);
	free(bus);
	return NULL;
}

struct manager *bus_manager_of(const struct bus *bus)
{
	return bus->subjects.manager;
}

struct bus_auth *bus_auth_of(const struct bus *bus)
{
	return bus->auth;
}

struct jobs *bus_jobs_of(const struct bus *bus)
{
	return bus->subjects.jobs;
}

struct consoles *bus_consoles_of(const struct bus *bus)
{
	return bus->subjects.consoles;
}

const struct vms *bus_vms_of(const struct bus *bus)
{
	return bus->subjects.vms;
}

struct bus_consoles *bus_console_calls_of(const struct bus *bus)
{
	return bus->consoles;
}

struct bus_starts *bus_starts_of(const struct bus *bus)
{
	return bus->starts;
}

sd_bus *bus_connection_of(const struct bus *bus)
{
	return bus->connection;
}

void bus_sent(int r, const char *what)
{
	if (r < 0)
		log_warning("cannot send %s: %s", what, strerror(-r));
}
