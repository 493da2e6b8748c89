/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The root object's Host interface: the machine and its hypervisor. */
#ifndef HYPERLAUNCHD_BUS_HOST_H
#define HYPERLAUNCHD_BUS_HOST_H

#include <systemd/sd-bus.h>

struct bus;

int bus_host_register(struct bus *bus, sd_bus *connection);

#endif
