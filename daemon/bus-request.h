/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Methods that change something about one domain: who may, which domain, what went wrong. */
#ifndef HYPERLAUNCHD_BUS_REQUEST_H
#define HYPERLAUNCHD_BUS_REQUEST_H

#include <hl.h>
#include <systemd/sd-bus.h>

#include "bus-auth.h"

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

/*
 * The work of SetConsoleOwner, but for the answer.  -EAGAIN: not yet, as a line is
 * being typed; to be called again.
 */
int bus_request_set_console(struct bus *bus, sd_bus_message *call, const struct bus_subject *subject,
			    sd_bus_error *error);

#endif
