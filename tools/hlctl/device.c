// SPDX-License-Identifier: LGPL-2.1-or-later
/* hlctl attach, detach: disks and NICs of a running domain. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "bus.h"
#include "domains.h"
#include "table.h"

/* More than hyperlaunchd takes, which says so. */
#define SIZE_MAX_READ (80 << 10)

static enum exit_code read_file(const char *path, char **ret_text)
{
	FILE *file = fopen(path, "re");
	size_t length;
	bool failed;

	if (!file)
		return report_error(EXIT_FAILED, "cannot open %s: %s", path, strerror(errno));
	*ret_text = calloc(1, SIZE_MAX_READ);
	if (!*ret_text)
		no_memory();
	length = fread(*ret_text, 1, SIZE_MAX_READ - 1, file);
	failed = ferror(file);
	(void)fclose(file);
	if (failed)
		return report_error(EXIT_FAILED, "cannot read %s", path);
	if (strlen(*ret_text) != length)
		return report_error(EXIT_FAILED, "%s is no JSON: it has a zero byte", path);
	return EXIT_OK;
}

/* Text that begins as JSON does, else the name of a file with it. */
static enum exit_code read_device(const char *argument, char **ret_text)
{
	if (argument[strspn(argument, " \t\n")] != '{')
		return read_file(argument, ret_text);
	*ret_text = strdup(argument);
	if (!*ret_text)
		no_memory();
	return EXIT_OK;
}

static enum exit_code print_change(const struct options *options, const struct domain *d,
				   const char *what)
{
	struct json_object *object;

	if (options->json) {
		object = json_new_object();
		json_put_id(object, "domid", d->domid);
		json_put_text(object, "name", d->name);
		json_put_text(object, "path", d->path);
		return json_print(object);
	}
	if (!options->quiet)
		print_line("Domain %u (%s) has the %s %s.", d->domid, *d->name ? d->name : "-",
			   options->domains[1], what);
	return EXIT_OK;
}

static enum exit_code attach(const struct options *options, sd_bus *bus, const char *text)
{
	_cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
	_cleanup_(domains_free) struct domains domains = {0};
	const struct domain *d;
	enum exit_code code = domains_get_present(bus, options->domain, &domains, &d);

	if (!code)
		code = bus_call_privileged(options, bus, d->path, BUS_LIFECYCLE, "AttachDevice",
					   &reply, "ssa{sv}", options->domains[1], text, 0);
	return code ? code : print_change(options, d, "now");
}

enum exit_code verb_attach(const struct options *options, sd_bus *bus)
{
	char *text = NULL;
	enum exit_code code = read_device(options->domains[2], &text);

	if (!code)
		code = attach(options, bus, text);
	free(text);
	return code;
}

enum exit_code verb_detach(const struct options *options, sd_bus *bus)
{
	_cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
	_cleanup_(domains_free) struct domains domains = {0};
	const struct domain *d;
	enum exit_code code = domains_get_present(bus, options->domain, &domains, &d);

	if (!code)
		code = bus_call_privileged(options, bus, d->path, BUS_LIFECYCLE, "DetachDevice",
					   &reply, "ssa{sv}", options->domains[1],
					   options->domains[2], 1, "Force", "b", options->force);
	return code ? code : print_change(options, d, "no more");
}
