// SPDX-License-Identifier: LGPL-2.1-or-later
/* Manager.SetConsoleOwner: reads the call and starts the job. */
#include "bus/console-owner.h"

#include <errno.h>
#include <stdio.h>

#include "bus/auth.h"
#include "bus/call.h"
#include "bus/connection.h"
#include "bus/domain.h"
#include "bus/error.h"
#include "bus/options.h"
#include "common/cleanup.h"
#include "common/clock.h"
#include "console/owner.h"
#include "domains/manager.h"
#include "jobs/job.h"

/* Xen counts the milliseconds of a loan in 32 bits. */
#define MAX_LOAN (UINT32_MAX * (uint64_t)USEC_PER_MSEC)

/* The domain and the time for which it gets the console, 0 for good. */
static int read_arguments(sd_bus_message *call, const char **ret_path, uint64_t *ret_usec,
			  sd_bus_error *error)
{
	const struct bus_option options[] = {
		{.name = "DurationUSec", .min = 1, .max = MAX_LOAN, .number = ret_usec},
	};
	int r = sd_bus_message_read(call, "o", ret_path);

	*ret_usec = 0;
	return r < 0 ? r : bus_options_read(call, options, ARRAY_SIZE(options), error);
}

static int reply(struct bus *bus, sd_bus_message *call, const struct job *job)
{
	const struct console_owner *owner = job->data;
	char path[BUS_DOMAIN_PATH_SIZE] = "/";

	if (owner->has_previous)
		bus_domain_path_of(owner->previous, owner->previous_generation, path);
	return sd_bus_reply_method_return(call, "o", path);
}

static int run(const struct bus_allowed *allowed, void *userdata, sd_bus_error *error)
{
	static const struct bus_verb lend = {CONSOLE_OWNER_JOB, "lend the console to",
					     CONSOLE_OWNER_KEY, reply};
	static const struct bus_verb give = {CONSOLE_OWNER_JOB, "give the console to",
					     CONSOLE_OWNER_KEY, reply};
	struct console_owner *owner;
	const char *path;
	uint64_t usec;
	/* They were right when the call came; it was kept since. */
	int r = sd_bus_message_rewind(allowed->call, true);

	if (r >= 0)
		r = read_arguments(allowed->call, &path, &usec, error);
	if (r < 0)
		return r;
	owner = calloc(1, sizeof(*owner));
	if (!owner)
		return -ENOMEM;
	owner->loan_ms = (uint32_t)((usec + USEC_PER_MSEC - 1) / USEC_PER_MSEC);
	return bus_call_start(userdata, allowed, usec > 0 ? &lend : &give, owner, error);
}

int bus_console_set_owner(sd_bus_message *call, void *userdata, sd_bus_error *error)
{
	struct bus_auth_question question = {
		.action = BUS_ACTION_SET_CONSOLE_OWNER,
		.run = run,
		.userdata = userdata,
	};
	const char *path;
	uint64_t usec;
	int r = read_arguments(call, &path, &usec, error);

	if (r < 0)
		return r;
	question.domain = bus_domain_find(manager_table(bus_manager_of(userdata)), path);
	if (!question.domain)
		return bus_error_set(error, BUS_ERROR_NO_SUCH_DOMAIN, "There is no domain %.128s",
				     path);
	return bus_auth_call(bus_auth_of(userdata), call, &question, error);
}
