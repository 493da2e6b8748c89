// SPDX-License-Identifier: LGPL-2.1-or-later
/* Reads the properties of domains, and writes them as JSON. */
#include "domains.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "array.h"
#include "bus.h"
#include "lookup.h"

#define NIL_UUID       "00000000-0000-0000-0000-000000000000"
#define OBJECT_MANAGER "org.freedesktop.DBus.ObjectManager"

static int read_roles(sd_bus_message *m, void *at)
{
	struct domain_roles *roles = at;
	const char *name;
	int r = sd_bus_message_enter_container(m, 'a', "s");

	if (r < 0)
		return r;
	while ((r = sd_bus_message_read_basic(m, 's', &name)) > 0) {
		roles->names = array_grow((void *)roles->names, roles->nr, sizeof(*roles->names));
		roles->names[roles->nr++] = name;
	}
	return r < 0 ? r : sd_bus_message_exit_container(m);
}

static int read_modules(sd_bus_message *m, void *at)
{
	struct domain_modules *modules = at;
	struct domain_module one;
	int r = sd_bus_message_enter_container(m, 'a', NULL);

	if (r < 0)
		return r;
	while ((r = bus_read_record(m, "suts", &one.type, &one.index, &one.size, &one.sha256)) >
	       0) {
		modules->list = array_grow(modules->list, modules->nr, sizeof(*modules->list));
		modules->list[modules->nr++] = one;
	}
	return r < 0 ? r : sd_bus_message_exit_container(m);
}

static int read_drift(sd_bus_message *m, void *at)
{
	struct domain_drifts *drift = at;
	struct domain_drift one;
	int r = sd_bus_message_enter_container(m, 'a', NULL);

	if (r < 0)
		return r;
	while ((r = bus_read_record(m, "sss", &one.field, &one.lcm, &one.actual)) > 0) {
		drift->list = array_grow(drift->list, drift->nr, sizeof(*drift->list));
		drift->list[drift->nr++] = one;
	}
	return r < 0 ? r : sd_bus_message_exit_container(m);
}

#define FIELD(key, type, member) {key, type, offsetof(struct domain, member), NULL}
#define LIST(key, member, read)	 {key, "?", offsetof(struct domain, member), read}

/* In hyperlaunchd's order, in which they are found fastest. */
static const struct bus_field fields[] = {
	FIELD("Domid", "u", domid),
	FIELD("Generation", "t", generation),
	FIELD("RequestedDomid", "u", requested_domid),
	FIELD("Name", "s", name),
	FIELD("UUID", "s", uuid),
	FIELD("Handle", "s", handle),
	FIELD("Origin", "s", origin),
	FIELD("Adopted", "b", adopted),
	FIELD("Permissions", "u", permissions),
	FIELD("Functions", "u", functions),
	LIST("Roles", roles, read_roles),
	FIELD("Mode", "u", mode),
	FIELD("State", "s", state),
	FIELD("Reason", "s", reason),
	FIELD("MemoryPlanned", "t", memory_planned),
	FIELD("MemoryMax", "t", memory_max),
	FIELD("MemoryCurrent", "t", memory_current),
	FIELD("VcpusMax", "u", vcpus_max),
	FIELD("VcpusOnline", "u", vcpus_online),
	FIELD("CpuTimeNSec", "t", cpu_time_ns),
	FIELD("SchedulerWeight", "u", weight),
	FIELD("SchedulerCap", "u", cap),
	FIELD("HardAffinity", "s", hard_affinity),
	FIELD("SoftAffinity", "s", soft_affinity),
	FIELD("SecurityLabel", "s", label),
	LIST("Modules", modules, read_modules),
	LIST("Drift", drift, read_drift),
	FIELD("LCMNode", "s", lcm_node),
	FIELD("XenstoreState", "s", xenstore_state),
	FIELD("XenstoreError", "s", xenstore_error),
};

static struct domain *new_domain(struct domains *domains, const char *path)
{
	domains->list = array_grow(domains->list, domains->nr, sizeof(*domains->list));
	domains->list[domains->nr] = (struct domain){
		.path = path,
		.domid = UINT32_MAX,
		.requested_domid = UINT32_MAX,
		.name = "",
		.uuid = "",
		.handle = "",
		.origin = "",
		.state = "",
		.reason = "",
		.label = "",
		.lcm_node = "",
		.xenstore_state = "",
		.xenstore_error = "",
		.hard_affinity = "",
		.soft_affinity = "",
	};
	return &domains->list[domains->nr++];
}

/* The interfaces of one object: a{sa{sv}}. */
static int read_interfaces(sd_bus_message *m, struct domains *domains, const char *path)
{
	const char *interface;
	int r = sd_bus_message_enter_container(m, 'a', "{sa{sv}}");

	while (r >= 0 && (r = sd_bus_message_enter_container(m, 'e', "sa{sv}")) > 0) {
		r = sd_bus_message_read_basic(m, 's', &interface);
		if (r < 0)
			break;
		if (!strcmp(interface, BUS_DOMAIN))
			r = bus_read_fields(m, fields, ARRAY_SIZE(fields),
					    new_domain(domains, path));
		else
			r = sd_bus_message_skip(m, "a{sv}");
		if (r >= 0)
			r = sd_bus_message_exit_container(m);
	}
	return r < 0 ? r : sd_bus_message_exit_container(m);
}

static int read_objects(sd_bus_message *m, struct domains *domains)
{
	const char *path;
	int r = sd_bus_message_enter_container(m, 'a', "{oa{sa{sv}}}");

	while (r >= 0 && (r = sd_bus_message_enter_container(m, 'e', "oa{sa{sv}}")) > 0) {
		r = sd_bus_message_read_basic(m, 'o', &path);
		if (r >= 0)
			r = read_interfaces(m, domains, path);
		if (r >= 0)
			r = sd_bus_message_exit_container(m);
	}
	return r < 0 ? r : sd_bus_message_exit_container(m);
}

static int compare(const void *a, const void *b)
{
	const struct domain *x = a, *y = b;

	if (x->domid != y->domid)
		return x->domid < y->domid ? -1 : 1;
	if (x->generation != y->generation)
		return x->generation < y->generation ? -1 : 1;
	return 0;
}

enum exit_code domains_get(sd_bus *bus, struct domains *ret_domains)
{
	struct domains domains = {0};
	enum exit_code code;
	int r;

	code = bus_call(bus, OBJECT_MANAGER, "GetManagedObjects", &domains.reply, "");
	if (code)
		return code;
	r = read_objects(domains.reply, &domains);
	if (r < 0) {
		domains_free(&domains);
		return bus_bad_answer(r);
	}
	if (domains.nr)
		qsort(domains.list, domains.nr, sizeof(*domains.list), compare);
	*ret_domains = domains;
	return EXIT_OK;
}

/* A row of ListDomains. */
static int read_row(sd_bus_message *m, const char *contents, struct domains *domains)
{
	struct domain *d = new_domain(domains, NULL);
	int r = sd_bus_message_enter_container(m, 'r', contents);

	if (r >= 0)
		r = sd_bus_message_read(m, "oussss", &d->path, &d->domid, &d->uuid, &d->name,
					&d->state, &d->origin);
	if (r >= 0)
		r = read_roles(m, &d->roles);
	if (r >= 0)
		r = sd_bus_message_read(m, "tu", &d->memory_max, &d->vcpus_max);
	return r < 0 ? r : bus_end_record(m);
}

static int read_rows(sd_bus_message *m, struct domains *domains)
{
	const char *contents;
	int r = sd_bus_message_enter_container(m, 'a', NULL);

	while (r >= 0 && (r = sd_bus_message_peek_type(m, NULL, &contents)) > 0)
		r = read_row(m, contents, domains);
	return r < 0 ? r : sd_bus_message_exit_container(m);
}

enum exit_code domains_list(sd_bus *bus, struct domains *ret_domains)
{
	struct domains domains = {0};
	enum exit_code code = bus_call(bus, BUS_MANAGER, "ListDomains", &domains.reply, "");
	int r;

	if (code)
		return code;
	r = read_rows(domains.reply, &domains);
	if (r < 0) {
		domains_free(&domains);
		return bus_bad_answer(r);
	}
	*ret_domains = domains;
	return EXIT_OK;
}

enum exit_code domains_get_one(sd_bus *bus, const char *text, struct domains *ret_domains)
{
	_cleanup_(domains_free) struct domains one = {0};
	_cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
	enum exit_code code = lookup_domain(bus, text, &one.path);
	int r;

	if (code)
		return code;
	r = bus_try_call(bus, one.path, BUS_PROPERTIES, "GetAll", &error, &one.reply, "s",
			 BUS_DOMAIN);
	if (sd_bus_error_has_name(&error, SD_BUS_ERROR_UNKNOWN_OBJECT))
		return lookup_failed(text);
	if (r < 0)
		return bus_report_error(&error, r);
	r = bus_read_fields(one.reply, fields, ARRAY_SIZE(fields), new_domain(&one, one.path));
	if (r < 0)
		return bus_bad_answer(r);
	*ret_domains = one;
	one = (struct domains){0};
	return EXIT_OK;
}

enum exit_code domains_get_present(sd_bus *bus, const char *text, struct domains *ret_domains,
				   const struct domain **ret_domain)
{
	enum exit_code code = domains_get_one(bus, text, ret_domains);

	if (code)
		return code;
	*ret_domain = ret_domains->list;
	return domain_check_present(*ret_domain, text);
}

enum exit_code domain_check_present(const struct domain *d, const char *text)
{
	if (d->domid == UINT32_MAX || domain_is_gone(d))
		return report_error(EXIT_NOT_FOUND, "domain '%s' does not exist now: it is %s",
				    text, d->state);
	return EXIT_OK;
}

void domains_free(struct domains *domains)
{
	for (uint32_t i = 0; i < domains->nr; i++) {
		free((void *)domains->list[i].roles.names);
		free(domains->list[i].modules.list);
		free(domains->list[i].drift.list);
	}
	free(domains->list);
	free(domains->path);
	sd_bus_message_unref(domains->reply);
	*domains = (struct domains){0};
}

bool domain_is_gone(const struct domain *d)
{
	return !strcmp(d->state, "reclaimed") || !strcmp(d->state, "failed");
}

bool domain_has_role(const struct domain *domain, const char *role)
{
	for (uint32_t i = 0; i < domain->roles.nr; i++)
		if (!strcmp(domain->roles.names[i], role))
			return true;
	return false;
}

const char *domain_uuid_shown(const struct domain *d)
{
	return *d->uuid ? d->uuid : "-";
}

uint64_t domain_memory_kib(const struct domain *d)
{
	return (d->memory_planned ? d->memory_planned : d->memory_max) >> 10;
}

static void put_bits(struct json_object *object, const char *key, const char *names_key,
		     uint32_t bits, const char *(*next)(uint32_t *, char *, size_t))
{
	struct json_object *names = json_new_array();
	const char *name;
	char buf[8];

	json_put_number(object, key, bits);
	while ((name = next(&bits, buf, sizeof(buf))))
		json_append(names, json_text(name));
	json_put(object, names_key, names);
}

static struct json_object *roles_json(const struct domain *d)
{
	struct json_object *array = json_new_array();

	for (uint32_t i = 0; i < d->roles.nr; i++)
		json_append(array, json_text(d->roles.names[i]));
	return array;
}

static struct json_object *modules_json(const struct domain *d)
{
	struct json_object *array = json_new_array();

	for (uint32_t i = 0; i < d->modules.nr; i++) {
		const struct domain_module *m = &d->modules.list[i];
		struct json_object *object = json_new_object();

		json_put_text(object, "type", m->type);
		json_put_id(object, "index", m->index);
		json_put_number(object, "size", m->size);
		json_put_text_or_null(object, "sha256", m->sha256);
		json_append(array, object);
	}
	return array;
}

static struct json_object *drift_json(const struct domain *d)
{
	struct json_object *array = json_new_array();

	for (uint32_t i = 0; i < d->drift.nr; i++) {
		struct json_object *object = json_new_object();

		json_put_text(object, "field", d->drift.list[i].field);
		json_put_text(object, "lcm", d->drift.list[i].lcm);
		json_put_text(object, "actual", d->drift.list[i].actual);
		json_append(array, object);
	}
	return array;
}

struct json_object *domain_json(const struct domain *d)
{
	struct json_object *object = json_new_object();

	json_put_text(object, "name", d->name);
	json_put_id(object, "domid", d->domid);
	json_put_id(object, "requested_domid", d->requested_domid);
	json_put_text(object, "uuid", *d->uuid ? d->uuid : NIL_UUID);
	json_put_text_or_null(object, "handle", d->handle);
	put_bits(object, "permissions", "permission_names", d->permissions, hl_permission_next);
	put_bits(object, "functions", "function_names", d->functions, hl_function_next);
	put_bits(object, "mode", "mode_names", d->mode, hl_mode_next);
	json_put_number(object, "cpus", d->vcpus_max);
	json_put_number(object, "cpus_online", d->vcpus_online);
	json_put_number(object, "weight", d->weight);
	json_put_number(object, "cap", d->cap);
	json_put_text_or_null(object, "hard_affinity", d->hard_affinity);
	json_put_text_or_null(object, "soft_affinity", d->soft_affinity);
	json_put_kib(object, "memory_kib", d->memory_planned ? d->memory_planned : d->memory_max);
	json_put_kib(object, "memory_max_kib", d->memory_max);
	json_put_kib(object, "memory_current_kib", d->memory_current);
	json_put_number(object, "cpu_time_ns", d->cpu_time_ns);
	json_put_text(object, "state", d->state);
	json_put_text(object, "reason", d->reason);
	json_put_text(object, "origin", d->origin);
	json_put_bool(object, "adopted", d->adopted);
	json_put_number(object, "generation", d->generation);
	json_put(object, "roles", roles_json(d));
	json_put_text(object, "path", d->path);
	json_put_text_or_null(object, "lcm_node", d->lcm_node);
	json_put_text_or_null(object, "security_label", d->label);
	json_put_text(object, "xenstore_state", d->xenstore_state);
	json_put_text_or_null(object, "xenstore_error", d->xenstore_error);
	json_put(object, "modules", modules_json(d));
	json_put(object, "drift", drift_json(d));
	return object;
}

static void join_add(char **text, const char *name)
{
	char *longer;

	if (asprintf(&longer, "%s%s%s", *text ? *text : "", *text ? ", " : "", name) < 0)
		no_memory();
	free(*text);
	*text = longer;
}

char *join(const char *const *names, uint32_t nr)
{
	char *text = NULL;

	for (uint32_t i = 0; i < nr; i++)
		join_add(&text, names[i]);
	if (!text)
		join_add(&text, "-");
	return text;
}

char *join_bits(uint32_t bits, const char *(*next)(uint32_t *, char *, size_t))
{
	char *text = NULL, buf[8];
	const char *name;

	while ((name = next(&bits, buf, sizeof(buf))))
		join_add(&text, name);
	if (!text)
		join_add(&text, "-");
	return text;
}
