/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Methods that change something about one domain: who may, which domain, what went wrong. */
#ifndef HYPERLAUNCHD_BUS_REQUEST_H
#define HYPERLAUNCHD_BUS_REQUEST_H

#include <hl.h>
#include <systemd/sd-bus.h>

struct bus;

enum bus_request {
	BUS_REQUEST_SET_CONSOLE,
	BUS_REQUEST_RELEASE,
};

/*
 * For method handlers without results: returns what they return.  The caller is
 * asked for its right first, which may take long: the domain is looked for again
 * then, and another one with its domid is not taken for it.
 */
int bus_request_call(struct bus *bus, sd_bus_message *call, enum bus_request request, const struct hl_domain *domain,
		     sd_bus_error *error);

#endif
