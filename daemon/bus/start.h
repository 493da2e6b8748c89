/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Manager.Start: makes a domain that is defined. */
#ifndef HYPERLAUNCHD_BUS_START_H
#define HYPERLAUNCHD_BUS_START_H

#include <systemd/sd-bus.h>

struct bus;
struct bus_starts;
struct loop;

int bus_start_domain(sd_bus_message *call, void *userdata, sd_bus_error *error);

/* The calls whose definitions are being compiled. */
int bus_starts_new(struct loop *loop, struct bus *bus, struct bus_starts **ret_starts);
/* They get no answer. */
struct bus_starts *bus_starts_free(struct bus_starts *starts);

#endif
