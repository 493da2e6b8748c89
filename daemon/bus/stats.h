/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* GetStats, of the interfaces Manager and Domain: the resource usage of domains. */
#ifndef HYPERLAUNCHD_BUS_STATS_H
#define HYPERLAUNCHD_BUS_STATS_H

#include <systemd/sd-bus.h>

struct bus;

/* The method of Domain. */
int bus_stats_register(struct bus *bus, sd_bus *connection);

/* The method of Manager; userdata is the bus. */
int bus_stats_get_all(sd_bus_message *call, void *userdata, sd_bus_error *error);

#endif
