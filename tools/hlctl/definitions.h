/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is defined on the host of hyperlaunchd. */
#ifndef HLCTL_DEFINITIONS_H
#define HLCTL_DEFINITIONS_H

#include "hlctl.h"

struct defined_after {
	uint32_t nr;
	const char **names;
};

/* Strings are "" where nothing is said. */
struct defined {
	const char *name, *format, *uuid, *kernel, *ramdisk, *problem;
	bool enabled;
	struct defined_after after;
};

struct definitions {
	sd_bus_message *reply; /* holds the strings */
	uint32_t nr;
	struct defined *list; /* by name */
};

/* start: the bus starts hyperlaunchd where it does not run. */
enum exit_code definitions_get(sd_bus *bus, bool start, struct definitions *ret_definitions);
void definitions_free(struct definitions *definitions);

/* a{sv}, the next thing in m; what is in ret_defined.after is the caller's. */
int defined_read_settings(sd_bus_message *m, struct defined *ret_defined);

#endif /* HLCTL_DEFINITIONS_H */
