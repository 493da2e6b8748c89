/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The root object's Manager interface: all domains together, and the verbs that are not one
 * domain's. */
#ifndef HYPERLAUNCHD_BUS_MANAGER_H
#define HYPERLAUNCHD_BUS_MANAGER_H

#include <hyperlaunch/hl.h>
#include <systemd/sd-bus.h>

#include "bus/domain.h"

struct bus;

int bus_manager_register(struct bus *bus, sd_bus *connection);

/* The path that a property such as "ConsoleOwner" has; "/": no domain. */
void bus_manager_holder(const struct hl_table *table, const char *property,
			char path[BUS_DOMAIN_PATH_SIZE]);

int bus_manager_emit_added(sd_bus *connection, const struct hl_domain *domain);
int bus_manager_emit_removed(sd_bus *connection, const struct hl_domain *domain,
			     const char *reason);
/* old, new: object paths; "/": no domain */
int bus_manager_emit_role(sd_bus *connection, enum hl_role role, const char *old, const char *new);

#endif
