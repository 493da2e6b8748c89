// SPDX-License-Identifier: LGPL-2.1-or-later
/* The connection to the bus that the command line names. */
#include "bus.h"

#include <errno.h>
#include <string.h>

static int open_address(const char *address, sd_bus **ret_bus)
{
	_cleanup_(sd_bus_unrefp) sd_bus *bus = NULL;
	int r = sd_bus_new(&bus);

	if (r >= 0)
		r = sd_bus_set_address(bus, address);
	if (r >= 0)
		r = sd_bus_set_bus_client(bus, true);
	if (r >= 0)
		r = sd_bus_start(bus);
	if (r >= 0)
		*ret_bus = sd_bus_ref(bus);
	return r;
}

/* ssh reports its own errors; the connection is known to exist once the bus has answered. */
static int open_host(const char *host, sd_bus **ret_bus)
{
	_cleanup_(sd_bus_unrefp) sd_bus *bus = NULL;
	const char *name;
	int r = *host ? sd_bus_open_system_remote(&bus, host) : -EINVAL;

	if (r >= 0)
		r = sd_bus_get_unique_name(bus, &name);
	if (r >= 0)
		*ret_bus = sd_bus_ref(bus);
	return r;
}

enum exit_code bus_open(const struct options *options, sd_bus **ret_bus)
{
	const char *which = "system bus", *address = "", *quote = "";
	int r;

	switch (options->bus) {
	case BUS_KIND_SESSION:
		which = "session bus";
		r = sd_bus_open_user(ret_bus);
		break;
	case BUS_KIND_ADDRESS:
		which = "bus at ";
		address = options->address;
		quote = "'";
		r = open_address(options->address, ret_bus);
		break;
	case BUS_KIND_HOST:
		which = "system bus of ";
		address = options->address;
		quote = "'";
		r = open_host(options->address, ret_bus);
		break;
	default:
		r = sd_bus_open_system(ret_bus);
		break;
	}
	if (r >= 0)
		return EXIT_OK;
	if (r == -EINVAL && options->bus == BUS_KIND_ADDRESS)
		return report_error(EXIT_USAGE, "'%s' is no D-Bus address", address);
	if (r == -EINVAL && options->bus == BUS_KIND_HOST)
		return report_error(EXIT_USAGE, "'%s' is no host", address);
	if (r == -ENOMEDIUM)
		return report_error(EXIT_FAILED,
				    "there is no session bus here; dbus-run-session starts one");
	return report_error(r == -EACCES || r == -EPERM ? EXIT_DENIED
			    : r == -ETIMEDOUT		? EXIT_TIMEOUT
							: EXIT_FAILED,
			    "cannot connect to the %s%s%s%s: %s", which, quote, address, quote,
			    strerror(-r));
}
