/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a running domain has: methods of the interface Lifecycle that take more than options. */
#ifndef HYPERLAUNCHD_BUS_LIFECYCLE_CHANGE_H
#define HYPERLAUNCHD_BUS_LIFECYCLE_CHANGE_H

#include <systemd/sd-bus.h>

struct bus;

int bus_lifecycle_change_register(struct bus *bus, sd_bus *connection);

#endif
