// SPDX-License-Identifier: LGPL-2.1-or-later
/* hlctl definitions, undefine, enable, disable: domains that persist. */
#include "definitions.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "array.h"
#include "bus.h"
#include "domains.h"
#include "json.h"
#include "table.h"

static int read_after(sd_bus_message *m, void *at)
{
	struct defined_after *after = at;
	const char *name;
	int r = sd_bus_message_enter_container(m, 'a', "s");

	while (r >= 0 && (r = sd_bus_message_read_basic(m, 's', &name)) > 0) {
		after->names = array_grow(after->names, after->nr, sizeof(*after->names));
		after->names[after->nr++] = name;
	}
	return r < 0 ? r : sd_bus_message_exit_container(m);
}

int defined_read_settings(sd_bus_message *m, struct defined *ret_defined)
{
	static const struct bus_field fields[] = {
		{"Format", "s", offsetof(struct defined, format), NULL},
		{"Enabled", "b", offsetof(struct defined, enabled), NULL},
		{"UUID", "s", offsetof(struct defined, uuid), NULL},
		{"Kernel", "s", offsetof(struct defined, kernel), NULL},
		{"Ramdisk", "s", offsetof(struct defined, ramdisk), NULL},
		{"StartAfter", "?", offsetof(struct defined, after), read_after},
		{"Problem", "s", offsetof(struct defined, problem), NULL},
	};

	*ret_defined = (struct defined){"", "", "", "", "", "", false, {0, NULL}};
	return bus_read_fields(m, fields, ARRAY_SIZE(fields), ret_defined);
}

static int read_one(sd_bus_message *m, struct definitions *definitions)
{
	struct defined *defined;
	const char *name;
	int r = sd_bus_message_read_basic(m, 's', &name);

	if (r < 0)
		return r;
	definitions->list =
		array_grow(definitions->list, definitions->nr, sizeof(*definitions->list));
	defined = &definitions->list[definitions->nr++];
	r = defined_read_settings(m, defined);
	defined->name = name;
	return r < 0 ? r : bus_end_record(m);
}

static int read_all(sd_bus_message *m, struct definitions *definitions)
{
	int r = sd_bus_message_enter_container(m, 'a', "(sa{sv})");

	while (r >= 0 && (r = sd_bus_message_enter_container(m, 'r', "sa{sv}")) > 0)
		r = read_one(m, definitions);
	return r;
}

enum exit_code definitions_get(sd_bus *bus, bool start, struct definitions *ret_definitions)
{
	static const char *const method = "ListDefinitions";
	sd_bus_message **reply = &ret_definitions->reply;
	enum exit_code code = start ? bus_call(bus, BUS_MANAGER, method, reply, "")
				    : bus_call_running(bus, method, reply);
	int r;

	if (code)
		return code;
	r = read_all(ret_definitions->reply, ret_definitions);
	return r < 0 ? bus_bad_answer(r) : EXIT_OK;
}

void definitions_free(struct definitions *definitions)
{
	for (uint32_t i = 0; i < definitions->nr; i++)
		free(definitions->list[i].after.names);
	free(definitions->list);
	sd_bus_message_unref(definitions->reply);
}

static const char *state_of(const struct domains *domains, const char *name)
{
	for (uint32_t i = 0; i < domains->nr; i++)
		if (!domain_is_gone(&domains->list[i]) && !strcmp(domains->list[i].name, name))
			return domains->list[i].state;
	return "";
}

static struct json_object *defined_json(const struct defined *defined, const char *state)
{
	struct json_object *object = json_new_object(), *after = json_new_array();

	json_put_text(object, "name", defined->name);
	json_put_text(object, "format", defined->format);
	json_put_bool(object, "enabled", defined->enabled);
	json_put_text_or_null(object, "uuid", defined->uuid);
	json_put_text_or_null(object, "kernel", defined->kernel);
	json_put_text_or_null(object, "ramdisk", defined->ramdisk);
	for (uint32_t i = 0; i < defined->after.nr; i++)
		json_append(after, json_text(defined->after.names[i]));
	json_put(object, "start_after", after);
	json_put_text_or_null(object, "state", state);
	json_put_text_or_null(object, "problem", defined->problem);
	return object;
}

static enum exit_code print_as_json(const struct definitions *definitions,
				    const struct domains *domains)
{
	struct json_object *object = json_new_object(), *array = json_new_array();

	for (uint32_t i = 0; i < definitions->nr; i++)
		json_append(array, defined_json(&definitions->list[i],
						state_of(domains, definitions->list[i].name)));
	json_put(object, "definitions", array);
	return json_print(object);
}

static void add_row(struct table *table, const struct defined *defined, const char *state)
{
	_cleanup_(freep) char *after = join(defined->after.names, defined->after.nr);

	table_add(table, PLAIN, "%s", defined->name);
	table_add(table, PLAIN, "%s", defined->format);
	table_add(table, PLAIN, "%s", defined->enabled ? "yes" : "no");
	table_add(table, PLAIN, "%s", *state ? state : "-");
	table_add(table, PLAIN, "%s", after);
}

/* What is wrong with a definition has a line of its own, below. */
static enum exit_code print_table(const struct options *options,
				  const struct definitions *definitions,
				  const struct domains *domains)
{
	static const char *const headings[] = {"NAME", "FORMAT", "ENABLED", "STATE", "START AFTER"};
	struct table *table = table_new(headings, ARRAY_SIZE(headings), !options->no_legend);
	enum exit_code code;

	for (uint32_t i = 0; i < definitions->nr; i++)
		add_row(table, &definitions->list[i], state_of(domains, definitions->list[i].name));
	code = table_print(table);
	for (uint32_t i = 0; i < definitions->nr; i++)
		if (*definitions->list[i].problem)
			warn("%s: %s", definitions->list[i].name, definitions->list[i].problem);
	return code;
}

/* For programs, such as completion. */
static enum exit_code print_names(const struct definitions *definitions)
{
	for (uint32_t i = 0; i < definitions->nr; i++)
		fwrite(definitions->list[i].name, 1, strlen(definitions->list[i].name) + 1, stdout);
	return EXIT_OK;
}

enum exit_code verb_definitions(const struct options *options, sd_bus *bus)
{
	_cleanup_(definitions_free) struct definitions definitions = {.nr = 0};
	_cleanup_(domains_free) struct domains domains = {0};
	enum exit_code code = definitions_get(bus, !options->null, &definitions);

	if (!code && options->null)
		return print_names(&definitions);
	if (!code)
		code = domains_list(bus, &domains);
	if (code)
		return code;
	return options->json ? print_as_json(&definitions, &domains)
			     : print_table(options, &definitions, &domains);
}

/* Prints "NAME is DONE.". */
static enum exit_code call_and_tell(const struct options *options, sd_bus *bus, const char *method,
				    const char *done)
{
	_cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
	enum exit_code code = bus_call_privileged(options, bus, BUS_ROOT, BUS_MANAGER, method,
						  &reply, "sa{sv}", options->domain, 0);

	if (!code && !options->quiet && !options->json)
		print_line("%s is %s.", options->domain, done);
	return code;
}

enum exit_code verb_undefine(const struct options *options, sd_bus *bus)
{
	return call_and_tell(options, bus, "Undefine", "no longer defined");
}

enum exit_code verb_enable(const struct options *options, sd_bus *bus)
{
	return call_and_tell(options, bus, "Enable", "started with the host from now on");
}

enum exit_code verb_disable(const struct options *options, sd_bus *bus)
{
	return call_and_tell(options, bus, "Disable", "no longer started with the host");
}
