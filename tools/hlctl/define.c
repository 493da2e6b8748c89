// SPDX-License-Identifier: LGPL-2.1-or-later
/* hlctl define, hlctl edit: give hyperlaunchd the definition of a domain that persists. */
#include <errno.h>
#include <fcntl.h>
#include <hyperlaunch/hl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bus.h"
#include "common/io.h"
#include "common/process.h"
#include "definition.h"
#include "definitions.h"
#include "json.h"
#include "table.h"

/* What goes with a definition; kernel and ramdisk: "": what the definition says. */
struct settings {
	const char *kernel, *ramdisk;
	const char *const *after;
	size_t nr_after;
	bool enabled, replace, json;
};

static void lcm_unrefp(struct hl_lcm **lcm)
{
	hl_lcm_unref(*lcm);
}

static int append_after(sd_bus_message *call, const struct settings *settings)
{
	int r = sd_bus_message_open_container(call, 'e', "sv");

	if (r >= 0)
		r = sd_bus_message_append(call, "s", "StartAfter");
	if (r >= 0)
		r = sd_bus_message_open_container(call, 'v', "as");
	if (r >= 0)
		r = sd_bus_message_open_container(call, 'a', "s");
	for (size_t i = 0; r >= 0 && i < settings->nr_after; i++)
		r = sd_bus_message_append(call, "s", settings->after[i]);
	for (int i = 0; r >= 0 && i < 3; i++)
		r = sd_bus_message_close_container(call);
	return r;
}

static int fill_call(sd_bus_message *call, const struct definition_blob *blob,
		     const struct settings *settings)
{
	int r = sd_bus_message_append_array(call, 'y', blob->data, blob->size);

	if (r >= 0)
		r = sd_bus_message_open_container(call, 'a', "{sv}");
	if (r >= 0)
		r = sd_bus_message_append(call, "{sv}{sv}{sv}", "Format", "s",
					  settings->json ? "json" : "dtb", "Enabled", "b",
					  settings->enabled, "Replace", "b", settings->replace);
	if (r >= 0 && *settings->kernel)
		r = sd_bus_message_append(call, "{sv}", "Kernel", "s", settings->kernel);
	if (r >= 0 && *settings->ramdisk)
		r = sd_bus_message_append(call, "{sv}", "Ramdisk", "s", settings->ramdisk);
	if (r >= 0)
		r = append_after(call, settings);
	return r < 0 ? r : sd_bus_message_close_container(call);
}

static enum exit_code print_name(const struct options *options, const char *name)
{
	struct json_object *object;

	if (options->json) {
		object = json_new_object();
		json_put_text(object, "name", name);
		return json_print(object);
	}
	if (!options->quiet)
		print_line("%s is defined; 'hlctl start' makes it.", name);
	return EXIT_OK;
}

static enum exit_code send_definition(const struct options *options, sd_bus *bus,
				      const struct definition_blob *blob,
				      const struct settings *settings)
{
	_cleanup_(sd_bus_message_unrefp) sd_bus_message *call = NULL, *reply = NULL;
	const char *name;
	enum exit_code code;
	int r = sd_bus_message_new_method_call(bus, &call, BUS_NAME, BUS_ROOT, BUS_MANAGER,
					       "Define");

	if (r >= 0)
		r = fill_call(call, blob, settings);
	if (r < 0)
		return report_error(EXIT_FAILED, "the call cannot be made: %s", strerror(-r));
	code = bus_send_privileged(options, bus, call, 0, &reply);
	if (code)
		return code;
	r = sd_bus_message_read_basic(reply, 's', &name);
	return r < 0 ? bus_bad_answer(r) : print_name(options, name);
}

/* As hyperlaunchd will open it: from the root on.  Of another host nothing can be looked up. */
static enum exit_code make_absolute(const struct options *options, const char *definition,
				    const char *file, char **ret_path)
{
	const char *slash = file[0] == '/' ? NULL : strrchr(definition, '/');
	_cleanup_(freep) char *path = NULL;

	if (asprintf(&path, "%.*s%s", slash ? (int)(slash + 1 - definition) : 0, definition, file) <
	    0)
		no_memory();
	if (options->bus == BUS_KIND_HOST) {
		if (path[0] != '/')
			return report_error(EXIT_USAGE,
					    "%s: of another host only absolute paths are known",
					    path);
		*ret_path = steal(&path);
		return EXIT_OK;
	}
	*ret_path = realpath(path, NULL);
	return *ret_path ? EXIT_OK : report_error(EXIT_FAILED, "%s: %m", path);
}

/* A relative path of the definition begins where that is, so it is sent from the root on. */
static enum exit_code find_module(const struct options *options, const struct hl_lcm *lcm,
				  uint32_t index, const char *given, char **ret_path)
{
	const char *file = index == HL_NO_INDEX ? NULL : hl_lcm_get_module(lcm, index)->file;

	if (given)
		return make_absolute(options, "", given, ret_path);
	if (file && file[0] != '/')
		return make_absolute(options, options->domain, file, ret_path);
	*ret_path = strdup("");
	if (!*ret_path)
		no_memory();
	return EXIT_OK;
}

/* Those of JSON are named in it.  What is wrong with the definition is hyperlaunchd's to say. */
static enum exit_code find_modules(const struct options *options,
				   const struct definition_blob *blob, char **ret_kernel,
				   char **ret_ramdisk)
{
	const struct hl_lcm_limits limits = {
		.platform = HL_PLATFORM_X86, .source = true, .definition = true};
	_cleanup_(lcm_unrefp) struct hl_lcm *lcm = NULL;
	const struct hl_lcm_domain *domain = NULL;
	uint32_t kernel, ramdisk;
	struct hl_lcm_error error;
	enum exit_code code;

	if (!definition_is_json(options->domain) &&
	    hl_lcm_new(blob->data, blob->size, &limits, &error, &lcm) == 0)
		domain = hl_lcm_get_domain(lcm, 0);
	kernel = domain ? domain->kernel : HL_NO_INDEX;
	ramdisk = domain ? domain->ramdisk : HL_NO_INDEX;
	code = find_module(options, lcm, kernel, options->kernel, ret_kernel);
	return code ? code : find_module(options, lcm, ramdisk, options->ramdisk, ret_ramdisk);
}

enum exit_code verb_define(const struct options *options, sd_bus *bus)
{
	_cleanup_(freep) char *kernel = NULL, *ramdisk = NULL;
	static struct definition_blob blob;
	struct settings settings = {
		.after = (const char *const *)options->after,
		.nr_after = options->nr_after,
		.enabled = options->enabled,
		.replace = options->replace,
		.json = definition_is_json(options->domain),
	};
	enum exit_code code = definition_read(options->domain, &blob);

	if (!code)
		code = find_modules(options, &blob, &kernel, &ramdisk);
	if (code)
		return code;
	settings.kernel = kernel;
	settings.ramdisk = ramdisk;
	return send_definition(options, bus, &blob, &settings);
}

static enum exit_code write_copy(const char *path, const void *text, size_t size)
{
	_cleanup_(closep) int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	int r = fd < 0 ? -errno : write_all(fd, text, size);

	return r < 0 ? report_error(EXIT_FAILED, "%s: %s", path, strerror(-r)) : EXIT_OK;
}

/* The editor's own arguments, as in EDITOR="code --wait", are the shell's matter. */
static enum exit_code run_editor(const char *path)
{
	char *argv[] = {"sh", "-c",	    "exec ${VISUAL:-${EDITOR:-editor}} \"$1\"",
			"sh", (char *)path, NULL};
	int status = 0;
	pid_t pid;
	int r = process_start(argv, -1, -1, -1, &pid);

	if (r == 0)
		r = process_wait(pid, &status);
	if (r < 0)
		return report_error(EXIT_FAILED, "no editor can be run: %s", strerror(-r));
	return WIFEXITED(status) && WEXITSTATUS(status) == 0
		       ? EXIT_OK
		       : report_error(EXIT_FAILED, "the editor has failed; VISUAL or EDITOR names "
						   "another one");
}

static bool is_same(const char *path, const void *text, size_t size)
{
	_cleanup_(closep) int fd = open(path, O_RDONLY | O_CLOEXEC);
	char now[DEFINITION_MAX + 1];
	ssize_t n = fd < 0 ? -1 : read(fd, now, sizeof(now));

	return n >= 0 && (size_t)n == size && memcmp(now, text, size) == 0;
}

static enum exit_code define_edited(const struct options *options, sd_bus *bus, const char *path,
				    const struct defined *defined)
{
	static struct definition_blob blob;
	const struct settings settings = {
		.kernel = defined->kernel,
		.ramdisk = defined->ramdisk,
		.after = defined->after.names,
		.nr_after = defined->after.nr,
		.enabled = defined->enabled,
		.replace = true,
		.json = definition_is_json(path),
	};
	enum exit_code code = definition_read(path, &blob);

	return code ? code : send_definition(options, bus, &blob, &settings);
}

/* What was edited stays where it cannot be defined. */
static enum exit_code edit_in(const struct options *options, sd_bus *bus, const char *path,
			      const void *text, size_t size, const struct defined *defined)
{
	enum exit_code code = write_copy(path, text, size);

	if (code)
		return code;
	code = run_editor(path);
	if (!code && is_same(path, text, size)) {
		if (!options->quiet)
			print_line("%s is unchanged.", options->domain);
	} else if (!code) {
		code = define_edited(options, bus, path, defined);
		if (code) {
			warn("what was edited is in %s", path);
			return code;
		}
	}
	(void)unlink(path);
	return code;
}

static enum exit_code edit(const struct options *options, sd_bus *bus, const void *text,
			   size_t size, const struct defined *defined)
{
	const char *tmp = getenv("TMPDIR");
	_cleanup_(freep) char *dir = NULL, *path = NULL;
	enum exit_code code;

	if (asprintf(&dir, "%s/hlctl-XXXXXX", tmp ? tmp : "/tmp") < 0)
		no_memory();
	if (!mkdtemp(dir))
		return report_error(EXIT_FAILED, "%s: %m", dir);
	if (asprintf(&path, "%s/definition.%s", dir, defined->format) < 0)
		no_memory();
	code = edit_in(options, bus, path, text, size, defined);
	/* It is not empty where a file stays. */
	(void)rmdir(dir);
	return code;
}

enum exit_code verb_edit(const struct options *options, sd_bus *bus)
{
	_cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
	struct defined defined = {.name = options->domain};
	const void *text;
	size_t size;
	enum exit_code code =
		bus_call_privileged(options, bus, BUS_ROOT, BUS_MANAGER, "GetDefinition", &reply,
				    "sa{sv}", options->domain, 0);
	int r;

	if (code)
		return code;
	r = sd_bus_message_read_array(reply, 'y', &text, &size);
	if (r >= 0)
		r = defined_read_settings(reply, &defined);
	if (r < 0 || size > DEFINITION_MAX ||
	    (strcmp(defined.format, "dts") != 0 && strcmp(defined.format, "json") != 0))
		code = bus_bad_answer(r < 0 ? r : -EBADMSG);
	else
		code = edit(options, bus, text, size, &defined);
	free(defined.after.names);
	return code;
}
