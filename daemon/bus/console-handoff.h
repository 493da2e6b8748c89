/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Console.HandOff. */
#ifndef HYPERLAUNCHD_BUS_CONSOLE_HANDOFF_H
#define HYPERLAUNCHD_BUS_CONSOLE_HANDOFF_H

#include <systemd/sd-bus.h>

/* A method handler; userdata: the bus. */
int bus_console_hand_off(sd_bus_message *call, void *userdata, sd_bus_error *error);

#endif
