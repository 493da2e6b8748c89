/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Calls of hyperlaunchd over D-Bus, and their answers. */
#ifndef HLCTL_BUS_H
#define HLCTL_BUS_H

#include "hlctl.h"

#define BUS_PROPERTIES "org.freedesktop.DBus.Properties"

enum exit_code bus_open(const struct options *options, sd_bus **ret_bus);

/* A call of one of the daemon's objects; types and what follows are its arguments. */
enum exit_code bus_call_at(sd_bus *bus, const char *path, const char *interface, const char *method,
			   sd_bus_message **ret_reply, const char *types, ...);

/* Of the root object. */
#define bus_call(bus, ...) bus_call_at(bus, BUS_ROOT, __VA_ARGS__)

/* A method of the manager without arguments, for which the bus does not start hyperlaunchd. */
enum exit_code bus_call_running(sd_bus *bus, const char *method, sd_bus_message **ret_reply);

/* Returns -errno and the error, in place of reporting it. */
int bus_try_call(sd_bus *bus, const char *path, const char *interface, const char *method,
		 sd_bus_error *ret_error, sd_bus_message **ret_reply, const char *types, ...);

/* A call that polkit authorizes: it may ask the user, unless the options forbid it. */
enum exit_code bus_call_privileged(const struct options *options, sd_bus *bus, const char *path,
				   const char *interface, const char *method,
				   sd_bus_message **ret_reply, const char *types, ...);

/* The same for a message of the caller's.  work_usec: how long the daemon may take for the work
 * itself. */
enum exit_code bus_send_privileged(const struct options *options, sd_bus *bus, sd_bus_message *call,
				   uint64_t work_usec, sd_bus_message **ret_reply);

/* a{sv}; interface "": the properties of all interfaces. */
enum exit_code bus_get_all(sd_bus *bus, const char *path, const char *interface,
			   sd_bus_message **ret_reply);

/*
 * The next struct of an array that has been entered: reads its first members, of
 * these basic types, and skips those that a newer daemon has after them.  Returns 0
 * at the end of the array.
 */
int bus_read_record(sd_bus_message *m, const char *types, ...);
/* Skips what is left of a struct, and leaves it. */
int bus_end_record(sd_bus_message *m);

/* For an answer that is not what the daemon's interface promises. */
enum exit_code bus_bad_answer(int r);

/* Says what went wrong with a call. */
enum exit_code bus_report_error(const sd_bus_error *error, int r);

/*
 * Goes through a{sv}, the next thing in m: for each key that one of the fields
 * has, reads the value there.  Others are skipped: a newer daemon has more.
 */
struct bus_field {
	const char *key;
	const char *type; /* one of s o u t b, or "?" with read */
	size_t offset;
	int (*read)(sd_bus_message *m, void *at);
};
int bus_read_fields(sd_bus_message *m, const struct bus_field *fields, size_t nr, void *record);

#endif /* HLCTL_BUS_H */
