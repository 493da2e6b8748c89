/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The owner of Xen's console, as Manager.SetConsoleOwner changes it. */
#ifndef HYPERLAUNCHD_BUS_CONSOLE_OWNER_H
#define HYPERLAUNCHD_BUS_CONSOLE_OWNER_H

#include <systemd/sd-bus.h>

/* A method handler; `userdata` is the bus. */
int bus_console_set_owner(sd_bus_message *call, void *userdata, sd_bus_error *error);

#endif
