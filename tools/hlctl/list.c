// SPDX-License-Identifier: LGPL-2.1-or-later
/* hlctl list, hlctl roles */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "bus.h"
#include "domains.h"
#include "stats.h"
#include "table.h"

static void add_id(struct table *table, uint32_t id)
{
	if (id == UINT32_MAX)
		table_add(table, PLAIN, "-");
	else
		table_add(table, PLAIN, "%u", id);
}

static const char *or_dash(const char *text)
{
	return *text ? text : "-";
}

/* Both are ordered alike: *next is where to look first.  A domain that does not exist has none. */
static void add_cpu_time(struct table *table, const struct domain *d, const struct stats *stats,
			 uint32_t *next)
{
	char text[CPU_TIME_SIZE];

	for (uint32_t i = 0; i < stats->nr; i++) {
		uint32_t at = (*next + i) % stats->nr;

		if (strcmp(stats->list[at].path, d->path) != 0)
			continue;
		*next = at + 1;
		table_add(table, PLAIN, "%s", cpu_time_text(stats->list[at].cpu_time_ns, text));
		return;
	}
	table_add(table, PLAIN, "-");
}

static void add_row(struct table *table, const struct domain *d, const struct stats *stats,
		    uint32_t *next)
{
	_cleanup_(freep) char *roles = join(d->roles.names, d->roles.nr);

	add_id(table, d->domid);
	table_add(table, PLAIN, "%s", or_dash(d->name));
	table_add(table, state_colour(d->state), "%s", d->state);
	table_add(table, PLAIN, "%u", d->vcpus_max);
	if (!d->memory_planned && d->memory_max == UINT64_MAX)
		table_add(table, PLAIN, "-");
	else
		table_add(table, PLAIN, "%llu M", (unsigned long long)domain_memory_kib(d) >> 10);
	add_cpu_time(table, d, stats, next);
	table_add(table, PLAIN, "%s", or_dash(d->origin));
	table_add(table, PLAIN, "%s", roles);
	table_add(table, PLAIN, "%s", domain_uuid_shown(d));
}

static enum exit_code list_table(const struct domains *domains, const struct stats *stats,
				 const struct options *options)
{
	static const char *const heading[] = {
		"DOMID", "NAME", "STATE", "CPUS", "MEMORY", "TIME", "ORIGIN", "ROLES", "UUID",
	};
	struct table *table = table_new(heading, ARRAY_SIZE(heading), !options->no_legend);
	uint32_t next = 0;

	for (uint32_t i = 0; i < domains->nr; i++)
		if (!options->role || domain_has_role(&domains->list[i], options->role))
			add_row(table, &domains->list[i], stats, &next);
	return table_print(table);
}

static enum exit_code list_json(const struct domains *domains, const char *role)
{
	struct json_object *object = json_new_object(), *array = json_new_array();

	for (uint32_t i = 0; i < domains->nr; i++)
		if (!role || domain_has_role(&domains->list[i], role))
			json_append(array, domain_json(&domains->list[i]));
	json_put(object, "domains", array);
	return json_print(object);
}

static enum exit_code print_names(sd_bus_message *m)
{
	const char *path, *uuid, *name;
	uint32_t domid;
	int r = sd_bus_message_enter_container(m, 'a', NULL);

	/* With the NUL, which no name holds. */
	while (r >= 0 && (r = bus_read_record(m, "ouss", &path, &domid, &uuid, &name)) > 0)
		if (*name)
			(void)fwrite(name, 1, strlen(name) + 1, stdout);
	return r < 0 ? bus_bad_answer(r) : EXIT_OK;
}

/* For programs such as the completions of shells. */
static enum exit_code list_names(sd_bus *bus)
{
	_cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
	enum exit_code code = bus_call_running(bus, "ListDomains", &reply);

	return code ? code : print_names(reply);
}

enum exit_code verb_list(const struct options *options, sd_bus *bus)
{
	_cleanup_(domains_free) struct domains domains = {0};
	_cleanup_(stats_free) struct stats stats = {0};
	enum exit_code code;

	if (options->null)
		return list_names(bus);
	code = options->json ? domains_get(bus, &domains) : domains_list(bus, &domains);
	if (!code && options->json)
		return list_json(&domains, options->role);
	if (!code)
		code = stats_get(bus, &stats);
	return code ? code : list_table(&domains, &stats, options);
}

static struct json_object *holders_json(const struct domains *domains, const char *role)
{
	struct json_object *array = json_new_array();

	for (uint32_t i = 0; i < domains->nr; i++) {
		const struct domain *d = &domains->list[i];
		struct json_object *object;

		if (!domain_has_role(d, role))
			continue;
		object = json_new_object();
		json_put_id(object, "domid", d->domid);
		json_put_text(object, "name", d->name);
		json_put_text(object, "state", d->state);
		json_put_text(object, "path", d->path);
		json_append(array, object);
	}
	return array;
}

static enum exit_code roles_json(const struct domains *domains)
{
	struct json_object *object = json_new_object(), *roles = json_new_object();

	for (unsigned int role = 0; role < HL_NR_ROLES; role++) {
		const char *name = hl_role_name((enum hl_role)role);

		json_put(roles, name, holders_json(domains, name));
	}
	json_put(object, "roles", roles);
	return json_print(object);
}

static void add_holders(struct table *table, const struct domains *domains, const char *role)
{
	bool any = false;

	for (uint32_t i = 0; i < domains->nr; i++) {
		const struct domain *d = &domains->list[i];

		if (!domain_has_role(d, role))
			continue;
		any = true;
		table_add(table, PLAIN, "%s", role);
		add_id(table, d->domid);
		table_add(table, PLAIN, "%s", or_dash(d->name));
		table_add(table, state_colour(d->state), "%s", d->state);
	}
	if (any)
		return;
	table_add(table, GREY, "%s", role);
	for (int i = 0; i < 3; i++)
		table_add(table, GREY, "-");
}

static enum exit_code roles_table(const struct domains *domains, bool legend)
{
	static const char *const heading[] = {"ROLE", "DOMID", "NAME", "STATE"};
	struct table *table = table_new(heading, ARRAY_SIZE(heading), legend);

	for (unsigned int role = 0; role < HL_NR_ROLES; role++)
		add_holders(table, domains, hl_role_name((enum hl_role)role));
	return table_print(table);
}

enum exit_code verb_roles(const struct options *options, sd_bus *bus)
{
	_cleanup_(domains_free) struct domains domains = {0};
	enum exit_code code = domains_list(bus, &domains);

	if (code)
		return code;
	return options->json ? roles_json(&domains) : roles_table(&domains, !options->no_legend);
}
