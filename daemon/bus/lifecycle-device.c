// SPDX-License-Identifier: LGPL-2.1-or-later
/* Lifecycle.AttachDevice and DetachDevice: read the call, and start the job. */
#include "bus/lifecycle-device.h"

#include <errno.h>
#include <string.h>

#include "bus/auth.h"
#include "bus/call.h"
#include "bus/connection.h"
#include "bus/domain.h"
#include "bus/error.h"
#include "bus/options.h"
#include "common/cleanup.h"
#include "domains/manager.h"
#include "lifecycle/definition.h"
#include "lifecycle/device.h"

struct arguments {
	const char *type;
	const char *device; /* JSON, or a name */
	bool force;
};

static bool is_attach(sd_bus_message *call)
{
	return strcmp(sd_bus_message_get_member(call), "AttachDevice") == 0;
}

/* trusted: the caller may name what is on this host.  *ret_config: the caller's */
static int check_device(const struct arguments *arguments, bool trusted, char **ret_config,
			sd_bus_error *error)
{
	struct definition_refusal refusal;

	if (definition_device(arguments->type, arguments->device, trusted, ret_config, &refusal) ==
	    0)
		return 0;
	return bus_error_set(error, bus_call_error_of(refusal.error), "Cannot attach a device: %s",
			     refusal.why);
}

/* Printable characters, without a space. */
static bool is_name(const char *text)
{
	size_t length = 0;

	while (text[length] > ' ' && text[length] < 0x7f)
		length++;
	return length > 0 && length <= DEVICE_NAME_MAX && text[length] == '\0';
}

static int check_name(const struct arguments *arguments, sd_bus_error *error)
{
	if (strcmp(arguments->type, "disk") != 0 && strcmp(arguments->type, "nic") != 0)
		return bus_error_set(error, BUS_ERROR_INVALID_ARGS,
				     "Cannot detach a device: its type must be \"disk\" or "
				     "\"nic\"");
	if (!is_name(arguments->device))
		return bus_error_set(error, BUS_ERROR_INVALID_ARGS,
				     "Cannot detach a device: its name must be that of a disk, "
				     "such as xvdb, or the number or MAC of a NIC");
	return 0;
}

static int read_arguments(sd_bus_message *call, struct arguments *ret, sd_bus_error *error)
{
	const struct bus_option options[] = {{.name = "Force", .flag = &ret->force}};
	int r;

	*ret = (struct arguments){.force = false};
	r = sd_bus_message_read(call, "ss", &ret->type, &ret->device);
	if (r < 0)
		return r;
	return bus_options_read(call, options, is_attach(call) ? 0 : ARRAY_SIZE(options), error);
}

static int run_attach(const struct bus_allowed *allowed, void *userdata, sd_bus_error *error)
{
	static const struct bus_verb verb = {.kind = ATTACH_DEVICE_JOB,
					     .verb = "attach a device to"};
	_cleanup_(freep) char *config = NULL;
	struct device_change *data;
	struct arguments arguments;
	/* They were right when the call came; it was kept since. */
	int r = sd_bus_message_rewind(allowed->call, true);

	if (r >= 0)
		r = read_arguments(allowed->call, &arguments, error);
	if (r >= 0)
		r = check_device(&arguments, bus_allowed_is_trusted(allowed), &config, error);
	if (r < 0)
		return r;
	data = device_attach_new(arguments.type, config);
	return data ? bus_call_start(userdata, allowed, &verb, data, error) : -ENOMEM;
}

static int run_detach(const struct bus_allowed *allowed, void *userdata, sd_bus_error *error)
{
	static const struct bus_verb verb = {.kind = DETACH_DEVICE_JOB,
					     .verb = "detach a device from"};
	struct device_change *data;
	struct arguments arguments;
	int r = sd_bus_message_rewind(allowed->call, true);

	if (r >= 0)
		r = read_arguments(allowed->call, &arguments, error);
	if (r < 0)
		return r;
	data = device_detach_new(arguments.type, arguments.device, arguments.force);
	return data ? bus_call_start(userdata, allowed, &verb, data, error) : -ENOMEM;
}

static int on_attach(sd_bus_message *call, void *userdata, sd_bus_error *error)
{
	_cleanup_(freep) char *config = NULL;
	struct arguments arguments;
	int r = read_arguments(call, &arguments, error);

	if (r >= 0)
		r = check_device(&arguments, true, &config, error);
	return r < 0 ? r
		     : bus_domain_ask(call, userdata, BUS_ACTION_CHANGE_DEVICES, run_attach, error);
}

static int on_detach(sd_bus_message *call, void *userdata, sd_bus_error *error)
{
	struct arguments arguments;
	int r = read_arguments(call, &arguments, error);

	if (r >= 0)
		r = check_name(&arguments, error);
	return r < 0 ? r
		     : bus_domain_ask(call, userdata, BUS_ACTION_CHANGE_DEVICES, run_detach, error);
}

static const sd_bus_vtable vtable[] = {
	SD_BUS_VTABLE_START(0),
	SD_BUS_METHOD_WITH_ARGS("AttachDevice",
				SD_BUS_ARGS("s", type, "s", device, "a{sv}", options),
				SD_BUS_NO_RESULT, on_attach, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD_WITH_ARGS("DetachDevice", SD_BUS_ARGS("s", type, "s", name, "a{sv}", options),
				SD_BUS_NO_RESULT, on_detach, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_VTABLE_END,
};

int bus_lifecycle_device_register(struct bus *bus, sd_bus *connection)
{
	return sd_bus_add_fallback_vtable(connection, NULL, BUS_DOMAIN_PREFIX, BUS_LIFECYCLE,
					  vtable, bus_domain_for_bus, bus);
}
