// SPDX-License-Identifier: LGPL-2.1-or-later
/* The methods, properties and signals of the interface Manager. */
#include "bus/manager.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bus/auth.h"
#include "bus/connection.h"
#include "bus/create.h"
#include "bus/console-owner.h"
#include "bus/console.h"
#include "bus/definition.h"
#include "bus/domain.h"
#include "bus/error.h"
#include "bus/job.h"
#include "bus/lcm.h"
#include "bus/options.h"
#include "bus/property.h"
#include "bus/start.h"
#include "bus/stats.h"
#include "common/cleanup.h"
#include "common/clock.h"
#include "common/uuid.h"
#include "domains/manager.h"

/* Xen's ordinary domids end here. */
#define DOMID_LIMIT 0x7ff0u
#define USEC(ns)    ((ns) / NSEC_PER_USEC)
/* path, domid, UUID, name, state, origin, roles, memory, vCPUs, more */
#define ROW "oussssastua{sv}"

static struct hl_table *table_of(void *userdata)
{
	return manager_table(bus_manager_of(userdata));
}

/* Bytes: its limit; as planned where it has none, or does not exist. */
static uint64_t memory_of(const struct hl_domain *d)
{
	bool planned = !d->live || (d->memory_max == HL_UNLIMITED && d->memory_planned_kib > 0);

	return planned ? d->memory_planned_kib * 1024 : d->memory_max;
}

/*
 * For text of ours, which is ASCII.  The format strings of sd_bus_message_append() and the
 * check for UTF-8 would take half the time of a row.
 */
static int append_ascii(sd_bus_message *reply, const char *text)
{
	size_t length = strlen(text);
	char *space;
	int r = sd_bus_message_append_string_space(reply, length, &space);

	if (r >= 0)
		memcpy(space, text, length + 1);
	return r;
}

static int append_identity(sd_bus_message *reply, const struct hl_domain *d)
{
	char path[BUS_DOMAIN_PATH_SIZE];
	int r;

	bus_domain_path(d, path);
	r = sd_bus_message_append_basic(reply, 'o', path);
	if (r >= 0)
		r = sd_bus_message_append_basic(reply, 'u', &d->domid);
	if (r >= 0)
		r = append_ascii(reply, bus_domain_uuid(d));
	return r < 0 ? r : sd_bus_message_append_basic(reply, 's', d->name);
}

static int append_resources(sd_bus_message *reply, const struct hl_domain *d)
{
	uint64_t memory = memory_of(d);
	uint32_t vcpus = d->live ? d->vcpus_max : d->vcpus_planned;
	int r = sd_bus_message_append_basic(reply, 't', &memory);

	return r < 0 ? r : sd_bus_message_append_basic(reply, 'u', &vcpus);
}

/* For later additions. */
static int append_no_more(sd_bus_message *reply)
{
	int r = sd_bus_message_open_container(reply, 'a', "{sv}");

	return r < 0 ? r : sd_bus_message_close_container(reply);
}

static int append_row(sd_bus_message *reply, const struct hl_domain *d)
{
	int r = sd_bus_message_open_container(reply, 'r', ROW);

	if (r >= 0)
		r = append_identity(reply, d);
	if (r >= 0)
		r = append_ascii(reply, hl_domain_state_name(d->state));
	if (r >= 0)
		r = append_ascii(reply, hl_origin_name(d->origin));
	if (r >= 0)
		r = bus_domain_append_roles(reply, d);
	if (r >= 0)
		r = append_resources(reply, d);
	if (r >= 0)
		r = append_no_more(reply);
	return r < 0 ? r : sd_bus_message_close_container(reply);
}

static int list_domains(sd_bus_message *call, void *userdata, sd_bus_error *error)
{
	_cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
	const struct hl_table *table = table_of(userdata);
	int r = sd_bus_message_new_method_return(call, &reply);

	if (r < 0)
		return r;
	r = sd_bus_message_open_container(reply, 'a', "(" ROW ")");
	for (uint32_t i = 0; r >= 0 && i < hl_table_nr_domains(table); i++)
		r = append_row(reply, hl_table_get(table, i));
	if (r >= 0)
		r = sd_bus_message_close_container(reply);
	return r < 0 ? r : sd_bus_send(NULL, reply, NULL);
}

static int run_reconcile(const struct bus_allowed *allowed, void *userdata, sd_bus_error *error)
{
	int r = manager_reconcile(bus_manager_of(userdata));

	if (r < 0)
		return bus_error_set_hypervisor(error, r, "read the state of the domains");
	return sd_bus_reply_method_return(allowed->call, "");
}

static int reconcile(sd_bus_message *call, void *userdata, sd_bus_error *error)
{
	const struct bus_auth_question question = {
		.action = BUS_ACTION_RECONCILE,
		.run = run_reconcile,
		.userdata = userdata,
	};
	int r = bus_options_read(call, NULL, 0, error);

	return r < 0 ? r : bus_auth_call(bus_auth_of(userdata), call, &question, error);
}

/* As Lifecycle.Save, so nobody has anything to restore. */
static int restore(sd_bus_message *call, void *userdata, sd_bus_error *error)
{
	return bus_error_set(error, BUS_ERROR_NOT_SUPPORTED,
			     "Cannot restore a domain: hyperlaunch-vmd does not save any, and "
			     "does not read what other toolstacks have saved");
}

static int reply_path(sd_bus_message *call, const struct hl_domain *domain)
{
	char path[BUS_DOMAIN_PATH_SIZE];

	bus_domain_path(domain, path);
	return sd_bus_reply_method_return(call, "o", path);
}

/* What the table did not find, as the caller called it. */
static int not_found(sd_bus_error *error, int r, const char *kind, const char *text)
{
	_cleanup_(freep) char *shown = hl_utf8_dup(text);

	if (r == -ENOTUNIQ)
		return bus_error_set(error, BUS_ERROR_AMBIGUOUS_NAME,
				     "Several domains have the %s \"%.128s\"", kind,
				     shown ? shown : "");
	return bus_error_set(error, BUS_ERROR_NO_SUCH_DOMAIN,
			     "There is no domain with the %s \"%.128s\"", kind, shown ? shown : "");
}

/* The row of the domid that the call has; on failure NULL as before. */
static int read_domid(sd_bus_message *call, void *userdata, const struct hl_domain **ret_domain,
		      sd_bus_error *error)
{
	uint32_t domid;
	int r = sd_bus_message_read(call, "u", &domid);

	if (r < 0)
		return r;
	if (domid >= DOMID_LIMIT)
		return bus_error_set(error, BUS_ERROR_INVALID_ARGS,
				     "%" PRIu32 " is no domid: these are 0 to %u", domid,
				     DOMID_LIMIT - 1);
	if (hl_table_find_domid(table_of(userdata), domid, ret_domain) < 0)
		return bus_error_set(error, BUS_ERROR_NO_SUCH_DOMAIN,
				     "There is no domain with the domid %" PRIu32, domid);
	return 0;
}

static int get_domain_by_domid(sd_bus_message *call, void *userdata, sd_bus_error *error)
{
	const struct hl_domain *domain = NULL;
	int r = read_domid(call, userdata, &domain, error);

	return domain ? reply_path(call, domain) : r;
}

static int get_domain_by_name(sd_bus_message *call, void *userdata, sd_bus_error *error)
{
	const struct hl_domain *domain;
	const char *name;
	int r = sd_bus_message_read(call, "s", &name);

	if (r < 0)
		return r;
	if (name[0] == '\0')
		return bus_error_set(error, BUS_ERROR_INVALID_ARGS,
				     "The name is empty; ListDomains shows the names");
	r = hl_table_find_name(table_of(userdata), name, &domain);
	if (r < 0)
		return not_found(error, r, "name", name);
	return reply_path(call, domain);
}

static int get_domain_by_uuid(sd_bus_message *call, void *userdata, sd_bus_error *error)
{
	const struct hl_domain *domain;
	uint8_t uuid[16];
	const char *text;
	int r = sd_bus_message_read(call, "s", &text);

	if (r < 0)
		return r;
	if (hl_uuid_from_text(text, uuid) < 0)
		return bus_error_set(error, BUS_ERROR_INVALID_ARGS,
				     "The UUID must have the form "
				     "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx, in hexadecimal digits");
	if (uuid_is_nil(uuid))
		return bus_error_set(error, BUS_ERROR_INVALID_ARGS,
				     "The nil UUID stands for none and names no domain");
	r = hl_table_find_uuid(table_of(userdata), uuid, &domain);
	if (r < 0)
		return not_found(error, r, "UUID", text);
	return reply_path(call, domain);
}

static int append_role_paths(sd_bus_message *reply, const struct hl_table *table, enum hl_role role)
{
	const struct hl_domain *domain = NULL;
	int r = sd_bus_message_open_container(reply, 'a', "o");

	while (r >= 0 && (domain = hl_table_next_role(table, role, domain))) {
		char path[BUS_DOMAIN_PATH_SIZE];

		bus_domain_path(domain, path);
		r = sd_bus_message_append(reply, "o", path);
	}
	return r < 0 ? r : sd_bus_message_close_container(reply);
}

static int get_domains_by_role(sd_bus_message *call, void *userdata, sd_bus_error *error)
{
	_cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
	const char *name;
	enum hl_role role;
	int r = sd_bus_message_read(call, "s", &name);

	if (r < 0)
		return r;
	if (hl_role_from_name(name, &role) < 0)
		return bus_error_set(error, BUS_ERROR_INVALID_ARGS,
				     "The role must be control, hardware, boot, crash, console, "
				     "xenstore or legacy-dom0");
	r = sd_bus_message_new_method_return(call, &reply);
	if (r >= 0)
		r = append_role_paths(reply, table_of(userdata), role);
	return r < 0 ? r : sd_bus_send(NULL, reply, NULL);
}

static void events_freep(struct hl_events **events)
{
	hl_events_free(*events);
}

static int append_events(sd_bus_message *reply, const struct hl_events *events)
{
	int r = sd_bus_message_open_container(reply, 'a', "(utsuua{sv})");

	for (size_t i = 0; r >= 0 && i < hl_events_nr(events); i++) {
		const struct hl_event *event = hl_events_get(events, i);

		r = sd_bus_message_append(reply, "(utsuua{sv})", event->seq, USEC(event->time_ns),
					  hl_event_name(event->type), event->domid, event->arg, 0);
	}
	return r < 0 ? r : sd_bus_message_close_container(reply);
}

static int get_events(sd_bus_message *call, void *userdata, sd_bus_error *error)
{
	_cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
	_cleanup_(events_freep) struct hl_events *events = NULL;
	uint32_t since;
	int r = sd_bus_message_read(call, "u", &since);

	if (r < 0)
		return r;
	r = hl_events_read(manager_hl(bus_manager_of(userdata)), since, &events);
	if (r < 0)
		return bus_error_set_hypervisor(error, r, "read the launch log");
	r = sd_bus_message_new_method_return(call, &reply);
	if (r >= 0)
		r = append_events(reply, events);
	return r < 0 ? r : sd_bus_send(NULL, reply, NULL);
}

static int append_module(sd_bus_message *reply, const struct hl_table_module *module)
{
	char digest[HL_SHA256_TEXT_SIZE];
	int r = sd_bus_message_open_container(reply, 'r', "ustsasa{sv}");

	hl_sha256_to_text(module->sha256, digest);
	if (r >= 0)
		r = sd_bus_message_append(reply, "usts", module->index,
					  hl_module_type_name(module->type), module->size, digest);
	if (r >= 0)
		r = sd_bus_message_open_container(reply, 'a', "s");
	for (uint32_t i = 0; r >= 0 && i < module->nr_domains; i++)
		r = sd_bus_message_append(reply, "s", module->domains[i]);
	if (r >= 0)
		r = sd_bus_message_close_container(reply);
	if (r >= 0)
		r = sd_bus_message_append(reply, "a{sv}", 0);
	return r < 0 ? r : sd_bus_message_close_container(reply);
}

static int list_modules(sd_bus_message *call, void *userdata, sd_bus_error *error)
{
	_cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
	const struct hl_table *table = table_of(userdata);
	int r = sd_bus_message_new_method_return(call, &reply);

	if (r >= 0)
		r = sd_bus_message_open_container(reply, 'a', "(ustsasa{sv})");
	for (uint32_t i = 0; r >= 0 && i < hl_table_nr_modules(table); i++)
		r = append_module(reply, hl_table_get_module(table, i));
	if (r >= 0)
		r = sd_bus_message_close_container(reply);
	return r < 0 ? r : sd_bus_send(NULL, reply, NULL);
}

BUS_VALUE_GETTER(get_version, "s", (void)userdata, hl_version())
BUS_VALUE_GETTER(get_api_level, "u", (void)userdata, BUS_API_LEVEL)
BUS_VALUE_GETTER(get_nr_domains, "u", const struct hl_table *table = table_of(userdata),
		 hl_table_nr_domains(table))
BUS_VALUE_GETTER(get_xenstore_state, "s", const struct bus *bus = userdata,
		 manager_xenstore_state(bus_manager_of(bus)))

void bus_manager_holder(const struct hl_table *table, const char *property,
			char path[BUS_DOMAIN_PATH_SIZE])
{
	const struct hl_summary *summary = hl_table_summary(table);
	const struct {
		const char *property;
		uint32_t domid;
		uint32_t roles; /* one of which it must still have */
	} holders[] = {
		{"BootDomain", summary->boot_domid, 1u << HL_ROLE_BOOT},
		{"ConsoleOwner", summary->console_owner, 1u << HL_ROLE_CONSOLE},
		{"CrashDomain", summary->crash_domid, 1u << HL_ROLE_CRASH},
		{"HardwareDomain", summary->hardware_domid, 1u << HL_ROLE_HARDWARE},
		{"SelfDomain", summary->self_domid, 0},
		{"XenstoreDomain", summary->xenstore_domid, 1u << HL_ROLE_XENSTORE},
	};
	const struct hl_domain *domain;

	snprintf(path, BUS_DOMAIN_PATH_SIZE, "/");
	for (size_t i = 0; i < ARRAY_SIZE(holders); i++)
		if (strcmp(holders[i].property, property) == 0 &&
		    hl_table_find_domid(table, holders[i].domid, &domain) == 0 &&
		    (domain->roles & holders[i].roles) == holders[i].roles)
			bus_domain_path(domain, path);
}

BUS_GETTER(get_domain)
{
	char domain[BUS_DOMAIN_PATH_SIZE];

	bus_manager_holder(table_of(userdata), property, domain);
	return sd_bus_message_append(reply, "o", domain);
}

/* Reading needs no rights; what needs some asks for them itself. */
#define METHOD	SD_BUS_METHOD_WITH_ARGS
#define READING SD_BUS_VTABLE_UNPRIVILEGED
#define ASKING	SD_BUS_VTABLE_UNPRIVILEGED

static const sd_bus_vtable vtable[] = {
	SD_BUS_VTABLE_START(0),
	METHOD("ListDomains", SD_BUS_NO_ARGS, SD_BUS_RESULT("a(" ROW ")", domains), list_domains,
	       READING),
	METHOD("GetDomainByDomid", SD_BUS_ARGS("u", domid), SD_BUS_RESULT("o", path),
	       get_domain_by_domid, READING),
	METHOD("GetDomainByName", SD_BUS_ARGS("s", name), SD_BUS_RESULT("o", path),
	       get_domain_by_name, READING),
	METHOD("GetDomainByUUID", SD_BUS_ARGS("s", uuid), SD_BUS_RESULT("o", path),
	       get_domain_by_uuid, READING),
	METHOD("GetDomainsByRole", SD_BUS_ARGS("s", role), SD_BUS_RESULT("ao", paths),
	       get_domains_by_role, READING),
	METHOD("GetLCM", SD_BUS_ARGS("s", format), SD_BUS_RESULT("h", lcm), bus_lcm_get, ASKING),
	METHOD("GetEvents", SD_BUS_ARGS("u", since), SD_BUS_RESULT("a(utsuua{sv})", events),
	       get_events, READING),
	METHOD("ListModules", SD_BUS_NO_ARGS, SD_BUS_RESULT("a(ustsasa{sv})", modules),
	       list_modules, READING),
	METHOD("ListJobs", SD_BUS_NO_ARGS, SD_BUS_RESULT("a(osossa{sv})", jobs), bus_job_list,
	       READING),
	METHOD("GetStats", SD_BUS_ARGS("a{sv}", options), SD_BUS_RESULT("a(oa{sv})", stats),
	       bus_stats_get_all, READING),
	METHOD("SetConsoleOwner", SD_BUS_ARGS("o", domain, "a{sv}", options),
	       SD_BUS_RESULT("o", previous), bus_console_set_owner, ASKING),
	METHOD("OpenConsoleLog", SD_BUS_ARGS("s", uuid, "a{sv}", options),
	       SD_BUS_RESULT("h", log, "a{sv}", info), bus_console_open_log, ASKING),
	METHOD("CreateDomain", SD_BUS_ARGS("ay", definition, "a{sv}", options),
	       SD_BUS_RESULT("o", domain), bus_create_domain, ASKING),
	METHOD("ListDefinitions", SD_BUS_NO_ARGS, SD_BUS_RESULT("a(sa{sv})", definitions),
	       bus_definition_list, READING),
	METHOD("GetDefinition", SD_BUS_ARGS("s", name, "a{sv}", options),
	       SD_BUS_RESULT("ay", definition, "a{sv}", settings), bus_definition_get, ASKING),
	METHOD("Define", SD_BUS_ARGS("ay", definition, "a{sv}", options), SD_BUS_RESULT("s", name),
	       bus_definition_define, ASKING),
	METHOD("Undefine", SD_BUS_ARGS("s", name, "a{sv}", options), SD_BUS_NO_RESULT,
	       bus_definition_undefine, ASKING),
	METHOD("Enable", SD_BUS_ARGS("s", name, "a{sv}", options), SD_BUS_NO_RESULT,
	       bus_definition_enable, ASKING),
	METHOD("Disable", SD_BUS_ARGS("s", name, "a{sv}", options), SD_BUS_NO_RESULT,
	       bus_definition_disable, ASKING),
	METHOD("Start", SD_BUS_ARGS("s", name, "a{sv}", options), SD_BUS_RESULT("o", domain),
	       bus_start_domain, ASKING),
	METHOD("Restore", SD_BUS_ARGS("h", state, "a{sv}", options), SD_BUS_RESULT("o", domain),
	       restore, ASKING),
	METHOD("Reconcile", SD_BUS_ARGS("a{sv}", options), SD_BUS_NO_RESULT, reconcile, ASKING),
	SD_BUS_SIGNAL_WITH_ARGS("DomainAdded", SD_BUS_ARGS("u", domid, "s", name, "o", path), 0),
	SD_BUS_SIGNAL_WITH_ARGS("DomainRemoved",
				SD_BUS_ARGS("u", domid, "s", name, "o", path, "s", reason), 0),
	SD_BUS_SIGNAL_WITH_ARGS("RoleChanged", SD_BUS_ARGS("s", role, "o", old, "o", new), 0),
	SD_BUS_SIGNAL_WITH_ARGS("JobNew", SD_BUS_ARGS("o", job, "s", kind, "o", subject), 0),
	SD_BUS_SIGNAL_WITH_ARGS("JobRemoved",
				SD_BUS_ARGS("o", job, "s", kind, "o", subject, "s", result, "s",
					    error, "s", message),
				0),
	SD_BUS_SIGNAL_WITH_ARGS("DefinitionChanged", SD_BUS_ARGS("s", name, "s", change), 0),
	BUS_CONST_PROPERTY("Version", "s", get_version),
	BUS_CONST_PROPERTY("ApiLevel", "u", get_api_level),
	BUS_CONST_PROPERTY("SelfDomain", "o", get_domain),
	BUS_PROPERTY("BootDomain", "o", get_domain),
	BUS_PROPERTY("ConsoleOwner", "o", get_domain),
	BUS_PROPERTY("CrashDomain", "o", get_domain),
	BUS_PROPERTY("HardwareDomain", "o", get_domain),
	BUS_PROPERTY("XenstoreDomain", "o", get_domain),
	BUS_PROPERTY("NDomains", "u", get_nr_domains),
	BUS_PROPERTY("XenstoreState", "s", get_xenstore_state),
	SD_BUS_VTABLE_END,
};

int bus_manager_register(struct bus *bus, sd_bus *connection)
{
	return sd_bus_add_object_vtable(connection, NULL, BUS_ROOT, BUS_MANAGER, vtable, bus);
}

int bus_manager_emit_added(sd_bus *connection, const struct hl_domain *domain)
{
	char path[BUS_DOMAIN_PATH_SIZE];

	bus_domain_path(domain, path);
	return sd_bus_emit_signal(connection, BUS_ROOT, BUS_MANAGER, "DomainAdded", "uso",
				  domain->domid, domain->name, path);
}

int bus_manager_emit_removed(sd_bus *connection, const struct hl_domain *domain, const char *reason)
{
	char path[BUS_DOMAIN_PATH_SIZE];

	bus_domain_path(domain, path);
	return sd_bus_emit_signal(connection, BUS_ROOT, BUS_MANAGER, "DomainRemoved", "usos",
				  domain->domid, domain->name, path, reason);
}

int bus_manager_emit_role(sd_bus *connection, enum hl_role role, const char *old, const char *new)
{
	return sd_bus_emit_signal(connection, BUS_ROOT, BUS_MANAGER, "RoleChanged", "soo",
				  hl_role_name(role), old, new);
}
