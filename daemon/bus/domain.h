/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The objects of the domains. */
#ifndef HYPERLAUNCHD_BUS_DOMAIN_H
#define HYPERLAUNCHD_BUS_DOMAIN_H

#include <hyperlaunch/hl.h>
#include <systemd/sd-bus.h>

#include "bus/auth.h"
#include "bus/connection.h"

#define BUS_DOMAIN_PATH_SIZE 80

int bus_domain_register(struct bus *bus, sd_bus *connection);

/* Where the objects are. */

/* The row of an object's path; NULL: none. */
const struct hl_domain *bus_domain_find(const struct hl_table *table, const char *path);

/* The same of the bus's own table, as of now. */
const struct hl_domain *bus_domain_at(const struct bus *bus, const char *path);

/* For vtables whose handlers are given the bus: a call may outlast the row. */
int bus_domain_for_bus(sd_bus *connection, const char *path, const char *interface, void *userdata,
		       void **ret_found, sd_bus_error *error);

/* For method handlers: asks whether the caller may do this to the domain of the call's object, and
 * runs it then. */
int bus_domain_ask(sd_bus_message *call, struct bus *bus, const char *action, bus_auth_run_t run,
		   sd_bus_error *error);

/* The object's path; it never stands for another domain. */
void bus_domain_path(const struct hl_domain *domain, char path[BUS_DOMAIN_PATH_SIZE]);
void bus_domain_path_of(uint32_t domid, uint64_t generation, char path[BUS_DOMAIN_PATH_SIZE]);

/* Its UUID; "" where it has none. */
const char *bus_domain_uuid(const struct hl_domain *domain);

/* Appends the names of its roles: as. */
int bus_domain_append_roles(sd_bus_message *message, const struct hl_domain *domain);

/* One PropertiesChanged for these HL_FIELD_* and MANAGER_CHANGED_*. */
int bus_domain_emit_changed(sd_bus *connection, const struct hl_domain *domain, uint32_t fields);

#endif
