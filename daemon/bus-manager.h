/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The root object: what is about the launch, and about all domains together. */
#ifndef HYPERLAUNCHD_BUS_MANAGER_H
#define HYPERLAUNCHD_BUS_MANAGER_H

#include <hl.h>
#include <systemd/sd-bus.h>

struct bus;

int bus_manager_register(struct bus *bus, sd_bus *connection);

int bus_manager_emit_domain(sd_bus *connection, const char *signal, const struct hl_domain *domain);
int bus_manager_emit_role(sd_bus *connection, enum hl_role role, uint32_t before, uint32_t after);
int bus_manager_emit_launch_state(sd_bus *connection, enum hl_launch_state before, enum hl_launch_state after);

#endif
