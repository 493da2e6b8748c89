// SPDX-License-Identifier: LGPL-2.1-or-later
/* hlctl handoff: the owner of the Xen console. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "bus.h"
#include "domains.h"
#include "lookup.h"
#include "table.h"

#define USEC_PER_SECOND UINT64_C(1000000)

/* A domain that does not run yet would not read what is typed. */
static enum exit_code check_can_read(const struct domain *d)
{
	if (!strcmp(d->state, "held"))
		return report_error(
			EXIT_FAILED,
			"domain %u (%s) is held: it does not run and could not read the console; "
			"'hlctl release %u' comes first",
			d->domid, d->name, d->domid);
	if (!strcmp(d->state, "built") || !strcmp(d->state, "planned"))
		return report_error(
			EXIT_FAILED,
			"domain %u (%s) is %s: it does not run and could not read the console",
			d->domid, d->name, d->state);
	return EXIT_OK;
}

/* The terminal of hldom console says so itself; Linux has the Xen console as hvc0 where it may ask
 * Xen for all. */
static bool is_xen_console(void)
{
	char name[64], capabilities[32] = "";
	FILE *f;

	if (!isatty(STDIN_FILENO))
		return false;
	if (getenv("HLDOM_CONSOLE"))
		return true;
	if (ttyname_r(STDIN_FILENO, name, sizeof(name)) || strcmp(name, "/dev/hvc0") != 0)
		return false;
	f = fopen("/proc/xen/capabilities", "re");
	if (!f)
		return false;
	if (!fgets(capabilities, sizeof(capabilities), f))
		capabilities[0] = '\0';
	(void)fclose(f);
	return strstr(capabilities, "control_d") != NULL;
}

/* Before it happens: afterwards this terminal is another domain's. */
static void warn_of_own_terminal(const struct options *options, const struct domain *d,
				 uint32_t owner)
{
	if (options->quiet || owner == d->domid || !is_xen_console())
		return;
	if (options->seconds)
		warn("this terminal is the Xen console: what is typed here goes to domain %u (%s) "
		     "now, for %u s",
		     d->domid, d->name, options->seconds);
	else
		warn("this terminal is the Xen console: what is typed here goes to domain %u (%s) "
		     "now, "
		     "until a control domain hands it back",
		     d->domid, d->name);
}

static enum exit_code console_owner(sd_bus *bus, uint32_t *ret_domid)
{
	_cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
	enum exit_code code =
		bus_call(bus, BUS_PROPERTIES, "Get", &reply, "ss", BUS_MANAGER, "ConsoleOwner");
	const char *path;
	int r;

	if (code)
		return code;
	r = sd_bus_message_read(reply, "v", "o", &path);
	if (r < 0)
		return bus_bad_answer(r);
	*ret_domid = lookup_domid(path);
	return EXIT_OK;
}

/* Returns the owner before that: another request may have come first. */
static enum exit_code set_console_owner(const struct options *options, sd_bus *bus,
					const struct domain *d, uint32_t *ret_before)
{
	_cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
	enum exit_code code;
	const char *path;
	int r;

	if (options->seconds)
		code = bus_call_privileged(options, bus, BUS_ROOT, BUS_MANAGER, "SetConsoleOwner",
					   &reply, "oa{sv}", d->path, 1, "DurationUSec", "t",
					   options->seconds * USEC_PER_SECOND);
	else
		code = bus_call_privileged(options, bus, BUS_ROOT, BUS_MANAGER, "SetConsoleOwner",
					   &reply, "oa{sv}", d->path, 0);
	if (code)
		return code;
	r = sd_bus_message_read_basic(reply, 'o', &path);
	if (r < 0)
		return bus_bad_answer(r);
	*ret_before = lookup_domid(path);
	return EXIT_OK;
}

static enum exit_code handoff_json(const struct domain *d, uint32_t before, uint32_t seconds)
{
	struct json_object *object = json_new_object();

	json_put_text(object, "role", "console");
	json_put_id(object, "old", before);
	json_put_id(object, "new", d->domid);
	json_put_text(object, "name", d->name);
	if (seconds && before != d->domid)
		json_put_number(object, "seconds", seconds);
	return json_print(object);
}

static enum exit_code handoff_text(const struct domain *d, uint32_t before, uint32_t seconds)
{
	const char *name = *d->name ? d->name : "-";

	if (before == d->domid)
		print_line("The console is with domain %u (%s), as before.", d->domid, name);
	else if (before == UINT32_MAX)
		print_line("The console is with domain %u (%s) now; no domain had it.", d->domid,
			   name);
	else if (seconds)
		print_line("The console is with domain %u (%s) for %u s; domain %u had it.",
			   d->domid, name, seconds, before);
	else
		print_line("The console is with domain %u (%s) now; domain %u had it.", d->domid,
			   name, before);
	return EXIT_OK;
}

enum exit_code verb_handoff(const struct options *options, sd_bus *bus)
{
	_cleanup_(domains_free) struct domains domains = {0};
	const struct domain *d;
	uint32_t before = UINT32_MAX;
	enum exit_code code;

	if (options->console)
		return handoff_console(options, bus);
	code = domains_get_present(bus, options->domain, &domains, &d);
	if (!code)
		code = check_can_read(d);
	if (!code)
		code = console_owner(bus, &before);
	if (code)
		return code;
	warn_of_own_terminal(options, d, before);
	code = set_console_owner(options, bus, d, &before);
	if (code)
		return code;
	if (options->json)
		return handoff_json(d, before, options->seconds);
	return options->quiet ? EXIT_OK : handoff_text(d, before, options->seconds);
}
