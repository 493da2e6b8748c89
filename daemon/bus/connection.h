/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The daemon on D-Bus: connection, objects, signals.  docs/dbus has the
 * interfaces; a test holds that file against this code.
 */
#ifndef HYPERLAUNCHD_BUS_CONNECTION_H
#define HYPERLAUNCHD_BUS_CONNECTION_H

#include <stdbool.h>
#include <systemd/sd-bus.h>

#include "common/dbus-names.h"

#define BUS_API_LEVEL 3

struct bus;
struct bus_auth;
struct bus_consoles;
struct bus_starts;
struct consoles;
struct jobs;
struct loop;
struct manager;
struct vms;

/* What is shown; all of it outlives the bus. */
struct bus_subjects {
	struct manager *manager;
	struct jobs *jobs;
	struct consoles *consoles;
	const struct vms *vms;
};

struct bus_config {
	const char *address; /* NULL: the system or session bus */
	bool session;	     /* the session bus, and its user may do everything */
};

/*
 * Connects, shows the objects and takes the name, which must be free.  Errors:
 * -EEXIST: the name is taken; -EACCES: the bus' policy forbids it; else what
 * the connection says.  *ret_step says what was tried.
 */
int bus_new(struct loop *loop, const struct bus_subjects *subjects, const struct bus_config *config,
	    struct bus **ret_bus, const char **ret_step);
struct bus *bus_free(struct bus *bus);

struct manager *bus_manager_of(const struct bus *bus);
struct bus_auth *bus_auth_of(const struct bus *bus);
struct jobs *bus_jobs_of(const struct bus *bus);
struct consoles *bus_consoles_of(const struct bus *bus);
const struct vms *bus_vms_of(const struct bus *bus);
/* The calls that are asked of the consoles' helper. */
struct bus_consoles *bus_console_calls_of(const struct bus *bus);
/* Those that wait for a definition to be compiled. */
struct bus_starts *bus_starts_of(const struct bus *bus);
sd_bus *bus_connection_of(const struct bus *bus);

/* Logs `what` if sending it failed with `r` < 0: the connection is gone, which ends the loop. */
void bus_sent(int r, const char *what);

#endif
