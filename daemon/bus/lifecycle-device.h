/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Devices of a running domain: methods of the interface Lifecycle. */
#ifndef HYPERLAUNCHD_BUS_LIFECYCLE_DEVICE_H
#define HYPERLAUNCHD_BUS_LIFECYCLE_DEVICE_H

#include <systemd/sd-bus.h>

struct bus;

int bus_lifecycle_device_register(struct bus *bus, sd_bus *connection);

#endif
