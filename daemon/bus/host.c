// SPDX-License-Identifier: LGPL-2.1-or-later
/* The properties of the interface Host, and ReadLog. */
#include "bus/host.h"

#include <string.h>

#include "bus/auth.h"
#include "bus/connection.h"
#include "bus/error.h"
#include "bus/options.h"
#include "bus/property.h"
#include "common/sealed.h"
#include "common/cleanup.h"
#include "domains/manager.h"
#include "loop/log.h"

/*
 * `userdata` of all getters is the bus.  Empty where Xen does not say: one property that cannot be
 * read would take all others with it.
 */
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

#define HOST_GETTER(name, signature, value)                                                      \
	BUS_VALUE_GETTER(get_##name, signature, const struct hl_host host = read_host(userdata), \
			 value)

HOST_GETTER(version, "s", host.version)
HOST_GETTER(capabilities, "s", host.capabilities)
HOST_GETTER(scheduler, "s", host.scheduler)
HOST_GETTER(cpus, "u", host.cpus)
HOST_GETTER(cpu_khz, "u", host.cpu_khz)
HOST_GETTER(memory_total, "t", host.memory_total)
HOST_GETTER(memory_free, "t", host.memory_free)
HOST_GETTER(hvm, "b", host.hvm)
HOST_GETTER(iommu, "b", host.iommu)

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

static const sd_bus_vtable vtable[] = {
	SD_BUS_VTABLE_START(0),
	SD_BUS_METHOD_WITH_ARGS("ReadLog", SD_BUS_ARGS("a{sv}", options), SD_BUS_RESULT("h", log),
				read_log, SD_BUS_VTABLE_UNPRIVILEGED),
	BUS_CONST_PROPERTY("XenVersion", "s", get_version),
	BUS_CONST_PROPERTY("XenCapabilities", "s", get_capabilities),
	BUS_CONST_PROPERTY("Scheduler", "s", get_scheduler),
	BUS_SILENT_PROPERTY("Cpus", "u", get_cpus),
	BUS_CONST_PROPERTY("CpuKHz", "u", get_cpu_khz),
	BUS_SILENT_PROPERTY("MemoryTotal", "t", get_memory_total),
	BUS_SILENT_PROPERTY("MemoryFree", "t", get_memory_free),
	BUS_CONST_PROPERTY("HVM", "b", get_hvm),
	BUS_CONST_PROPERTY("IOMMU", "b", get_iommu),
	SD_BUS_VTABLE_END,
};

int bus_host_register(struct bus *bus, sd_bus *connection)
{
	return sd_bus_add_object_vtable(connection, NULL, BUS_ROOT, BUS_HOST, vtable, bus);
}
