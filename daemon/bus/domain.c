// SPDX-License-Identifier: LGPL-2.1-or-later
/* A domain's object: its path and its properties. */
#include "bus/domain.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "bus/connection.h"
#include "bus/error.h"
#include "bus/property.h"
#include "common/cleanup.h"
#include "common/clock.h"
#include "common/uuid.h"
#include "domains/manager.h"
#include "loop/log.h"

#define PREFIX BUS_DOMAIN_PREFIX
#define KIB    1024

/* Returns the end of what it writes. */
static char *put_decimal(char *out, uint64_t value)
{
	char digits[20]; /* of UINT64_MAX */
	size_t first = sizeof(digits);

	do {
		digits[--first] = (char)('0' + value % 10);
		value /= 10;
	} while (value > 0);
	return mempcpy(out, digits + first, sizeof(digits) - first);
}

/* Each row that is listed needs one; snprintf() takes a tenth of the time of a row. */
void bus_domain_path_of(uint32_t domid, uint64_t generation, char path[BUS_DOMAIN_PATH_SIZE])
{
	char *out = mempcpy(path, PREFIX "/d", strlen(PREFIX "/d"));

	static_assert(sizeof(PREFIX "/d4294967295_18446744073709551615") <= BUS_DOMAIN_PATH_SIZE,
		      "the longest path");
	out = put_decimal(out, domid);
	*out++ = '_';
	out = put_decimal(out, generation);
	*out = '\0';
}

void bus_domain_path(const struct hl_domain *domain, char path[BUS_DOMAIN_PATH_SIZE])
{
	bus_domain_path_of(domain->domid, domain->generation, path);
}

/* Only the very text that bus_domain_path() makes is a domain's path. */
const struct hl_domain *bus_domain_find(const struct hl_table *table, const char *path)
{
	const struct hl_domain *domain;
	char canonical[BUS_DOMAIN_PATH_SIZE];
	uint64_t domid, generation;
	char *end;

	if (strncmp(path, PREFIX "/d", strlen(PREFIX "/d")) != 0)
		return NULL;
	domid = strtoull(path + strlen(PREFIX "/d"), &end, 10);
	if (domid > UINT32_MAX || *end != '_')
		return NULL;
	generation = strtoull(end + 1, NULL, 10);
	if (hl_table_find(table, (uint32_t)domid, generation, &domain) < 0)
		return NULL;
	bus_domain_path(domain, canonical);
	return strcmp(path, canonical) == 0 ? domain : NULL;
}

const struct hl_domain *bus_domain_at(const struct bus *bus, const char *path)
{
	return bus_domain_find(manager_table(bus_manager_of(bus)), path);
}

int bus_domain_for_bus(sd_bus *connection, const char *path, const char *interface, void *userdata,
		       void **ret_found, sd_bus_error *error)
{
	*ret_found = userdata;
	return bus_domain_at(userdata, path) ? 1 : 0;
}

int bus_domain_ask(sd_bus_message *call, struct bus *bus, const char *action, bus_auth_run_t run,
		   sd_bus_error *error)
{
	const struct bus_auth_question question = {
		.action = action,
		.domain = bus_domain_at(bus, sd_bus_message_get_path(call)),
		.run = run,
		.userdata = bus,
	};

	if (!question.domain)
		return bus_error_set(error, BUS_ERROR_NO_SUCH_DOMAIN,
				     "The domain of this object has gone");
	return bus_auth_call(bus_auth_of(bus), call, &question, error);
}

/* What sd-bus hands to the getters is the row itself. */
static int find(sd_bus *connection, const char *path, const char *interface, void *userdata,
		void **ret_found, sd_bus_error *error)
{
	const struct manager *manager = bus_manager_of(userdata);
	const struct hl_domain *domain = bus_domain_find(manager_table(manager), path);

	if (!domain)
		return 0;
	*ret_found = (void *)domain;
	return 1;
}

/* NULL-terminated paths of all rows. */
static int enumerate(sd_bus *connection, const char *prefix, void *userdata, char ***ret_nodes,
		     sd_bus_error *error)
{
	const struct hl_table *table = manager_table(bus_manager_of(userdata));
	uint32_t nr = hl_table_nr_domains(table);
	char **nodes = calloc((size_t)nr + 1, sizeof(*nodes));

	for (uint32_t i = 0; nodes && i < nr; i++) {
		char path[BUS_DOMAIN_PATH_SIZE];

		bus_domain_path(hl_table_get(table, i), path);
		nodes[i] = strdup(path);
		if (nodes[i])
			continue;
		while (i > 0)
			free(nodes[--i]);
		free(nodes);
		nodes = NULL;
	}
	if (!nodes)
		return -ENOMEM;
	*ret_nodes = nodes;
	return 0;
}

static uint64_t memory_planned(const struct hl_domain *domain)
{
	return domain->memory_planned_kib * KIB;
}

#define DOMAIN_GETTER(name, signature, value) \
	BUS_VALUE_GETTER(get_##name, signature, const struct hl_domain *domain = userdata, value)

/* Of a domain that does not exist, what is planned. */
DOMAIN_GETTER(vcpus_max, "u", domain->live ? domain->vcpus_max : domain->vcpus_planned)
DOMAIN_GETTER(vcpus_online, "u", domain->live ? domain->vcpus_online : 0)
DOMAIN_GETTER(memory_max, "t", domain->live ? domain->memory_max : memory_planned(domain))
DOMAIN_GETTER(memory_current, "t", domain->live ? domain->memory_current : 0)
DOMAIN_GETTER(memory_planned, "t", memory_planned(domain))
DOMAIN_GETTER(built, "t", domain->built_ns / NSEC_PER_USEC)
DOMAIN_GETTER(started, "t", domain->started_ns / NSEC_PER_USEC)
DOMAIN_GETTER(ready, "t", domain->ready_ns / NSEC_PER_USEC)
DOMAIN_GETTER(uuid, "s", bus_domain_uuid(domain))
DOMAIN_GETTER(handle, "s", domain->handle_text)
DOMAIN_GETTER(origin, "s", hl_origin_name(domain->origin))
DOMAIN_GETTER(adopted, "b", domain->adopted)
DOMAIN_GETTER(state, "s", hl_domain_state_name(domain->state))

const char *bus_domain_uuid(const struct hl_domain *domain)
{
	return uuid_is_nil(domain->uuid) ? "" : domain->uuid_text;
}

int bus_domain_append_roles(sd_bus_message *message, const struct hl_domain *domain)
{
	int r = sd_bus_message_open_container(message, 'a', "s");

	for (unsigned int role = 0; r >= 0 && role < HL_NR_ROLES; role++)
		if (domain->roles & (1u << role))
			r = sd_bus_message_append_basic(message, 's', hl_role_name(role));
	return r < 0 ? r : sd_bus_message_close_container(message);
}

BUS_GETTER(get_roles)
{
	return bus_domain_append_roles(reply, userdata);
}

BUS_GETTER(get_modules)
{
	const struct hl_domain *d = userdata;
	char sha256[HL_SHA256_TEXT_SIZE];
	int r = sd_bus_message_open_container(reply, 'a', "(sutsa{sv})");

	for (uint32_t i = 0; r >= 0 && i < d->nr_modules; i++) {
		const struct hl_domain_module *module = d->modules[i];

		hl_sha256_to_text(module->sha256, sha256);
		r = sd_bus_message_append(reply, "(sutsa{sv})", hl_module_type_name(module->type),
					  module->index, module->size, sha256, 0);
	}
	return r < 0 ? r : sd_bus_message_close_container(reply);
}

BUS_GETTER(get_drift)
{
	const struct hl_domain *d = userdata;
	int r = sd_bus_message_open_container(reply, 'a', "(sssa{sv})");

	for (uint32_t i = 0; r >= 0 && i < d->nr_drift; i++)
		r = sd_bus_message_append(reply, "(sssa{sv})", d->drift[i]->field, d->drift[i]->lcm,
					  d->drift[i]->actual, 0);
	return r < 0 ? r : sd_bus_message_close_container(reply);
}

/* Of what no row of the table has.  sd-bus knows the bus that the vtable was registered with; NULL:
 * it does not. */
static struct manager *manager_of(sd_bus *connection)
{
	sd_bus_slot *slot = sd_bus_get_current_slot(connection);
	const struct bus *bus = slot ? sd_bus_slot_get_userdata(slot) : NULL;

	return bus ? bus_manager_of(bus) : NULL;
}

BUS_GETTER(get_xenstore_state)
{
	const struct manager *manager = manager_of(connection);

	if (!manager)
		return -EINVAL;
	return sd_bus_message_append(
		reply, "s", xs_domain_state_name(manager_domain_xenstore(manager, userdata)));
}

BUS_GETTER(get_xenstore_error)
{
	const struct manager *manager = manager_of(connection);
	int r;

	if (!manager)
		return -EINVAL;
	r = manager_domain_error(manager, userdata);
	return sd_bus_message_append(reply, "s", r < 0 ? strerror(-r) : "");
}

/* The domain is going, or we may not read it: then it has none that are known. */
static void log_unread(const struct hl_domain *domain, const char *property, int r)
{
	if (r < 0)
		log_debug("domain %" PRIu32 ": cannot read its %s: %s", domain->domid, property,
			  strerror(-r));
}

BUS_GETTER(get_scheduling)
{
	const struct manager *manager = manager_of(connection);
	const struct hl_domain *domain = userdata;
	struct hl_scheduling scheduling = {0};
	int r = 0;

	if (!manager)
		return -EINVAL;
	if (domain->live)
		r = hl_get_scheduling(manager_hl(manager), domain->domid, &scheduling);
	log_unread(domain, property, r);
	return sd_bus_message_append(reply, "u",
				     strcmp(property, "SchedulerWeight") == 0 ? scheduling.weight
									      : scheduling.cap);
}

BUS_GETTER(get_affinity)
{
	const struct manager *manager = manager_of(connection);
	const struct hl_domain *domain = userdata;
	struct hl_affinity affinity = {0};
	int r = 0;

	if (!manager)
		return -EINVAL;
	if (domain->live)
		r = hl_get_affinity(manager_hl(manager), domain->domid, domain->vcpus_max,
				    &affinity);
	log_unread(domain, property, r);
	return sd_bus_message_append(
		reply, "s", strcmp(property, "HardAffinity") == 0 ? affinity.hard : affinity.soft);
}

#define CONST	SD_BUS_VTABLE_PROPERTY_CONST
#define CHANGES SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE

static const sd_bus_vtable vtable[] = {
	SD_BUS_VTABLE_START(0),
	BUS_MEMBER_U32("Domid", struct hl_domain, domid, CONST),
	BUS_MEMBER_U64("Generation", struct hl_domain, generation, CONST),
	BUS_MEMBER_U32("RequestedDomid", struct hl_domain, requested_domid, CONST),
	BUS_MEMBER_TEXT("Name", struct hl_domain, name, CHANGES),
	BUS_PROPERTY("UUID", "s", get_uuid),
	BUS_PROPERTY("Handle", "s", get_handle),
	BUS_CONST_PROPERTY("Origin", "s", get_origin),
	BUS_CONST_PROPERTY("Adopted", "b", get_adopted),
	BUS_MEMBER_U32("Permissions", struct hl_domain, permissions, CHANGES),
	BUS_MEMBER_U32("Functions", struct hl_domain, functions, CHANGES),
	BUS_PROPERTY("Roles", "as", get_roles),
	BUS_MEMBER_U32("Mode", struct hl_domain, mode, CONST),
	BUS_PROPERTY("State", "s", get_state),
	BUS_MEMBER_TEXT("Reason", struct hl_domain, reason, CHANGES),
	BUS_CONST_PROPERTY("MemoryPlanned", "t", get_memory_planned),
	BUS_PROPERTY("MemoryMax", "t", get_memory_max),
	BUS_SILENT_PROPERTY("MemoryCurrent", "t", get_memory_current),
	BUS_PROPERTY("VcpusMax", "u", get_vcpus_max),
	BUS_SILENT_PROPERTY("VcpusOnline", "u", get_vcpus_online),
	BUS_MEMBER_U64("CpuTimeNSec", struct hl_domain, cpu_time_ns, 0),
	BUS_SILENT_PROPERTY("SchedulerWeight", "u", get_scheduling),
	BUS_SILENT_PROPERTY("SchedulerCap", "u", get_scheduling),
	BUS_SILENT_PROPERTY("HardAffinity", "s", get_affinity),
	BUS_SILENT_PROPERTY("SoftAffinity", "s", get_affinity),
	BUS_MEMBER_TEXT("SecurityLabel", struct hl_domain, security_label, CHANGES),
	BUS_CONST_PROPERTY("Modules", "a(sutsa{sv})", get_modules),
	BUS_PROPERTY("Drift", "a(sssa{sv})", get_drift),
	BUS_MEMBER_TEXT("LCMNode", struct hl_domain, lcm_node, CONST),
	BUS_PROPERTY("XenstoreState", "s", get_xenstore_state),
	BUS_PROPERTY("XenstoreError", "s", get_xenstore_error),
	BUS_PROPERTY("BuiltUSec", "t", get_built),
	BUS_PROPERTY("StartedUSec", "t", get_started),
	BUS_PROPERTY("ReadyUSec", "t", get_ready),
	SD_BUS_VTABLE_END,
};

int bus_domain_register(struct bus *bus, sd_bus *connection)
{
	int r = sd_bus_add_fallback_vtable(connection, NULL, PREFIX, BUS_DOMAIN, vtable, find, bus);

	if (r < 0)
		return r;
	return sd_bus_add_node_enumerator(connection, NULL, PREFIX, enumerate, bus);
}

int bus_domain_emit_changed(sd_bus *connection, const struct hl_domain *domain, uint32_t fields)
{
	static const struct bus_property_change changes[] = {
		{HL_FIELD_NAME, "Name"},
		{HL_FIELD_UUID, "UUID"},
		{HL_FIELD_HANDLE, "Handle"},
		{HL_FIELD_PERMISSIONS, "Permissions"},
		{HL_FIELD_FUNCTIONS, "Functions"},
		{HL_FIELD_ROLES, "Roles"},
		{HL_FIELD_STATE, "State"},
		{HL_FIELD_REASON | HL_FIELD_ERROR, "Reason"},
		{HL_FIELD_MEMORY_MAX | HL_FIELD_LIVE, "MemoryMax"},
		{HL_FIELD_VCPUS_MAX | HL_FIELD_LIVE, "VcpusMax"},
		{HL_FIELD_SECURITY_LABEL, "SecurityLabel"},
		{HL_FIELD_DRIFT, "Drift"},
		{HL_FIELD_TIMES, "BuiltUSec"},
		{HL_FIELD_TIMES, "StartedUSec"},
		{HL_FIELD_TIMES, "ReadyUSec"},
		{MANAGER_CHANGED_XENSTORE, "XenstoreState"},
		{MANAGER_CHANGED_XENSTORE, "XenstoreError"},
	};
	char path[BUS_DOMAIN_PATH_SIZE];

	bus_domain_path(domain, path);
	return bus_property_emit_changed(connection, path, BUS_DOMAIN, changes, ARRAY_SIZE(changes),
					 fields);
}
