/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Authorization of privileged calls: root is allowed, and on a session bus the
 * daemon's own user; for others polkit decides.  If polkit is unavailable, they
 * are denied.  The bus and polkit are asked without blocking.
 */
#ifndef HYPERLAUNCHD_BUS_AUTH_H
#define HYPERLAUNCHD_BUS_AUTH_H

#include <hyperlaunch/hl.h>
#include <stdbool.h>
#include <systemd/sd-bus.h>

#define BUS_ACTION_INSPECT_SENSITIVE "org.xenproject.Hyperlaunch1.inspect-sensitive"
#define BUS_ACTION_ATTACH_CONSOLE    "org.xenproject.Hyperlaunch1.attach-console"
#define BUS_ACTION_HAND_OFF_CONSOLE  "org.xenproject.Hyperlaunch1.hand-off-console"
#define BUS_ACTION_READ_CONSOLE_LOG  "org.xenproject.Hyperlaunch1.read-console-log"
#define BUS_ACTION_SET_CONSOLE_OWNER "org.xenproject.Hyperlaunch1.set-console-owner"
#define BUS_ACTION_CREATE_DOMAIN     "org.xenproject.Hyperlaunch1.create-domain"
#define BUS_ACTION_DEFINE	     "org.xenproject.Hyperlaunch1.define"
#define BUS_ACTION_ENABLE	     "org.xenproject.Hyperlaunch1.enable"
#define BUS_ACTION_START	     "org.xenproject.Hyperlaunch1.start"
#define BUS_ACTION_DESTROY_DOMAIN    "org.xenproject.Hyperlaunch1.destroy-domain"
#define BUS_ACTION_RELEASE	     "org.xenproject.Hyperlaunch1.release"
#define BUS_ACTION_RECONCILE	     "org.xenproject.Hyperlaunch1.reconcile"
#define BUS_ACTION_PAUSE	     "org.xenproject.Hyperlaunch1.pause"
#define BUS_ACTION_SHUTDOWN	     "org.xenproject.Hyperlaunch1.shutdown"
#define BUS_ACTION_REBOOT	     "org.xenproject.Hyperlaunch1.reboot"
#define BUS_ACTION_FORCE	     "org.xenproject.Hyperlaunch1.force"
#define BUS_ACTION_REBUILD	     "org.xenproject.Hyperlaunch1.rebuild"
#define BUS_ACTION_RENAME	     "org.xenproject.Hyperlaunch1.rename"
#define BUS_ACTION_RESIZE	     "org.xenproject.Hyperlaunch1.resize"
#define BUS_ACTION_SET_POLICY	     "org.xenproject.Hyperlaunch1.set-policy"
#define BUS_ACTION_CHANGE_DEVICES    "org.xenproject.Hyperlaunch1.change-devices"

struct bus_auth;

/* The domain that a call was about when it came. */
struct bus_subject {
	uint32_t domid;
	uint64_t generation;
};

/* A call that its caller is authorized to make. */
struct bus_allowed {
	sd_bus_message *call;
	uint32_t uid, pid;	    /* the caller's, as the bus knows them; pid 0: it does not */
	struct bus_subject subject; /* where the question has a domain */
};

/* Root, or as good as root: it could itself start what vmd starts for it. */
bool bus_allowed_is_trusted(const struct bus_allowed *allowed);

/*
 * The work of an allowed call: sends the reply itself, or fails with an error that
 * is then sent.  The world may have changed since the call came.
 */
typedef int (*bus_auth_run_t)(const struct bus_allowed *allowed, void *userdata,
			      sd_bus_error *error);

struct bus_auth_question {
	const char *action;
	const struct hl_domain
		*domain; /* in the details of polkit's question; NULL: it is about none */
	bus_auth_run_t run;
	void *userdata;
};

/* own_user_too: the daemon's own user is as good as root. */
int bus_auth_new(sd_bus *connection, bool own_user_too, struct bus_auth **ret_auth);
struct bus_auth *bus_auth_free(struct bus_auth *auth);

/*
 * For method handlers: returns what they return.  Keeps the call until it is
 * decided, then runs it or answers AccessDenied, or InteractiveAuthorizationRequired
 * where polkit would have to ask a person and cannot.  Forgets the call when its
 * sender leaves the bus.
 */
int bus_auth_call(struct bus_auth *auth, sd_bus_message *call,
		  const struct bus_auth_question *question, sd_bus_error *error);

#endif
