// SPDX-License-Identifier: LGPL-2.1-or-later
#include "domains.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "bus.h"

#define OBJECT_MANAGER "org.freedesktop.DBus.ObjectManager"

/* One more element at the end of an array; zeroed. */
static void *grow(void *array, uint32_t nr, size_t size)
{
	char *grown = reallocarray(array, (size_t)nr + 1, size);

	if (grown)
		memset(grown + nr * size, 0, size);
	else
		no_memory();
	return grown;
}

static int read_roles(sd_bus_message *m, void *at)
{
	struct domain_roles *roles = at;
	const char *name;
	int r = sd_bus_message_enter_container(m, 'a', "s");

	if (r < 0)
		return r;
	while ((r = sd_bus_message_read_basic(m, 's', &name)) > 0) {
		roles->names = grow((void *)roles->names, roles->nr, sizeof(*roles->names));
		roles->names[roles->nr++] = name;
	}
	return r < 0 ? r : sd_bus_message_exit_container(m);
}

static int read_modules(sd_bus_message *m, void *at)
{
	struct domain_modules *modules = at;
	struct domain_module one;
	int r = sd_bus_message_enter_container(m, 'a', "(suts)");

	if (r < 0)
		return r;
	while ((r = sd_bus_message_read(m, "(suts)", &one.type, &one.index, &one.size,
					&one.sha256)) > 0) {
		modules->list = grow(modules->list, modules->nr, sizeof(*modules->list));
		modules->list[modules->nr++] = one;
	}
	return r < 0 ? r : sd_bus_message_exit_container(m);
}

static int read_drift(sd_bus_message *m, void *at)
{
	struct domain_drifts *drift = at;
	struct domain_drift one;
	int r = sd_bus_message_enter_container(m, 'a', "(sss)");

	if (r < 0)
		return r;
	while ((r = sd_bus_message_read(m, "(sss)", &one.field, &one.lcm, &one.actual)) > 0) {
		drift->list = grow(drift->list, drift->nr, sizeof(*drift->list));
		drift->list[drift->nr++] = one;
	}
	return r < 0 ? r : sd_bus_message_exit_container(m);
}

#define FIELD(key, type, member) { key, type, offsetof(struct domain, member), NULL }
#define LIST(key, member, read) { key, "?", offsetof(struct domain, member), read }

static const struct bus_field fields[] = {
	FIELD("Domid", "u", domid),
	FIELD("Generation", "t", generation),
	FIELD("RequestedDomid", "u", requested_domid),
	FIELD("Name", "s", name),
	FIELD("UUID", "s", uuid),
	FIELD("Handle", "s", handle),
	FIELD("Origin", "s", origin),
	FIELD("State", "s", state),
	FIELD("Reason", "s", reason),
	FIELD("SecurityLabel", "s", label),
	FIELD("LcmNode", "s", lcm_node),
	FIELD("XenstoreState", "s", xenstore_state),
	FIELD("Permissions", "u", permissions),
	FIELD("Functions", "u", functions),
	FIELD("Mode", "u", mode),
	FIELD("VcpusMax", "u", vcpus_max),
	FIELD("VcpusOnline", "u", vcpus_online),
	FIELD("MemoryPlanned", "t", memory_planned),
	FIELD("MemoryMax", "t", memory_max),
	FIELD("MemoryCurrent", "t", memory_current),
	LIST("Roles", roles, read_roles),
	LIST("Modules", modules, read_modules),
	LIST("Drift", drift, read_drift),
};

static struct domain *new_domain(struct domains *domains, const char *path)
{
	domains->list = grow(domains->list, domains->nr, sizeof(*domains->list));
	domains->list[domains->nr] = (struct domain){
		.path = path,
		.domid = UINT32_MAX,
		.requested_domid = UINT32_MAX,
		.name = "", .uuid = NIL_UUID, .handle = "", .origin = "", .state = "", .reason = "", .label = "",
		.lcm_node = "", .xenstore_state = "",
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
	struct domains domains = { 0 };
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

void domains_free(struct domains *domains)
{
	for (uint32_t i = 0; i < domains->nr; i++) {
		free((void *)domains->list[i].roles.names);
		free(domains->list[i].modules.list);
		free(domains->list[i].drift.list);
	}
	free(domains->list);
	sd_bus_message_unref(domains->reply);
	*domains = (struct domains){ 0 };
}

bool domain_is_gone(const struct domain *d)
{
	return !strcmp(d->state, "reclaimed") || !strcmp(d->state, "failed");
}

static bool match_domid(const struct domain *d, const char *text)
{
	char domid[16];

	snprintf(domid, sizeof(domid), "%u", d->domid);
	return d->domid != UINT32_MAX && !strcmp(domid, text);
}

static bool match_uuid(const struct domain *d, const char *text)
{
	return strcmp(text, NIL_UUID) != 0 &&
	       (!strcasecmp(d->uuid, text) || (*text && !strcasecmp(d->handle, text)));
}

static bool match_name(const struct domain *d, const char *text)
{
	return !strcmp(d->name, text);
}

/* The one that matches, before those that are gone; NULL and *ret_several: which one? */
static const struct domain *find(const struct domains *domains, const char *text,
				 bool (*match)(const struct domain *, const char *),
				 bool *ret_several)
{
	const struct domain *found = NULL;

	*ret_several = false;
	for (uint32_t i = 0; i < domains->nr; i++) {
		const struct domain *d = &domains->list[i];

		if (!match(d, text) || (found && domain_is_gone(d)))
			continue;
		if (found && !domain_is_gone(found))
			*ret_several = true;
		found = d;
	}
	return *ret_several ? NULL : found;
}

enum exit_code domains_find(const struct domains *domains, const char *text,
			    const struct domain **ret_domain)
{
	static bool (*const ways[])(const struct domain *, const char *) = {
		match_domid, match_uuid, match_name,
	};
	bool several;

	for (size_t i = 0; *text && i < ARRAY_SIZE(ways); i++) {
		*ret_domain = find(domains, text, ways[i], &several);
		if (several)
			return complain(EXIT_FAILED, "several domains are called '%s': "
					"say which by its domid", text);
		if (*ret_domain)
			return EXIT_OK;
	}
	return complain(EXIT_NOT_FOUND, "there is no domain '%s' ('hlctl list' shows all)", text);
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
	return strcmp(d->uuid, NIL_UUID) != 0 ? d->uuid : "-";
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

/* No limit is null. */
static void put_kib(struct json_object *object, const char *key, uint64_t bytes)
{
	if (bytes == UINT64_MAX)
		json_put(object, key, NULL);
	else
		json_put_number(object, key, bytes >> 10);
}

struct json_object *domain_json(const struct domain *d)
{
	struct json_object *object = json_new_object();

	json_put_text(object, "name", d->name);
	json_put_id(object, "domid", d->domid);
	json_put_id(object, "requested_domid", d->requested_domid);
	json_put_text(object, "uuid", d->uuid);
	json_put_text_or_null(object, "handle", d->handle);
	put_bits(object, "permissions", "permission_names", d->permissions, hl_permission_next);
	put_bits(object, "functions", "function_names", d->functions, hl_function_next);
	put_bits(object, "mode", "mode_names", d->mode, hl_mode_next);
	json_put_number(object, "cpus", d->vcpus_max);
	json_put_number(object, "cpus_online", d->vcpus_online);
	put_kib(object, "memory_kib", d->memory_planned ? d->memory_planned : d->memory_max);
	put_kib(object, "memory_max_kib", d->memory_max);
	put_kib(object, "memory_current_kib", d->memory_current);
	json_put_text(object, "state", d->state);
	json_put_text(object, "reason", d->reason);
	json_put_text(object, "origin", d->origin);
	json_put_number(object, "generation", d->generation);
	json_put(object, "roles", roles_json(d));
	json_put_text(object, "path", d->path);
	json_put_text_or_null(object, "lcm_node", d->lcm_node);
	json_put_text_or_null(object, "security_label", d->label);
	json_put_text(object, "xenstore_state", d->xenstore_state);
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
