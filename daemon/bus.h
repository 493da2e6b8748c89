/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The daemon on D-Bus: connection, objects, signals.  docs/dbus has the
 * interfaces; a test holds that file against this code.
 */
#ifndef HYPERLAUNCHD_BUS_H
#define HYPERLAUNCHD_BUS_H

#include <stdbool.h>
#include <systemd/sd-bus.h>

#define BUS_NAME      "org.xenproject.Hyperlaunch1"
#define BUS_ROOT      "/org/xenproject/Hyperlaunch1"
#define BUS_MANAGER   BUS_NAME ".Manager"
#define BUS_DOMAIN    BUS_NAME ".Domain"
#define BUS_LIFECYCLE BUS_NAME ".Lifecycle"
#define BUS_API_LEVEL 2

struct bus;
struct bus_auth;
struct handoffs;
struct loop;
struct manager;

struct bus_config {
	const char *address; /* NULL: the system or session bus */
	bool session;	     /* the session bus, and its user may do everything */
};

/*
 * Connects, shows the objects and takes the name, which must be free.  Errors:
 * -EEXIST: somebody has the name; -EACCES: the bus' policy forbids it; else what
 * the connection says.  *ret_step says what was tried.
 */
int bus_new(struct loop *loop, struct manager *manager, const struct bus_config *config, struct bus **ret_bus,
	    const char **ret_step);
struct bus *bus_free(struct bus *bus);

struct manager *bus_manager_of(const struct bus *bus);
struct bus_auth *bus_auth_of(const struct bus *bus);
struct handoffs *bus_handoffs_of(const struct bus *bus);

#endif
