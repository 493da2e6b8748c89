/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Manager.CreateDomain. */
#ifndef HYPERLAUNCHD_BUS_CREATE_H
#define HYPERLAUNCHD_BUS_CREATE_H

#include <systemd/sd-bus.h>

int bus_create_domain(sd_bus_message *call, void *userdata, sd_bus_error *error);

#endif
