/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The loop of a verb that goes on until it is stopped. */
#ifndef HLCTL_LOOP_H
#define HLCTL_LOOP_H

#include "hlctl.h"

#define MATCH_OWNER_CHANGED                            \
	"type='signal',sender='org.freedesktop.DBus'," \
	"interface='org.freedesktop.DBus',member='NameOwnerChanged',arg0='" BUS_NAME "'"

/* SIGINT and SIGTERM end it with EXIT_OK; the end of the bus with an error.  -errno. */
int loop_new(sd_bus *bus, sd_event **ret_event);
enum exit_code loop_run(sd_bus *bus, sd_event *event);

#endif /* HLCTL_LOOP_H */
