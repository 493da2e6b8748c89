/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What can be done to a domain: the second interface of the domains' objects. */
#ifndef HYPERLAUNCHD_BUS_LIFECYCLE_H
#define HYPERLAUNCHD_BUS_LIFECYCLE_H

#include <systemd/sd-bus.h>

struct bus;

int bus_lifecycle_register(struct bus *bus, sd_bus *connection);

#endif
