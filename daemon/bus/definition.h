/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The manager's methods about domains that persist: their definitions, and what is set for them. */
#ifndef HYPERLAUNCHD_BUS_DEFINITION_H
#define HYPERLAUNCHD_BUS_DEFINITION_H

#include <systemd/sd-bus.h>

struct bus;
struct definition_file;

int bus_definition_list(sd_bus_message *call, void *userdata, sd_bus_error *error);
int bus_definition_get(sd_bus_message *call, void *userdata, sd_bus_error *error);
int bus_definition_define(sd_bus_message *call, void *userdata, sd_bus_error *error);
int bus_definition_undefine(sd_bus_message *call, void *userdata, sd_bus_error *error);
int bus_definition_enable(sd_bus_message *call, void *userdata, sd_bus_error *error);
int bus_definition_disable(sd_bus_message *call, void *userdata, sd_bus_error *error);

/* 0, or an error that says what is wrong with it, or that there is none. */
int bus_definition_read(const struct bus *bus, const char *name, struct definition_file *ret_file,
			sd_bus_error *error);

/* The first argument of the call. */
int bus_definition_read_name(sd_bus_message *call, const char **ret_name, sd_bus_error *error);

#endif
