// SPDX-License-Identifier: LGPL-2.1-or-later
#include "bus/domain.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bus/connection.h"
#include "common/cleanup.h"
#include "common/clock.h"
#include "common/uuid.h"
#include "domains/manager.h"

#define PREFIX BUS_DOMAIN_PREFIX
#define KIB    1024

/* What a property getter is given; `userdata` is the bus, the row is found by the path. */
#define GETTER(name)                                                                       \
	static int get_##name(sd_bus *connection, const char *path, const char *interface, \
			      const char *property, sd_bus_message *reply, void *userdata, \
			      sd_bus_error *error)

void bus_domain_path_of(uint32_t domid, uint64_t generation, char path[BUS_DOMAIN_PATH_SIZE])
{
	snprintf(path, BUS_DOMAIN_PATH_SIZE, PREFIX "/d%" PRIu32 "_%" PRIu64, domid, generation);
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

GETTER(u32)
{
	const struct hl_domain *d = userdata;
	const struct {
		const char *property;
		uint32_t value;
	} values[] = {
		{"Domid", d->domid},
		{"RequestedDomid", d->requested_domid},
		{"Permissions", d->permissions},
		{"Functions", d->functions},
		{"Mode", d->mode},
		{"VcpusMax", d->live ? d->vcpus_max : d->vcpus_planned},
		{"VcpusOnline", d->live ? d->vcpus_online : 0},
		{"SchedulerWeight", d->weight},
		{"SchedulerCap", d->cap},
	};

	for (size_t i = 0; i < ARRAY_SIZE(values); i++)
		if (strcmp(values[i].property, property) == 0)
			return sd_bus_message_append(reply, "u", values[i].value);
	return -EINVAL;
}

GETTER(u64)
{
	const struct hl_domain *d = userdata;
	const struct {
		const char *property;
		uint64_t value;
	} values[] = {
		{"Generation", d->generation},
		{"BuiltUSec", d->built_ns / NSEC_PER_USEC},
		{"StartedUSec", d->started_ns / NSEC_PER_USEC},
		{"ReadyUSec", d->ready_ns / NSEC_PER_USEC},
		{"MemoryPlanned", d->memory_planned_kib * KIB},
		{"MemoryMax", d->live ? d->memory_max : d->memory_planned_kib * KIB},
		{"MemoryCurrent", d->live ? d->memory_current : 0},
	};

	for (size_t i = 0; i < ARRAY_SIZE(values); i++)
		if (strcmp(values[i].property, property) == 0)
			return sd_bus_message_append(reply, "t", values[i].value);
	return -EINVAL;
}

GETTER(text)
{
	const struct hl_domain *d = userdata;
	const struct {
		const char *property;
		const char *value;
	} values[] = {
		{"Name", d->name},
		{"UUID", bus_domain_uuid(d)},
		{"Handle", d->handle_text},
		{"Origin", hl_origin_name(d->origin)},
		{"State", hl_domain_state_name(d->state)},
		{"Reason", d->reason},
		{"SecurityLabel", d->security_label},
		{"LCMNode", d->lcm_node},
		{"HardAffinity", d->hard_affinity},
		{"SoftAffinity", d->soft_affinity},
	};

	for (size_t i = 0; i < ARRAY_SIZE(values); i++)
		if (strcmp(values[i].property, property) == 0)
			return sd_bus_message_append(reply, "s", values[i].value);
	return -EINVAL;
}

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

GETTER(roles)
{
	return bus_domain_append_roles(reply, userdata);
}

GETTER(modules)
{
	const struct hl_domain *d = userdata;
	char sha256[HL_SHA256_TEXT_SIZE];
	int r = sd_bus_message_open_container(reply, 'a', "(sutsa{sv})");

	for (uint32_t i = 0; r >= 0 && i < d->nr_modules; i++) {
		const struct hl_domain_module *module = &d->modules[i];

		hl_sha256_to_text(module->sha256, sha256);
		r = sd_bus_message_append(reply, "(sutsa{sv})", hl_module_type_name(module->type),
					  module->index, module->size, sha256, 0);
	}
	return r < 0 ? r : sd_bus_message_close_container(reply);
}

GETTER(drift)
{
	const struct hl_domain *d = userdata;
	int r = sd_bus_message_open_container(reply, 'a', "(sssa{sv})");

	for (uint32_t i = 0; r >= 0 && i < d->nr_drift; i++)
		r = sd_bus_message_append(reply, "(sssa{sv})", d->drift[i].field, d->drift[i].lcm,
					  d->drift[i].actual, 0);
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

GETTER(xenstore_state)
{
	const struct manager *manager = manager_of(connection);

	if (!manager)
		return -EINVAL;
	return sd_bus_message_append(
		reply, "s", xs_domain_state_name(manager_domain_xenstore(manager, userdata)));
}

GETTER(xenstore_error)
{
	const struct manager *manager = manager_of(connection);
	int r;

	if (!manager)
		return -EINVAL;
	r = manager_domain_error(manager, userdata);
	return sd_bus_message_append(reply, "s", r < 0 ? strerror(-r) : "");
}

#define CONST_PROPERTY(name, type, getter) \
	SD_BUS_PROPERTY(name, type, getter, 0, SD_BUS_VTABLE_PROPERTY_CONST)
#define PROPERTY(name, type, getter) \
	SD_BUS_PROPERTY(name, type, getter, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE)
#define SILENT_PROPERTY(name, type, getter) SD_BUS_PROPERTY(name, type, getter, 0, 0)

static const sd_bus_vtable vtable[] = {
	SD_BUS_VTABLE_START(0),
	CONST_PROPERTY("Domid", "u", get_u32),
	CONST_PROPERTY("Generation", "t", get_u64),
	CONST_PROPERTY("RequestedDomid", "u", get_u32),
	PROPERTY("Name", "s", get_text),
	PROPERTY("UUID", "s", get_text),
	PROPERTY("Handle", "s", get_text),
	CONST_PROPERTY("Origin", "s", get_text),
	PROPERTY("Permissions", "u", get_u32),
	PROPERTY("Functions", "u", get_u32),
	PROPERTY("Roles", "as", get_roles),
	CONST_PROPERTY("Mode", "u", get_u32),
	PROPERTY("State", "s", get_text),
	PROPERTY("Reason", "s", get_text),
	CONST_PROPERTY("MemoryPlanned", "t", get_u64),
	PROPERTY("MemoryMax", "t", get_u64),
	SILENT_PROPERTY("MemoryCurrent", "t", get_u64),
	PROPERTY("VcpusMax", "u", get_u32),
	SILENT_PROPERTY("VcpusOnline", "u", get_u32),
	SILENT_PROPERTY("SchedulerWeight", "u", get_u32),
	SILENT_PROPERTY("SchedulerCap", "u", get_u32),
	SILENT_PROPERTY("HardAffinity", "s", get_text),
	SILENT_PROPERTY("SoftAffinity", "s", get_text),
	PROPERTY("SecurityLabel", "s", get_text),
	CONST_PROPERTY("Modules", "a(sutsa{sv})", get_modules),
	PROPERTY("Drift", "a(sssa{sv})", get_drift),
	CONST_PROPERTY("LCMNode", "s", get_text),
	PROPERTY("XenstoreState", "s", get_xenstore_state),
	PROPERTY("XenstoreError", "s", get_xenstore_error),
	PROPERTY("BuiltUSec", "t", get_u64),
	PROPERTY("StartedUSec", "t", get_u64),
	PROPERTY("ReadyUSec", "t", get_u64),
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
	static const struct {
		uint32_t fields;
		const char *property;
	} map[] = {
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
	const char *names[ARRAY_SIZE(map) + 1] = {NULL};
	char path[BUS_DOMAIN_PATH_SIZE];
	size_t nr = 0;

	for (size_t i = 0; i < ARRAY_SIZE(map); i++)
		if (fields & map[i].fields)
			names[nr++] = map[i].property;
	if (nr == 0)
		return 0;
	bus_domain_path(domain, path);
	return sd_bus_emit_properties_changed_strv(connection, path, BUS_DOMAIN, (char **)names);
}
