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

/* What a call says of how its domain is made. */
struct bus_create_request {
	struct bus_create_modules
		modules; /* those that the definition has; they stay the caller's */
	bool start;
	const char *id; /* by which a call that is made again is known; NULL: by nothing */
};

#define BUS_CREATE_NO_MODULES {.kernel = -1, .ramdisk = -1}

int bus_create_domain(sd_bus_message *call, void *userdata, sd_bus_error *error);

/*
 * Starts the job that makes the domain, and answers the call with the domain's path when it has
 * ended.  Returns as a method handler does.
 */
int bus_create_start(struct bus *bus, const struct bus_allowed *allowed,
		     const struct bus_create_request *request, const struct definition *definition,
		     sd_bus_error *error);

/* InvalidArgs: it is no text of 1 to 64 printable characters of ASCII; NULL is right. */
int bus_create_check_id(const char *id, sd_bus_error *error);

#endif
