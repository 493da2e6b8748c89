// SPDX-License-Identifier: LGPL-2.1-or-later
/* Lifecycle.SetMemory and SetVcpus, which start jobs, and what no domain can do yet. */
#include "bus/lifecycle-change.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "bus/auth.h"
#include "bus/call.h"
#include "bus/connection.h"
#include "bus/domain.h"
#include "bus/error.h"
#include "bus/options.h"
#include "common/cleanup.h"
#include "domains/manager.h"
#include "lifecycle/resize.h"

#define PAGE_SIZE 4096

static bool is_memory(sd_bus_message *call)
{
	return strcmp(sd_bus_message_get_member(call), "SetMemory") == 0;
}

static int read_memory(sd_bus_message *call, uint64_t *ret_kib, sd_bus_error *error)
{
	uint64_t bytes;
	int r = sd_bus_message_read(call, "t", &bytes);

	if (r < 0)
		return r;
	if (bytes < RESIZE_MEMORY_MIN || bytes > INT64_MAX || bytes % PAGE_SIZE != 0)
		return bus_error_set(error, BUS_ERROR_INVALID_ARGS,
				     "The memory of a domain has from %" PRIu64 " to %" PRId64
				     " bytes, and is a multiple of %d",
				     RESIZE_MEMORY_MIN, INT64_MAX / PAGE_SIZE * PAGE_SIZE,
				     PAGE_SIZE);
	*ret_kib = bytes / 1024;
	return 0;
}

/* How many it may have is known when the job runs. */
static int read_vcpus(sd_bus_message *call, uint64_t *ret_nr, sd_bus_error *error)
{
	uint32_t nr;
	int r = sd_bus_message_read(call, "u", &nr);

	if (r < 0)
		return r;
	*ret_nr = nr;
	return nr == 0 ? bus_error_set(error, BUS_ERROR_INVALID_ARGS,
				       "A domain has 1 vCPU at least")
		       : 0;
}

static int read_arguments(sd_bus_message *call, uint64_t *ret_value, sd_bus_error *error)
{
	int r = is_memory(call) ? read_memory(call, ret_value, error)
				: read_vcpus(call, ret_value, error);

	return r < 0 ? r : bus_options_read(call, NULL, 0, error);
}

static int run(const struct bus_allowed *allowed, void *userdata, sd_bus_error *error)
{
	static const struct bus_verb memory = {.kind = SET_MEMORY_JOB, .verb = "set the memory of"},
				     vcpus = {.kind = SET_VCPUS_JOB, .verb = "set the vCPUs of"};
	struct resize *data;
	uint64_t value = 0;
	/* They were right when the call came; it was kept since. */
	int r = sd_bus_message_rewind(allowed->call, true);

	if (r >= 0)
		r = read_arguments(allowed->call, &value, error);
	if (r < 0)
		return r;
	data = resize_new(value);
	if (!data)
		return -ENOMEM;
	return bus_call_start(userdata, allowed, is_memory(allowed->call) ? &memory : &vcpus, data,
			      error);
}

static int on_resize(sd_bus_message *call, void *userdata, sd_bus_error *error)
{
	uint64_t value;
	int r = read_arguments(call, &value, error);

	return r < 0 ? r : bus_domain_ask(call, userdata, BUS_ACTION_RESIZE, run, error);
}

/* What a caller asked of them is not looked at: nothing of it would be done. */
static int on_save(sd_bus_message *call, void *userdata, sd_bus_error *error)
{
	return bus_error_set(error, BUS_ERROR_NOT_SUPPORTED,
			     "Cannot save a domain: hyperlaunch-vmd makes, changes and ends "
			     "domains, and does not read out their memory");
}

static int on_migrate(sd_bus_message *call, void *userdata, sd_bus_error *error)
{
	return bus_error_set(error, BUS_ERROR_NOT_SUPPORTED,
			     "Cannot migrate a domain: hyperlaunchd serves one host, and "
			     "hyperlaunch-vmd does not read out the memory of domains");
}

static const sd_bus_vtable vtable[] = {
	SD_BUS_VTABLE_START(0),
	SD_BUS_METHOD_WITH_ARGS("SetMemory", SD_BUS_ARGS("t", bytes, "a{sv}", options),
				SD_BUS_NO_RESULT, on_resize, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD_WITH_ARGS("SetVcpus", SD_BUS_ARGS("u", count, "a{sv}", options),
				SD_BUS_NO_RESULT, on_resize, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD_WITH_ARGS("Save", SD_BUS_ARGS("h", state, "a{sv}", options), SD_BUS_NO_RESULT,
				on_save, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD_WITH_ARGS("Migrate", SD_BUS_ARGS("s", host, "a{sv}", options),
				SD_BUS_NO_RESULT, on_migrate, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_VTABLE_END,
};

int bus_lifecycle_change_register(struct bus *bus, sd_bus *connection)
{
	return sd_bus_add_fallback_vtable(connection, NULL, BUS_DOMAIN_PREFIX, BUS_LIFECYCLE,
					  vtable, bus_domain_for_bus, bus);
}
