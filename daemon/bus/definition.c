// SPDX-License-Identifier: LGPL-2.1-or-later
/* Keeps definitions as files, and lists them.  Start, which makes a domain of one, is elsewhere. */
#include "bus/definition.h"

#include <errno.h>
#include <hyperlaunch/hl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bus/auth.h"
#include "bus/call.h"
#include "bus/connection.h"
#include "bus/error.h"
#include "bus/options.h"
#include "common/cleanup.h"
#include "common/uuid.h"
#include "lifecycle/definition-dir.h"
#include "lifecycle/definition.h"
#include "lifecycle/vm.h"

/* NULL: none are kept, and the error is set. */
static const char *directory(const struct bus *bus, sd_bus_error *error)
{
	const char *dir = bus_vms_of(bus)->definitions;

	if (!dir)
		(void)bus_error_set(error, BUS_ERROR_NOT_SUPPORTED,
				    "This hyperlaunchd keeps no definitions: the service manager "
				    "has given it no ConfigurationDirectory=");
	return dir;
}

int bus_definition_read_name(sd_bus_message *call, const char **ret_name, sd_bus_error *error)
{
	const char *why;
	int r = sd_bus_message_read(call, "s", ret_name);

	if (r < 0)
		return r;
	why = definition_name_refusal(*ret_name);
	return why ? bus_error_set(error, BUS_ERROR_INVALID_ARGS,
				   "\"%.128s\" is no name of a definition: %s", *ret_name, why)
		   : 0;
}

int bus_definition_read(const struct bus *bus, const char *name, struct definition_file *ret_file,
			sd_bus_error *error)
{
	const char *dir = directory(bus, error);
	struct definition_refusal refusal;
	int r;

	*ret_file = (struct definition_file){.text = NULL};
	if (!dir)
		return -EOPNOTSUPP;
	r = definition_dir_read(dir, name, ret_file, &refusal);
	if (r == -ENOENT)
		return bus_error_set(error, BUS_ERROR_NO_SUCH_DOMAIN,
				     "No domain \"%.128s\" is defined; ListDefinitions shows those "
				     "that are",
				     name);
	return r < 0 ? bus_error_set(error, bus_call_error_of(refusal.error), "%s", refusal.why)
		     : 0;
}

static void emit_changed(struct bus *bus, const char *name, const char *change)
{
	bus_sent(sd_bus_emit_signal(bus_connection_of(bus), BUS_ROOT, BUS_MANAGER,
				    "DefinitionChanged", "ss", name, change),
		 "DefinitionChanged");
}

static int append_start_after(sd_bus_message *reply, const struct definition_settings *settings)
{
	int r = sd_bus_message_open_container(reply, 'e', "sv");

	if (r >= 0)
		r = sd_bus_message_append(reply, "s", "StartAfter");
	if (r >= 0)
		r = sd_bus_message_open_container(reply, 'v', "as");
	if (r >= 0)
		r = sd_bus_message_open_container(reply, 'a', "s");
	for (size_t i = 0; r >= 0 && i < settings->nr_start_after; i++)
		r = sd_bus_message_append(reply, "s", settings->start_after[i]);
	for (int i = 0; r >= 0 && i < 3; i++)
		r = sd_bus_message_close_container(reply);
	return r;
}

/* problem: NULL: it is none. */
static int append_settings(sd_bus_message *reply, const struct definition_file *file,
			   const char *problem)
{
	const struct definition_settings *settings = &file->settings;
	char uuid[HL_UUID_TEXT_SIZE];
	int r = sd_bus_message_open_container(reply, 'a', "{sv}");

	hl_uuid_to_text(settings->uuid, uuid);
	if (r >= 0)
		r = sd_bus_message_append(reply, "{sv}{sv}", "Format", "s",
					  file->json ? "json" : "dts", "Enabled", "b",
					  settings->enabled);
	if (r >= 0 && !uuid_is_nil(settings->uuid))
		r = sd_bus_message_append(reply, "{sv}", "UUID", "s", uuid);
	if (r >= 0 && settings->kernel)
		r = sd_bus_message_append(reply, "{sv}", "Kernel", "s", settings->kernel);
	if (r >= 0 && settings->ramdisk)
		r = sd_bus_message_append(reply, "{sv}", "Ramdisk", "s", settings->ramdisk);
	if (r >= 0)
		r = append_start_after(reply, settings);
	if (r >= 0 && problem)
		r = sd_bus_message_append(reply, "{sv}", "Problem", "s", problem);
	return r < 0 ? r : sd_bus_message_close_container(reply);
}

static int append_definition(void *userdata, const struct definition_file *file,
			     const struct definition_refusal *refusal)
{
	sd_bus_message *reply = userdata;
	int r = sd_bus_message_open_container(reply, 'r', "sa{sv}");

	if (r >= 0)
		r = sd_bus_message_append(reply, "s", file->name);
	if (r >= 0)
		r = append_settings(reply, file, refusal ? refusal->why : NULL);
	return r < 0 ? r : sd_bus_message_close_container(reply);
}

/* Where none are kept there is none. */
int bus_definition_list(sd_bus_message *call, void *userdata, sd_bus_error *error)
{
	_cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
	const char *dir = bus_vms_of(userdata)->definitions;
	int r = sd_bus_message_new_method_return(call, &reply);

	if (r >= 0)
		r = sd_bus_message_open_container(reply, 'a', "(sa{sv})");
	if (r < 0)
		return r;
	r = dir ? definition_dir_for_each(dir, append_definition, reply) : 0;
	if (r < 0)
		return bus_error_set(error, BUS_ERROR_FAILED, "%s cannot be read: %s", dir,
				     strerror(-r));
	r = sd_bus_message_close_container(reply);
	return r < 0 ? r : sd_bus_send(NULL, reply, NULL);
}

/* The name is right, and no option is given. */
static int check_name_alone(sd_bus_message *call, const char **ret_name, sd_bus_error *error)
{
	int r = bus_definition_read_name(call, ret_name, error);

	return r < 0 ? r : bus_options_read(call, NULL, 0, error);
}

static int ask(sd_bus_message *call, struct bus *bus, const char *action, bus_auth_run_t run,
	       sd_bus_error *error)
{
	const struct bus_auth_question question = {.action = action, .run = run, .userdata = bus};
	const char *name;
	int r = check_name_alone(call, &name, error);

	return r < 0 ? r : bus_auth_call(bus_auth_of(bus), call, &question, error);
}

/* They were right when the call came; it was kept since. */
static int name_again(const struct bus_allowed *allowed, const char **ret_name, sd_bus_error *error)
{
	int r = sd_bus_message_rewind(allowed->call, true);

	return r < 0 ? r : check_name_alone(allowed->call, ret_name, error);
}

static int run_get(const struct bus_allowed *allowed, void *userdata, sd_bus_error *error)
{
	_cleanup_(definition_file_clear) struct definition_file file = {.text = NULL};
	_cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
	const char *name;
	int r = name_again(allowed, &name, error);

	if (r >= 0)
		r = bus_definition_read(userdata, name, &file, error);
	if (r >= 0)
		r = sd_bus_message_new_method_return(allowed->call, &reply);
	if (r >= 0)
		r = sd_bus_message_append_array(reply, 'y', file.text, strlen(file.text));
	if (r >= 0)
		r = append_settings(reply, &file, NULL);
	return r < 0 ? r : sd_bus_send(NULL, reply, NULL);
}

int bus_definition_get(sd_bus_message *call, void *userdata, sd_bus_error *error)
{
	return ask(call, userdata, BUS_ACTION_INSPECT_SENSITIVE, run_get, error);
}

static int run_undefine(const struct bus_allowed *allowed, void *userdata, sd_bus_error *error)
{
	const char *dir = directory(userdata, error), *name;
	int r = dir ? name_again(allowed, &name, error) : -EOPNOTSUPP;

	if (r < 0)
		return r;
	r = definition_dir_remove(dir, name);
	if (r == -ENOENT)
		return bus_error_set(error, BUS_ERROR_NO_SUCH_DOMAIN,
				     "No domain \"%.128s\" is defined", name);
	if (r < 0)
		return bus_error_set(error, BUS_ERROR_FAILED,
				     "The files of \"%.128s\" cannot be removed: %s", name,
				     strerror(-r));
	emit_changed(userdata, name, "undefined");
	return sd_bus_reply_method_return(allowed->call, "");
}

int bus_definition_undefine(sd_bus_message *call, void *userdata, sd_bus_error *error)
{
	return ask(call, userdata, BUS_ACTION_DEFINE, run_undefine, error);
}

static int write_failed(const char *name, int r, sd_bus_error *error)
{
	return bus_error_set(error, r == -ENOMEM ? BUS_ERROR_NO_MEMORY : BUS_ERROR_FAILED,
			     "The definition of \"%.128s\" cannot be written: %s", name,
			     strerror(-r));
}

static int set_enabled(const struct bus_allowed *allowed, struct bus *bus, bool enabled,
		       sd_bus_error *error)
{
	_cleanup_(definition_file_clear) struct definition_file file = {.text = NULL};
	const char *name;
	int r = name_again(allowed, &name, error);

	if (r >= 0)
		r = bus_definition_read(bus, name, &file, error);
	if (r < 0)
		return r;
	if (file.settings.enabled != enabled) {
		file.settings.enabled = enabled;
		r = definition_dir_write_settings(bus_vms_of(bus)->definitions, name,
						  &file.settings);
		if (r < 0)
			return write_failed(name, r, error);
		emit_changed(bus, name, enabled ? "enabled" : "disabled");
	}
	return sd_bus_reply_method_return(allowed->call, "");
}

static int run_enable(const struct bus_allowed *allowed, void *userdata, sd_bus_error *error)
{
	return set_enabled(allowed, userdata, true, error);
}

static int run_disable(const struct bus_allowed *allowed, void *userdata, sd_bus_error *error)
{
	return set_enabled(allowed, userdata, false, error);
}

int bus_definition_enable(sd_bus_message *call, void *userdata, sd_bus_error *error)
{
	return ask(call, userdata, BUS_ACTION_ENABLE, run_enable, error);
}

int bus_definition_disable(sd_bus_message *call, void *userdata, sd_bus_error *error)
{
	return ask(call, userdata, BUS_ACTION_ENABLE, run_disable, error);
}

/* What Define is given; cleared by arguments_clear(). */
struct arguments {
	const void *blob;
	size_t size;
	const char *format, *kernel, *ramdisk;
	char **start_after;
	bool enabled, replace;
};

static void arguments_clear(struct arguments *arguments)
{
	for (size_t i = 0; arguments->start_after && arguments->start_after[i]; i++)
		free(arguments->start_after[i]);
	free(arguments->start_after);
}

static int read_arguments(sd_bus_message *call, struct arguments *arguments, sd_bus_error *error)
{
	const struct bus_option options[] = {
		{.name = "Format", .text = &arguments->format},
		{.name = "Kernel", .text = &arguments->kernel},
		{.name = "Ramdisk", .text = &arguments->ramdisk},
		{.name = "StartAfter", .list = &arguments->start_after},
		{.name = "Enabled", .flag = &arguments->enabled},
		{.name = "Replace", .flag = &arguments->replace},
	};
	int r = sd_bus_message_read_array(call, 'y', &arguments->blob, &arguments->size);

	if (r >= 0)
		r = bus_options_read(call, options, ARRAY_SIZE(options), error);
	if (r < 0 || !strcmp(arguments->format, "dtb") || !strcmp(arguments->format, "json"))
		return r;
	return bus_error_set(error, BUS_ERROR_INVALID_ARGS, "Format must be \"dtb\" or \"json\"");
}

static int set_path(char **at, const char *option, const char *path, sd_bus_error *error)
{
	int r = path ? definition_settings_set_path(at, path) : 0;

	return r == -EINVAL ? bus_error_set(error, BUS_ERROR_INVALID_ARGS,
					    "%s must be an absolute path in one line", option)
			    : r;
}

static int fill_settings(const struct arguments *arguments, struct definition_settings *settings,
			 sd_bus_error *error)
{
	int r = set_path(&settings->kernel, "Kernel", arguments->kernel, error);

	if (r == 0)
		r = set_path(&settings->ramdisk, "Ramdisk", arguments->ramdisk, error);
	settings->enabled = arguments->enabled;
	for (size_t i = 0; r == 0 && arguments->start_after && arguments->start_after[i]; i++) {
		r = definition_settings_add_start_after(settings, arguments->start_after[i]);
		if (r == -EINVAL)
			return bus_error_set(error, BUS_ERROR_INVALID_ARGS,
					     "StartAfter: \"%.128s\" is no name of a domain, or "
					     "one of more than %d",
					     arguments->start_after[i], DEFINITION_START_AFTER_MAX);
	}
	return r;
}

/* Either the definition or an option names each module that there is, from the root on. */
static int check_module(const char *option, enum definition_module module, const char *given,
			const char *named, sd_bus_error *error)
{
	const char *path = given ? given : named;

	if (module == MODULE_NONE && given)
		return bus_error_set(error, BUS_ERROR_INVALID_ARGS,
				     "There is a %s, and the definition has none", option);
	if (module != MODULE_REQUIRED || (path && path[0] == '/'))
		return 0;
	return bus_error_set(error, BUS_ERROR_INVALID_ARGS,
			     "The definition names no file by an absolute path for it: the option "
			     "%s is missing",
			     option);
}

static int check_definition(const struct arguments *arguments, const struct definition *definition,
			    sd_bus_error *error)
{
	const char *why = definition_name_refusal(definition->name);
	int r;

	if (why)
		return bus_error_set(error, BUS_ERROR_INVALID_ARGS,
				     "A domain with the name \"%.128s\" cannot be defined: %s",
				     definition->name, why);
	r = check_module("Kernel", definition->kernel, arguments->kernel, definition->kernel_file,
			 error);
	return r < 0 ? r
		     : check_module("Ramdisk", definition->ramdisk, arguments->ramdisk,
				    definition->ramdisk_file, error);
}

static int read_definition(const struct arguments *arguments, struct definition *ret_definition,
			   sd_bus_error *error)
{
	const struct definition_rules rules = {.trusted = true};
	struct definition_refusal refusal;
	int r = definition_read(strcmp(arguments->format, "json") == 0, arguments->blob,
				arguments->size, &rules, ret_definition, &refusal);

	return r < 0 ? bus_error_set(error, bus_call_error_of(refusal.error),
				     "Cannot define a domain: %s", refusal.why)
		     : 0;
}

/* JSON as it came; of a blob, the source that compiles to it. */
static int make_text(const struct arguments *arguments, struct definition_file *file)
{
	file->json = strcmp(arguments->format, "json") == 0;
	if (!file->json)
		return hl_fdt_to_dts(arguments->blob, arguments->size, &file->text);
	file->text = strndup(arguments->blob, arguments->size);
	return file->text ? 0 : -ENOMEM;
}

/* The UUID of one that is replaced goes on, where the new definition has none. */
static int look_for_old(const struct bus *bus, const struct arguments *arguments, const char *name,
			struct definition_settings *settings, sd_bus_error *error)
{
	_cleanup_(definition_file_clear) struct definition_file old = {.text = NULL};
	struct definition_refusal refusal;
	int r = definition_dir_read(bus_vms_of(bus)->definitions, name, &old, &refusal);

	if (r == -ENOENT)
		return 0;
	/* Not even the directory. */
	if (r < 0 && old.name[0] == '\0')
		return bus_error_set(error, bus_call_error_of(refusal.error), "%s", refusal.why);
	if (!arguments->replace)
		return bus_error_set(
			error, BUS_ERROR_ALREADY_EXISTS,
			"A domain \"%.128s\" is defined; the option Replace defines it "
			"anew",
			name);
	memcpy(settings->uuid, old.settings.uuid, sizeof(settings->uuid));
	return 0;
}

static int write_definition(struct bus *bus, const struct arguments *arguments,
			    const struct definition *definition, sd_bus_error *error)
{
	_cleanup_(definition_file_clear) struct definition_file file = {.text = NULL};
	int r = fill_settings(arguments, &file.settings, error);

	if (r < 0)
		return r;
	memcpy(file.name, definition->name, sizeof(file.name));
	r = look_for_old(bus, arguments, file.name, &file.settings, error);
	if (r < 0)
		return r;
	if (uuid_is_nil(file.settings.uuid))
		memcpy(file.settings.uuid, definition->uuid, sizeof(file.settings.uuid));
	r = make_text(arguments, &file);
	if (r == 0)
		r = definition_dir_write(bus_vms_of(bus)->definitions, &file);
	if (r < 0)
		return write_failed(file.name, r, error);
	emit_changed(bus, file.name, "defined");
	return 0;
}

static int check_arguments(sd_bus_message *call, struct arguments *arguments,
			   struct definition *definition, sd_bus_error *error)
{
	int r = read_arguments(call, arguments, error);

	if (r >= 0)
		r = read_definition(arguments, definition, error);
	return r < 0 ? r : check_definition(arguments, definition, error);
}

static int run_define(const struct bus_allowed *allowed, void *userdata, sd_bus_error *error)
{
	_cleanup_(arguments_clear) struct arguments arguments = {.format = "dtb"};
	_cleanup_(definition_clear) struct definition definition = {.config = NULL};
	int r = directory(userdata, error) ? sd_bus_message_rewind(allowed->call, true)
					   : -EOPNOTSUPP;

	if (r >= 0)
		r = check_arguments(allowed->call, &arguments, &definition, error);
	if (r >= 0)
		r = write_definition(userdata, &arguments, &definition, error);
	return r < 0 ? r : sd_bus_reply_method_return(allowed->call, "s", definition.name);
}

int bus_definition_define(sd_bus_message *call, void *userdata, sd_bus_error *error)
{
	const struct bus_auth_question question = {
		.action = BUS_ACTION_DEFINE, .run = run_define, .userdata = userdata};
	_cleanup_(arguments_clear) struct arguments arguments = {.format = "dtb"};
	_cleanup_(definition_clear) struct definition definition = {.config = NULL};
	int r = check_arguments(call, &arguments, &definition, error);

	return r < 0 ? r : bus_auth_call(bus_auth_of(userdata), call, &question, error);
}
