// SPDX-License-Identifier: LGPL-2.1-or-later
/* hlctl create: a domain of a definition, whose modules are files here; hlctl destroy. */
#include <errno.h>
#include <fcntl.h>
#include <hyperlaunch/hl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "bus.h"
#include "create.h"
#include "definition.h"
#include "domains.h"
#include "lookup.h"
#include "progress.h"
#include "table.h"

struct modules {
	int kernel, ramdisk; /* -1: none */
};

static void modules_close(const struct modules *modules)
{
	closep(&modules->kernel);
	closep(&modules->ramdisk);
}

static void lcm_unrefp(struct hl_lcm **lcm)
{
	hl_lcm_unref(*lcm);
}

/* Relative names begin where the definition is. */
static enum exit_code open_beside(const char *definition, const char *name, int *ret_fd)
{
	const char *slash = name[0] == '/' ? NULL : strrchr(definition, '/');
	_cleanup_(freep) char *path = NULL;
	struct stat st;

	if (asprintf(&path, "%.*s%s", slash ? (int)(slash + 1 - definition) : 0, definition, name) <
	    0)
		no_memory();
	*ret_fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (*ret_fd < 0 || fstat(*ret_fd, &st) < 0)
		return report_error(EXIT_FAILED, "%s: %m", path);
	if (!S_ISREG(st.st_mode))
		return report_error(EXIT_FAILED, "%s is no regular file", path);
	return EXIT_OK;
}

static enum exit_code open_module(const struct options *options, const struct hl_lcm *lcm,
				  uint32_t index, const char *given, const char *what, int *ret_fd)
{
	const char *file = index == HL_NO_INDEX ? NULL : hl_lcm_get_module(lcm, index)->file;

	if (index == HL_NO_INDEX && !given)
		return EXIT_OK;
	if (given)
		return open_beside("", given, ret_fd);
	if (!file)
		return report_error(EXIT_USAGE,
				    "%s names no file of the %s: add `file` to its node, or give "
				    "--%s FILE",
				    options->domain, what, what);
	return open_beside(options->domain, file, ret_fd);
}

/* Files that the JSON itself names are opened where hyperlaunchd runs. */
static enum exit_code open_given(const struct options *options, struct modules *modules)
{
	enum exit_code code = EXIT_OK;

	if (options->kernel)
		code = open_beside("", options->kernel, &modules->kernel);
	if (!code && options->ramdisk)
		code = open_beside("", options->ramdisk, &modules->ramdisk);
	return code;
}

/* What is wrong with the definition itself is hyperlaunchd's to say. */
static enum exit_code open_modules(const struct options *options,
				   const struct definition_blob *blob, struct modules *modules,
				   char **ret_name)
{
	const struct hl_lcm_limits limits = {
		.platform = HL_PLATFORM_X86, .source = true, .definition = true};
	_cleanup_(lcm_unrefp) struct hl_lcm *lcm = NULL;
	const struct hl_lcm_domain *domain;
	struct hl_lcm_error error;
	enum exit_code code;
	int r = hl_lcm_new(blob->data, blob->size, &limits, &error, &lcm);

	if (r < 0)
		return report_error(EXIT_FAILED, "%s: %s", options->domain,
				    r == -EINVAL ? error.text : strerror(-r));
	domain = hl_lcm_get_domain(lcm, 0);
	if (!domain)
		return report_error(EXIT_FAILED, "%s has no domain", options->domain);
	*ret_name = strdup(domain->name);
	if (!*ret_name)
		no_memory();
	code = open_module(options, lcm, domain->kernel, options->kernel, "kernel",
			   &modules->kernel);
	return code ? code
		    : open_module(options, lcm, domain->ramdisk, options->ramdisk, "ramdisk",
				  &modules->ramdisk);
}

static enum exit_code read_all(const struct options *options, struct definition_blob *blob,
			       struct modules *modules, char **ret_name)
{
	bool json = definition_is_json(options->domain);
	enum exit_code code = definition_read(options->domain, blob);

	if (code)
		return code;
	if (!json)
		return open_modules(options, blob, modules, ret_name);
	*ret_name = definition_name_in_json(blob);
	return open_given(options, modules);
}

static int fill_call(sd_bus_message *call, const struct options *options,
		     const struct definition_blob *blob, const struct modules *modules)
{
	int r = sd_bus_message_append_array(call, 'y', blob->data, blob->size);

	if (r >= 0)
		r = sd_bus_message_open_container(call, 'a', "{sv}");
	if (r >= 0 && modules->kernel >= 0)
		r = sd_bus_message_append(call, "{sv}", "Kernel", "h", modules->kernel);
	if (r >= 0 && modules->ramdisk >= 0)
		r = sd_bus_message_append(call, "{sv}", "Ramdisk", "h", modules->ramdisk);
	if (r >= 0 && definition_is_json(options->domain))
		r = sd_bus_message_append(call, "{sv}", "Format", "s", "json");
	if (r >= 0)
		r = sd_bus_message_append(call, "{sv}", "Start", "b", !options->paused);
	return r < 0 ? r : sd_bus_message_close_container(call);
}

enum exit_code create_send(const struct options *options, sd_bus *bus, sd_bus_message *call,
			   const char *kind, const char *name, sd_bus_message **ret_reply)
{
	struct progress progress;
	enum exit_code code;

	progress_begin(options, bus, kind, name, &progress);
	code = bus_send_privileged(options, bus, call, CREATE_WORK_USEC, ret_reply);
	progress_end(&progress);
	return code;
}

static enum exit_code send_call(const struct options *options, sd_bus *bus,
				const struct definition_blob *blob, const struct modules *modules,
				const char *name, sd_bus_message **ret_reply)
{
	_cleanup_(sd_bus_message_unrefp) sd_bus_message *call = NULL;
	int r = sd_bus_message_new_method_call(bus, &call, BUS_NAME, BUS_ROOT, BUS_MANAGER,
					       "CreateDomain");

	if (r >= 0)
		r = fill_call(call, options, blob, modules);
	if (r < 0)
		return report_error(EXIT_FAILED, "the call cannot be made: %s", strerror(-r));
	return create_send(options, bus, call, "create", name, ret_reply);
}

static enum exit_code show_domain(const struct options *options, sd_bus *bus, const char *path)
{
	_cleanup_(domains_free) struct domains domains = {0};
	char domid[16];
	const struct domain *d;
	struct json_object *object;
	enum exit_code code;

	snprintf(domid, sizeof(domid), "%u", lookup_domid(path));
	code = domains_get_present(bus, domid, &domains, &d);
	if (code)
		return code;
	if (!options->json) {
		if (!options->quiet)
			print_line("Domain %u (%s) is %s.", d->domid, d->name, d->state);
		return EXIT_OK;
	}
	object = json_new_object();
	json_put_id(object, "domid", d->domid);
	json_put_text(object, "name", d->name);
	json_put_text(object, "uuid", d->handle);
	json_put_text(object, "state", d->state);
	json_put_text(object, "path", d->path);
	return json_print(object);
}

enum exit_code create_show(const struct options *options, sd_bus *bus, sd_bus_message *reply)
{
	const char *path;
	int r = sd_bus_message_read_basic(reply, 'o', &path);

	if (r < 0)
		return bus_bad_answer(r);
	if (!strcmp(path, "/"))
		return report_error(EXIT_FAILED, "the domain was created, and has ended already");
	return show_domain(options, bus, path);
}

enum exit_code verb_create(const struct options *options, sd_bus *bus)
{
	_cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
	_cleanup_(modules_close) struct modules modules = {-1, -1};
	_cleanup_(freep) char *name = NULL;
	static struct definition_blob blob;
	enum exit_code code = read_all(options, &blob, &modules, &name);

	if (!code)
		code = send_call(options, bus, &blob, &modules, name, &reply);
	return code ? code : create_show(options, bus, reply);
}

enum exit_code verb_destroy(const struct options *options, sd_bus *bus)
{
	_cleanup_(sd_bus_message_unrefp) sd_bus_message *call = NULL, *reply = NULL;
	_cleanup_(domains_free) struct domains domains = {0};
	const struct domain *d;
	enum exit_code code = domains_get_present(bus, options->domain, &domains, &d);
	int r;

	if (code)
		return code;
	r = sd_bus_message_new_method_call(bus, &call, BUS_NAME, d->path, BUS_LIFECYCLE, "Destroy");
	if (r >= 0)
		r = sd_bus_message_append(call, "a{sv}", 1, "Force", "b", options->force);
	if (r < 0)
		return report_error(EXIT_FAILED, "the call cannot be made: %s", strerror(-r));
	code = create_send(options, bus, call, "destroy", d->name, &reply);
	if (!code && !options->quiet && !options->json)
		print_line("Domain %u (%s) is destroyed.", d->domid, d->name);
	return code;
}
