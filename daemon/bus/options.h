/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The a{sv} of options that each method which changes something takes. */
#ifndef HYPERLAUNCHD_BUS_OPTIONS_H
#define HYPERLAUNCHD_BUS_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <systemd/sd-bus.h>

/* An option of type t, b, h, s or as.  What it points to is left alone where the option is not
 * given.
 */
struct bus_option {
	const char *name;
	uint64_t min, max; /* of type t */
	/* One of them: */
	uint64_t *number;  /* type t */
	bool *flag;	   /* type b */
	int *fd;	   /* type h: the message's */
	const char **text; /* type s: the message's */
	char ***list;	   /* type as: the caller's, to be freed with its texts; NULL: empty */
};

/* The next argument of the call, a{sv}.  InvalidArgs: an option that is not listed, of another
 * type, or out of range. */
int bus_options_read(sd_bus_message *call, const struct bus_option *options, size_t nr,
		     sd_bus_error *error);

#endif
