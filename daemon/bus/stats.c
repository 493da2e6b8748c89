// SPDX-License-Identifier: LGPL-2.1-or-later
/* Returns the resource usage of domains as Xen has it, from a table that is at most 20 ms old. */
#include "bus/stats.h"

#include <errno.h>
#include <hyperlaunch/hl.h>
#include <inttypes.h>

#include "bus/connection.h"
#include "bus/domain.h"
#include "bus/error.h"
#include "bus/options.h"
#include "common/cleanup.h"
#include "common/clock.h"
#include "domains/domain.h"
#include "domains/manager.h"

/* Limits how often all callers together make Xen list its domains. */
#define MAX_AGE (20 * USEC_PER_MSEC)

/* An element of a{sv}; the value is of a basic type. */
static int append_entry(sd_bus_message *reply, const char *key, char type, const void *value)
{
	const char signature[] = {type, '\0'};
	int r = sd_bus_message_open_container(reply, 'e', "sv");

	if (r >= 0)
		r = sd_bus_message_append_basic(reply, 's', key);
	if (r >= 0)
		r = sd_bus_message_open_container(reply, 'v', signature);
	if (r >= 0)
		r = sd_bus_message_append_basic(reply, type, value);
	if (r >= 0)
		r = sd_bus_message_close_container(reply);
	return r < 0 ? r : sd_bus_message_close_container(reply);
}

/* The elements that each domain has. */
static int append_figures(sd_bus_message *reply, const struct hl_domain *d, uint64_t usec)
{
	const struct {
		const char *key;
		char type;
		const void *value;
	} entries[] = {
		{"TimestampUSec", 't', &usec},
		{"Domid", 'u', &d->domid},
		{"UUID", 's', bus_domain_uuid(d)},
		{"Name", 's', d->name},
		{"State", 's', hl_domain_state_name(d->state)},
		{"CpuTimeNSec", 't', &d->cpu_time_ns},
		{"VcpusOnline", 'u', &d->vcpus_online},
		{"VcpusMax", 'u', &d->vcpus_max},
		{"MemoryCurrent", 't', &d->memory_current},
		{"MemoryMax", 't', &d->memory_max},
		{"MemoryOutstanding", 't', &d->memory_outstanding},
		{"MemoryShared", 't', &d->memory_shared},
		{"MemoryPaged", 't', &d->memory_paged},
	};
	int r = 0;

	for (size_t i = 0; r >= 0 && i < ARRAY_SIZE(entries); i++)
		r = append_entry(reply, entries[i].key, entries[i].type, entries[i].value);
	return r;
}

static const char *vcpu_state(const struct hl_vcpu *vcpu)
{
	if (!vcpu->online)
		return "offline";
	if (vcpu->running)
		return "running";
	return vcpu->blocked ? "blocked" : "runnable";
}

/* Of those that exist. */
static int append_vcpu_records(sd_bus_message *reply, struct hl_ctx *hl, const struct hl_domain *d,
			       sd_bus_error *error)
{
	int r = 0;

	for (uint32_t i = 0; r >= 0 && i < d->vcpus_max; i++) {
		struct hl_vcpu vcpu;

		r = hl_get_vcpu(hl, d->domid, i, &vcpu);
		if (r == -ESRCH)
			r = 0;
		else if (r < 0)
			return bus_error_set_hypervisor(error, r, "read the vCPUs of the domain");
		else
			r = sd_bus_message_append(reply, "(usuta{sv})", i, vcpu_state(&vcpu),
						  vcpu.cpu, vcpu.cpu_time_ns, 0);
	}
	return r;
}

static int append_vcpus(sd_bus_message *reply, struct hl_ctx *hl, const struct hl_domain *d,
			sd_bus_error *error)
{
	int r = sd_bus_message_open_container(reply, 'e', "sv");

	if (r >= 0)
		r = sd_bus_message_append_basic(reply, 's', "Vcpus");
	if (r >= 0)
		r = sd_bus_message_open_container(reply, 'v', "a(usuta{sv})");
	if (r >= 0)
		r = sd_bus_message_open_container(reply, 'a', "(usuta{sv})");
	if (r >= 0)
		r = append_vcpu_records(reply, hl, d, error);
	for (int i = 0; r >= 0 && i < 3; i++)
		r = sd_bus_message_close_container(reply);
	return r;
}

static int refresh(struct manager *manager, sd_bus_error *error)
{
	int r = manager_refresh_if_older(manager, MAX_AGE);

	return r < 0 ? bus_error_set_hypervisor(error, r, "read the state of the domains") : 0;
}

/* The freshest row of a domain of the table; NULL: it does not exist now. */
static const struct hl_domain *live_row(const struct manager *manager, const struct hl_domain *row)
{
	const struct domain *domain =
		domains_find(manager_domains(manager), row->domid, row->generation);

	return domain ? domain->row : NULL;
}

/* The row of the object that is called. */
static int find_row(const struct manager *manager, sd_bus_message *call,
		    const struct hl_domain **ret_row, sd_bus_error *error)
{
	const struct hl_domain *row =
		bus_domain_find(manager_table(manager), sd_bus_message_get_path(call));

	if (row && !row->live)
		return bus_error_set(error, BUS_ERROR_WRONG_STATE,
				     "Domain %" PRIu32 " does not exist now: it is %s", row->domid,
				     hl_domain_state_name(row->state));
	*ret_row = row ? live_row(manager, row) : NULL;
	return *ret_row ? 0
			: bus_error_set(error, BUS_ERROR_NO_SUCH_DOMAIN,
					"The domain of this object has gone");
}

static int reply_stats(sd_bus_message *call, const struct manager *manager,
		       const struct hl_domain *row, bool vcpus, sd_bus_error *error)
{
	_cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
	int r = sd_bus_message_new_method_return(call, &reply);

	if (r >= 0)
		r = sd_bus_message_open_container(reply, 'a', "{sv}");
	if (r >= 0)
		r = append_figures(reply, row, manager_read_at(manager));
	if (r >= 0 && vcpus)
		r = append_vcpus(reply, manager_hl(manager), row, error);
	if (r >= 0)
		r = sd_bus_message_close_container(reply);
	return r < 0 ? r : sd_bus_send(NULL, reply, NULL);
}

static int get_stats(sd_bus_message *call, void *userdata, sd_bus_error *error)
{
	struct manager *manager = bus_manager_of(userdata);
	bool vcpus = false;
	const struct bus_option options[] = {{.name = "Vcpus", .flag = &vcpus}};
	const struct hl_domain *row = NULL;
	int r = bus_options_read(call, options, ARRAY_SIZE(options), error);

	if (r >= 0)
		r = refresh(manager, error);
	if (r >= 0)
		r = find_row(manager, call, &row, error);
	return row ? reply_stats(call, manager, row, vcpus, error) : r;
}

static int append_row(sd_bus_message *reply, const struct hl_domain *row, uint64_t usec)
{
	char path[BUS_DOMAIN_PATH_SIZE];
	int r = sd_bus_message_open_container(reply, 'r', "oa{sv}");

	bus_domain_path(row, path);
	if (r >= 0)
		r = sd_bus_message_append_basic(reply, 'o', path);
	if (r >= 0)
		r = sd_bus_message_open_container(reply, 'a', "{sv}");
	if (r >= 0)
		r = append_figures(reply, row, usec);
	if (r >= 0)
		r = sd_bus_message_close_container(reply);
	return r < 0 ? r : sd_bus_message_close_container(reply);
}

/* Of the domains that have been announced. */
static int append_rows(sd_bus_message *reply, const struct manager *manager)
{
	const struct hl_table *table = manager_table(manager);
	uint64_t usec = manager_read_at(manager);
	int r = sd_bus_message_open_container(reply, 'a', "(oa{sv})");

	for (uint32_t i = 0; r >= 0 && i < hl_table_nr_domains(table); i++) {
		const struct hl_domain *row = live_row(manager, hl_table_get(table, i));

		if (row)
			r = append_row(reply, row, usec);
	}
	return r < 0 ? r : sd_bus_message_close_container(reply);
}

int bus_stats_get_all(sd_bus_message *call, void *userdata, sd_bus_error *error)
{
	_cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
	struct manager *manager = bus_manager_of(userdata);
	int r = bus_options_read(call, NULL, 0, error);

	if (r >= 0)
		r = refresh(manager, error);
	if (r >= 0)
		r = sd_bus_message_new_method_return(call, &reply);
	if (r >= 0)
		r = append_rows(reply, manager);
	return r < 0 ? r : sd_bus_send(NULL, reply, NULL);
}

/* The refresh replaces the rows, so handlers are given the bus. */
static int find(sd_bus *connection, const char *path, const char *interface, void *userdata,
		void **ret_found, sd_bus_error *error)
{
	const struct manager *manager = bus_manager_of(userdata);

	if (!bus_domain_find(manager_table(manager), path))
		return 0;
	*ret_found = userdata;
	return 1;
}

static const sd_bus_vtable vtable[] = {
	SD_BUS_VTABLE_START(0),
	SD_BUS_METHOD_WITH_ARGS("GetStats", SD_BUS_ARGS("a{sv}", options),
				SD_BUS_RESULT("a{sv}", stats), get_stats,
				SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_VTABLE_END,
};

int bus_stats_register(struct bus *bus, sd_bus *connection)
{
	return sd_bus_add_fallback_vtable(connection, NULL, BUS_DOMAIN_PREFIX, BUS_DOMAIN, vtable,
					  find, bus);
}
