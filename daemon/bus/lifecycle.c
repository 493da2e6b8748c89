// SPDX-License-Identifier: LGPL-2.1-or-later
/* The methods of the interface Lifecycle; each starts a job. */
#include "bus/lifecycle.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "bus/auth.h"
#include "bus/call.h"
#include "bus/connection.h"
#include "bus/domain.h"
#include "bus/error.h"
#include "bus/options.h"
#include "common/cleanup.h"
#include "common/clock.h"
#include "domains/manager.h"
#include "lifecycle/destroy.h"
#include "lifecycle/pause.h"
#include "lifecycle/rebuild.h"
#include "lifecycle/release.h"
#include "lifecycle/shutdown.h"

/* What the options of a call say. */
struct arguments {
	bool force;
	uint64_t timeout; /* microseconds */
	bool destroy;	  /* after that */
};

static void *make_destroy(const struct arguments *arguments)
{
	return destroy_new(arguments->force);
}

static void *make_pause(const struct arguments *arguments)
{
	return pause_new(arguments->force);
}

static void *make_rebuild(const struct arguments *arguments)
{
	return rebuild_new(arguments->force);
}

/* The domain that takes its place; one that has ended meanwhile has no object. */
static int reply_rebuilt(struct bus *bus, sd_bus_message *call, const struct job *job)
{
	const struct hl_table *table = manager_table(bus_manager_of(bus));
	char path[BUS_DOMAIN_PATH_SIZE] = "/";
	const struct hl_domain *domain;

	if (hl_table_find_domid(table, rebuild_domid(job->data), &domain) == 0 && domain->adopted)
		bus_domain_path(domain, path);
	return sd_bus_reply_method_return(call, "o", path);
}

static void *make_shutdown(const struct arguments *arguments)
{
	/* The guest is not looked at more often than each millisecond. */
	uint64_t ms = (arguments->timeout + USEC_PER_MSEC - 1) / USEC_PER_MSEC;

	return shutdown_new((uint32_t)ms, arguments->force, arguments->destroy);
}

static const struct method {
	const char *member;
	const char *action;
	const char *kind, *verb; /* of the job */
	const char *key;   /* what jobs with the same exclude each other by; NULL: the domain */
	size_t nr_options; /* of those in read_options() */
	void *(*make)(const struct arguments *arguments); /* the job's data; NULL: it has none */
	/* As in struct bus_verb. */
	int (*reply)(struct bus *bus, sd_bus_message *call, const struct job *job);
} methods[] = {
	{"Release", BUS_ACTION_RELEASE, RELEASE_JOB, "release", NULL, 0, NULL, NULL},
	{"Pause", BUS_ACTION_PAUSE, PAUSE_JOB, "pause", NULL, 1, make_pause, NULL},
	{"Destroy", BUS_ACTION_DESTROY_DOMAIN, DESTROY_JOB, "destroy", NULL, 1, make_destroy, NULL},
	{"Rebuild", BUS_ACTION_REBUILD, REBUILD_JOB, "rebuild", NULL, 1, make_rebuild,
	 reply_rebuilt},
	{"Unpause", BUS_ACTION_PAUSE, UNPAUSE_JOB, "unpause", NULL, 0, NULL, NULL},
	/* A guest that takes long, or ignores it, keeps no other verb waiting. */
	{"Shutdown", BUS_ACTION_SHUTDOWN, SHUTDOWN_JOB, "shut down", "shutdown", 3, make_shutdown,
	 NULL},
	{"Reboot", BUS_ACTION_REBOOT, REBOOT_JOB, "reboot", "shutdown", 3, make_shutdown, NULL},
};

/* Of the vtable, so it is there. */
static const struct method *find_method(sd_bus_message *call)
{
	size_t i = 0;

	while (strcmp(methods[i].member, sd_bus_message_get_member(call)) != 0)
		i++;
	return &methods[i];
}

static int read_options(sd_bus_message *call, struct arguments *arguments, sd_bus_error *error)
{
	const struct bus_option options[] = {
		{.name = "Force", .flag = &arguments->force},
		{.name = "TimeoutUSec",
		 .min = 1,
		 .max = SHUTDOWN_TIMEOUT_MAX * USEC_PER_MSEC,
		 .number = &arguments->timeout},
		{.name = "Destroy", .flag = &arguments->destroy},
	};

	*arguments = (struct arguments){.timeout = SHUTDOWN_TIMEOUT * USEC_PER_MSEC};
	return bus_options_read(call, options, find_method(call)->nr_options, error);
}

static int start(struct bus *bus, const struct bus_allowed *allowed,
		 const struct arguments *arguments, sd_bus_error *error)
{
	const struct method *method = find_method(allowed->call);
	struct bus_verb verb = {.kind = method->kind, .verb = method->verb, .reply = method->reply};
	void *data = method->make ? method->make(arguments) : NULL;
	char key[64];

	if (method->make && !data)
		return -ENOMEM;
	if (method->key) {
		snprintf(key, sizeof(key), "%s/%" PRIu32 "_%" PRIu64, method->key,
			 allowed->subject.domid, allowed->subject.generation);
		verb.key = key;
	}
	return bus_call_start(bus, allowed, &verb, data, error);
}

static int run(const struct bus_allowed *allowed, void *userdata, sd_bus_error *error)
{
	struct arguments arguments;
	/* They were right when the call came; it was kept since. */
	int r = sd_bus_message_rewind(allowed->call, true);

	if (r >= 0)
		r = read_options(allowed->call, &arguments, error);
	return r < 0 ? r : start(userdata, allowed, &arguments, error);
}

/* Of what the options ask for, the most. */
static const char *find_action(sd_bus_message *call, const struct arguments *arguments)
{
	if (arguments->force)
		return BUS_ACTION_FORCE;
	return arguments->destroy ? BUS_ACTION_DESTROY_DOMAIN : find_method(call)->action;
}

static int on_call(sd_bus_message *call, void *userdata, sd_bus_error *error)
{
	struct arguments arguments;
	int r = read_options(call, &arguments, error);

	return r < 0 ? r
		     : bus_domain_ask(call, userdata, find_action(call, &arguments), run, error);
}

/* Each asks for the caller's right itself. */
#define LIFECYCLE_METHOD(name)                                                                  \
	SD_BUS_METHOD_WITH_ARGS(name, SD_BUS_ARGS("a{sv}", options), SD_BUS_NO_RESULT, on_call, \
				SD_BUS_VTABLE_UNPRIVILEGED)

static const sd_bus_vtable vtable[] = {
	SD_BUS_VTABLE_START(0),
	LIFECYCLE_METHOD("Destroy"),
	LIFECYCLE_METHOD("Pause"),
	LIFECYCLE_METHOD("Reboot"),
	SD_BUS_METHOD_WITH_ARGS("Rebuild", SD_BUS_ARGS("a{sv}", options),
				SD_BUS_RESULT("o", domain), on_call, SD_BUS_VTABLE_UNPRIVILEGED),
	LIFECYCLE_METHOD("Release"),
	LIFECYCLE_METHOD("Shutdown"),
	LIFECYCLE_METHOD("Unpause"),
	SD_BUS_VTABLE_END,
};

int bus_lifecycle_register(struct bus *bus, sd_bus *connection)
{
	return sd_bus_add_fallback_vtable(connection, NULL, BUS_DOMAIN_PREFIX, BUS_LIFECYCLE,
					  vtable, bus_domain_for_bus, bus);
}
