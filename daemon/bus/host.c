// SPDX-License-Identifier: LGPL-2.1-or-later
#include "bus/host.h"

#include <errno.h>
#include <string.h>

#include "bus/auth.h"
#include "bus/connection.h"
#include "bus/error.h"
#include "bus/options.h"
#include "bus/sealed.h"
#include "common/cleanup.h"
#include "domains/manager.h"
#include "loop/log.h"

/* `userdata` is the bus. */
#define GETTER(name)                                                                       \
	static int get_##name(sd_bus *connection, const char *path, const char *interface, \
			      const char *property, sd_bus_message *reply, void *userdata, \
			      sd_bus_error *error)

/* Empty where Xen does not say: one property that cannot be read would take all others with it. */
static struct hl_host read_host(const struct bus *bus)
{
	struct hl_host host = {.version = ""};
	int r = hl_get_host(manager_hl(bus_manager_of(bus)), &host);

	if (r < 0) {
		log_debug("cannot read the facts of the host: %s", strerror(-r));
		host = (struct hl_host){.version = ""};
	}
	return host;
}

GETTER(text)
{
	const struct hl_host host = read_host(userdata);
	const struct {
		const char *property, *value;
	} values[] = {
		{"XenVersion", host.version},
		{"XenCapabilities", host.capabilities},
		{"Scheduler", host.scheduler},
	};

	for (size_t i = 0; i < ARRAY_SIZE(values); i++)
		if (strcmp(values[i].property, property) == 0)
			return sd_bus_message_append(reply, "s", values[i].value);
	return -EINVAL;
}

GETTER(number)
{
	const struct hl_host host = read_host(userdata);

	return sd_bus_message_append(reply, "u",
				     strcmp(property, "Cpus") == 0 ? host.cpus : host.cpu_khz);
}

GETTER(memory)
{
	const struct hl_host host = read_host(userdata);

	return sd_bus_message_append(reply, "t",
				     strcmp(property, "MemoryFree") == 0 ? host.memory_free
									 : host.memory_total);
}

GETTER(switch)
{
	const struct hl_host host = read_host(userdata);

	return sd_bus_message_append(reply, "b",
				     strcmp(property, "HVM") == 0 ? host.hvm : host.iommu);
}

static int run_read_log(const struct bus_allowed *allowed, void *userdata, sd_bus_error *error)
{
	_cleanup_(freep) char *text = NULL;
	_cleanup_(closep) int fd = -1;
	size_t size;
	int r = hl_read_log(manager_hl(bus_manager_of(userdata)), &text, &size);

	if (r < 0)
		return bus_error_set_hypervisor(error, r, "read Xen's log");
	fd = sealed_memfd("xen-log", text, size);
	if (fd < 0)
		return bus_error_set(error, BUS_ERROR_FAILED, "Cannot make a memory file: %s",
				     strerror(-fd));
	return sd_bus_reply_method_return(allowed->call, "h", fd);
}

static int read_log(sd_bus_message *call, void *userdata, sd_bus_error *error)
{
	const struct bus_auth_question question = {
		.action = BUS_ACTION_INSPECT_SENSITIVE,
		.run = run_read_log,
		.userdata = userdata,
	};
	int r = bus_options_read(call, NULL, 0, error);

	return r < 0 ? r : bus_auth_call(bus_auth_of(userdata), call, &question, error);
}

#define CONST_PROPERTY(name, type, getter) \
	SD_BUS_PROPERTY(name, type, getter, 0, SD_BUS_VTABLE_PROPERTY_CONST)
#define SILENT_PROPERTY(name, type, getter) SD_BUS_PROPERTY(name, type, getter, 0, 0)

static const sd_bus_vtable vtable[] = {
	SD_BUS_VTABLE_START(0),
	SD_BUS_METHOD_WITH_ARGS("ReadLog", SD_BUS_ARGS("a{sv}", options), SD_BUS_RESULT("h", log),
				read_log, SD_BUS_VTABLE_UNPRIVILEGED),
	CONST_PROPERTY("XenVersion", "s", get_text),
	CONST_PROPERTY("XenCapabilities", "s", get_text),
	CONST_PROPERTY("Scheduler", "s", get_text),
	SILENT_PROPERTY("Cpus", "u", get_number),
	CONST_PROPERTY("CpuKHz", "u", get_number),
	SILENT_PROPERTY("MemoryTotal", "t", get_memory),
	SILENT_PROPERTY("MemoryFree", "t", get_memory),
	CONST_PROPERTY("HVM", "b", get_switch),
	CONST_PROPERTY("IOMMU", "b", get_switch),
	SD_BUS_VTABLE_END,
};

int bus_host_register(struct bus *bus, sd_bus *connection)
{
	return sd_bus_add_object_vtable(connection, NULL, BUS_ROOT, BUS_HOST, vtable, bus);
}
