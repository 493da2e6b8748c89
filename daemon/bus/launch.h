/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The root object's Launch interface: what is about the launch as a whole. */
#ifndef HYPERLAUNCHD_BUS_LAUNCH_H
#define HYPERLAUNCHD_BUS_LAUNCH_H

#include <stdint.h>
#include <systemd/sd-bus.h>

struct bus;

int bus_launch_register(struct bus *bus, sd_bus *connection);

/* One PropertiesChanged for these HL_SUMMARY_*. */
int bus_launch_emit_changed(sd_bus *connection, uint32_t fields);

#endif
