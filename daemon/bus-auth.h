/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Who may call what needs rights: root; on a session bus the daemon's own user;
 * else whom polkit allows it.  No polkit: nobody else.  Asks the bus and polkit
 * without blocking.
 */
#ifndef HYPERLAUNCHD_BUS_AUTH_H
#define HYPERLAUNCHD_BUS_AUTH_H

#include <hl.h>
#include <stdbool.h>
#include <systemd/sd-bus.h>

#define BUS_ACTION_INSPECT_SENSITIVE "org.xenproject.Hyperlaunch1.inspect-sensitive"
#define BUS_ACTION_SET_CONSOLE_OWNER "org.xenproject.Hyperlaunch1.set-console-owner"
#define BUS_ACTION_RELEASE	     "org.xenproject.Hyperlaunch1.release"

struct bus_auth;

/* The domain that a call was about when it came. */
struct bus_subject {
	uint32_t domid;
	uint64_t generation;
};

/*
 * The work of an allowed call: sends the reply itself, or fails with an error that
 * is then sent.  The world may have changed since the call came.
 */
typedef int (*bus_auth_run_t)(sd_bus_message *call, const struct bus_subject *subject, void *userdata,
			      sd_bus_error *error);

struct bus_auth_question {
	const char *action;
	const struct hl_domain *domain; /* polkit's rules are told of it; NULL: about none, nor has `run` a subject */
	bus_auth_run_t run;
	void *userdata;
};

/* own_user_too: the daemon's own user is as good as root. */
int bus_auth_new(sd_bus *connection, bool own_user_too, struct bus_auth **ret_auth);
struct bus_auth *bus_auth_free(struct bus_auth *auth);

/*
 * For method handlers: returns what they return.  Keeps the call until it is
 * decided, then runs it or answers AccessDenied.
 */
int bus_auth_call(struct bus_auth *auth, sd_bus_message *call, const struct bus_auth_question *question,
		  sd_bus_error *error);

#endif
