/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Manager.CreateDomain, and what else makes a domain of a definition. */
#ifndef HYPERLAUNCHD_BUS_CREATE_H
#define HYPERLAUNCHD_BUS_CREATE_H

#include <stdbool.h>
#include <systemd/sd-bus.h>

struct bus;
struct bus_allowed;
struct definition;

/* Descriptors; -1: there is none. */
struct bus_create_modules {
	int kernel, ramdisk;
};

#define BUS_CREATE_NO_MODULES {.kernel = -1, .ramdisk = -1}

int bus_create_domain(sd_bus_message *call, void *userdata, sd_bus_error *error);

/*
 * Starts the job that makes the domain, and answers the call with the domain's path when it has
 * ended.  Returns as a method handler does.
 * modules: those that the definition has; they stay the caller's
 */
int bus_create_start(struct bus *bus, const struct bus_allowed *allowed,
		     const struct bus_create_modules *modules, const struct definition *definition,
		     bool start, sd_bus_error *error);

#endif
