// SPDX-License-Identifier: LGPL-2.1-or-later
/* hlctl show: properties as D-Bus has them, for programs. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "bus.h"
#include "json.h"
#include "lookup.h"
#include "table.h"

/* prefix: of the names, so that those of different interfaces differ. */
static int read_property(sd_bus_message *m, const char *prefix, struct json_object *object)
{
	struct json_object *value;
	char name[128];
	const char *key;
	int r = sd_bus_message_read_basic(m, 's', &key);

	if (r >= 0)
		r = json_from_message(m, &value);
	if (r < 0)
		return r;
	snprintf(name, sizeof(name), "%s%s", prefix, key);
	json_put(object, name, value);
	return r;
}

/* a{sv} */
static enum exit_code read_properties(sd_bus_message *m, const char *prefix,
				      struct json_object *object)
{
	int r = sd_bus_message_enter_container(m, 'a', "{sv}");

	while (r >= 0 && (r = sd_bus_message_enter_container(m, 'e', "sv")) > 0) {
		r = read_property(m, prefix, object);
		if (r >= 0)
			r = sd_bus_message_exit_container(m);
	}
	return r < 0 ? bus_bad_answer(r) : EXIT_OK;
}

/* Adds the properties of an interface of the object; "": of each. */
static enum exit_code get_object(sd_bus *bus, const char *path, const char *interface,
				 struct json_object *object)
{
	_cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
	enum exit_code code = bus_get_all(bus, path, interface, &reply);

	return code ? code : read_properties(reply, "", object);
}

/* Not each domain has one. */
static enum exit_code get_console(sd_bus *bus, const char *path, struct json_object *object)
{
	_cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
	_cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
	int r = bus_try_call(bus, path, BUS_PROPERTIES, "GetAll", &error, &reply, "s", BUS_CONSOLE);

	if (sd_bus_error_has_name(&error, SD_BUS_ERROR_UNKNOWN_INTERFACE))
		return EXIT_OK;
	return r < 0 ? bus_report_error(&error, r) : read_properties(reply, "Console.", object);
}

static enum exit_code get_domain(sd_bus *bus, const char *text, struct json_object *object)
{
	_cleanup_(freep) char *path = NULL;
	enum exit_code code = lookup_domain(bus, text, &path);

	if (!code)
		code = get_object(bus, path, BUS_DOMAIN, object);
	return code ? code : get_console(bus, path, object);
}

/* Those that the options name, in that order; all where they name none. */
static enum exit_code select_properties(const struct options *options, struct json_object *all,
					struct json_object *selected)
{
	for (size_t i = 0; i < options->nr_properties; i++) {
		const char *name = options->properties[i];
		struct json_object *value;

		if (!json_object_object_get_ex(all, name, &value))
			return report_error(
				EXIT_NOT_FOUND,
				"there is no property '%s'; 'hlctl show' without -p shows all",
				name);
		json_put(selected, name, json_object_get(value));
	}
	return EXIT_OK;
}

/* Adds an object with the properties of one domain, or of the launch, to the array. */
static enum exit_code add_object(const struct options *options, sd_bus *bus, const char *domain,
				 struct json_object *array)
{
	struct json_object *all = json_new_object(), *selected = json_new_object();
	enum exit_code code;

	json_append(array, options->nr_properties ? selected : json_object_get(all));
	code = domain ? get_domain(bus, domain, all) : get_object(bus, BUS_ROOT, "", all);
	if (!code)
		code = select_properties(options, all, selected);
	if (!options->nr_properties)
		json_object_put(selected);
	json_object_put(all);
	return code;
}

static bool is_list_of_text(struct json_object *value)
{
	if (!json_object_is_type(value, json_type_array))
		return false;
	for (size_t i = 0; i < json_object_array_length(value); i++)
		if (!json_object_is_type(json_object_array_get_idx(value, i), json_type_string))
			return false;
	return true;
}

/* The words with blanks between them; the caller frees it. */
static char *join_words(struct json_object *list)
{
	char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	if (!f)
		no_memory();
	for (size_t i = 0; i < json_object_array_length(list); i++)
		fprintf(f, "%s%s", i ? " " : "",
			json_object_get_string(json_object_array_get_idx(list, i)));
	if (fclose(f))
		no_memory();
	return text;
}

static void print_property(const struct options *options, const char *key,
			   struct json_object *value)
{
	_cleanup_(freep) char *words = NULL;
	const char *text;

	if (is_list_of_text(value)) {
		words = join_words(value);
		text = words;
	} else if (json_object_is_type(value, json_type_boolean)) {
		text = json_object_get_boolean(value) ? "yes" : "no";
	} else if (json_object_is_type(value, json_type_array)) {
		text = json_object_to_json_string_ext(value, JSON_C_TO_STRING_NOSLASHESCAPE);
	} else {
		text = json_object_get_string(value);
	}
	if (!text)
		no_memory();
	print_line("%s%s%s", options->value ? "" : key, options->value ? "" : "=", text);
}

static enum exit_code print_text(const struct options *options, struct json_object *array)
{
	for (size_t i = 0; i < json_object_array_length(array); i++) {
		struct json_object *object = json_object_array_get_idx(array, i);

		if (i)
			print_line("%s", "");
		json_object_object_foreach(object, key, value)
		{
			print_property(options, key, value);
		}
	}
	return EXIT_OK;
}

/* Takes the array. */
static enum exit_code print_json(const struct options *options, struct json_object *array)
{
	struct json_object *object;

	if (options->nr_domains) {
		object = json_new_object();
		json_put(object, "domains", array);
	} else {
		object = json_object_get(json_object_array_get_idx(array, 0));
		json_object_put(array);
	}
	return json_print(object);
}

enum exit_code verb_show(const struct options *options, sd_bus *bus)
{
	struct json_object *array = json_new_array();
	enum exit_code code = EXIT_OK;

	if (!options->nr_domains)
		code = add_object(options, bus, NULL, array);
	for (size_t i = 0; !code && i < options->nr_domains; i++)
		code = add_object(options, bus, options->domains[i], array);
	if (!code && options->json)
		return print_json(options, array);
	if (!code)
		code = print_text(options, array);
	json_object_put(array);
	return code;
}
