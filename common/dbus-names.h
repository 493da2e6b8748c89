/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Names on D-Bus, as docs/dbus/org.xenproject.Hyperlaunch1.xml defines them. */
#ifndef COMMON_DBUS_NAMES_H
#define COMMON_DBUS_NAMES_H

#define BUS_NAME "org.xenproject.Hyperlaunch1"

/* Object paths. */
#define BUS_ROOT	  "/org/xenproject/Hyperlaunch1"
#define BUS_DOMAIN_PREFIX BUS_ROOT "/domain"
#define BUS_JOB_PREFIX	  BUS_ROOT "/job"

/* Interfaces. */
#define BUS_MANAGER   BUS_NAME ".Manager"
#define BUS_DOMAIN    BUS_NAME ".Domain"
#define BUS_LAUNCH    BUS_NAME ".Launch"
#define BUS_HOST      BUS_NAME ".Host"
#define BUS_LIFECYCLE BUS_NAME ".Lifecycle"
#define BUS_CONSOLE   BUS_NAME ".Console"
#define BUS_JOB	      BUS_NAME ".Job"

#endif /* COMMON_DBUS_NAMES_H */
