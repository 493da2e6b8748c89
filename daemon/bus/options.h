/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The a{sv} of options that each method which changes something takes. */
#ifndef HYPERLAUNCHD_BUS_OPTIONS_H
#define HYPERLAUNCHD_BUS_OPTIONS_H

#include <stddef.h>
#include <stdint.h>
#include <systemd/sd-bus.h>

/* An option of type t. */
struct bus_option {
	const char *name;
	uint64_t min, max;
	uint64_t *value; /* left alone where the option is not given */
};

/* The next argument of the call, a{sv}.  InvalidArgs: an option that is not listed, of another
 * type, or out of range. */
int bus_options_read(sd_bus_message *call, const struct bus_option *options, size_t nr,
		     sd_bus_error *error);

#endif
