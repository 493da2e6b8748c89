/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The Console interface of the domains' objects that have one, its signals, and logs by UUID. */
#ifndef HYPERLAUNCHD_BUS_CONSOLE_H
#define HYPERLAUNCHD_BUS_CONSOLE_H

#include <systemd/sd-bus.h>

struct bus;
struct bus_consoles;

int bus_console_register(struct bus *bus, sd_bus *connection);

/* Manager.OpenConsoleLog; userdata: the bus. */
int bus_console_open_log(sd_bus_message *call, void *userdata, sd_bus_error *error);

/* Sends signals from now on, and keeps calls that wait for the helper, until it is freed. */
int bus_consoles_new(struct bus *bus, struct bus_consoles **ret_consoles);
struct bus_consoles *bus_consoles_free(struct bus_consoles *consoles);

/* For each call before it is dispatched: NotSupported where it is of this interface, and its
 * object's domain has no console.  Returns as a filter does. */
int bus_console_check(struct bus *bus, sd_bus_message *call, sd_bus_error *error);

#endif
