/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Domain.Rename. */
#ifndef HYPERLAUNCHD_BUS_DOMAIN_RENAME_H
#define HYPERLAUNCHD_BUS_DOMAIN_RENAME_H

#include <systemd/sd-bus.h>

struct bus;

int bus_domain_rename_register(struct bus *bus, sd_bus *connection);

#endif
