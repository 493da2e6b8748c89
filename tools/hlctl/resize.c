// SPDX-License-Identifier: LGPL-2.1-or-later
/* hlctl set-memory, set-vcpus: how much a domain may use from now on. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "bus.h"
#include "domains.h"
#include "table.h"

/* "512M": a number without a unit might be meant in any. */
static enum exit_code parse_size(const char *text, uint64_t *ret_bytes)
{
	static const char units[] = "KMGT";
	const char *unit;
	char *end;
	int shift;

	errno = 0;
	*ret_bytes = strtoull(text, &end, 10);
	unit = *end ? strchr(units, *end) : NULL;
	shift = unit ? 10 * (int)(unit - units + 1) : 0;
	if (*text < '0' || *text > '9' || errno || !unit || end[1] ||
	    *ret_bytes > UINT64_MAX >> shift)
		return report_error(EXIT_USAGE,
				    "'%s' is no size: it is a number and K, M, G or T, as in 512M",
				    text);
	*ret_bytes <<= shift;
	return EXIT_OK;
}

static enum exit_code parse_count(const char *text, uint32_t *ret_count)
{
	unsigned long long number;
	char *end;

	errno = 0;
	number = strtoull(text, &end, 10);
	if (*text < '0' || *text > '9' || *end || errno || number > UINT32_MAX)
		return report_error(EXIT_USAGE, "'%s' is no number of vCPUs", text);
	*ret_count = (uint32_t)number;
	return EXIT_OK;
}

static enum exit_code print_memory(const struct options *options, const struct domain *d,
				   uint64_t bytes)
{
	struct json_object *object;

	if (options->json) {
		object = json_new_object();
		json_put_id(object, "domid", d->domid);
		json_put_text(object, "name", d->name);
		json_put_number(object, "memory_kib", bytes >> 10);
		json_put_text(object, "path", d->path);
		return json_print(object);
	}
	if (!options->quiet)
		print_line("Domain %u (%s) may use %" PRIu64 " KiB.", d->domid,
			   *d->name ? d->name : "-", bytes >> 10);
	return EXIT_OK;
}

enum exit_code verb_set_memory(const struct options *options, sd_bus *bus)
{
	_cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
	_cleanup_(domains_free) struct domains domains = {0};
	const struct domain *d;
	uint64_t bytes;
	enum exit_code code = parse_size(options->domains[1], &bytes);

	if (!code)
		code = domains_get_present(bus, options->domain, &domains, &d);
	if (!code)
		code = bus_call_privileged(options, bus, d->path, BUS_LIFECYCLE, "SetMemory",
					   &reply, "ta{sv}", bytes, 0);
	return code ? code : print_memory(options, d, bytes);
}

static enum exit_code print_vcpus(const struct options *options, const struct domain *d,
				  uint32_t count)
{
	struct json_object *object;

	if (options->json) {
		object = json_new_object();
		json_put_id(object, "domid", d->domid);
		json_put_text(object, "name", d->name);
		json_put_number(object, "vcpus", count);
		json_put_text(object, "path", d->path);
		return json_print(object);
	}
	if (!options->quiet)
		print_line("Domain %u (%s) may use %u vCPUs.", d->domid, *d->name ? d->name : "-",
			   count);
	return EXIT_OK;
}

enum exit_code verb_set_vcpus(const struct options *options, sd_bus *bus)
{
	_cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
	_cleanup_(domains_free) struct domains domains = {0};
	const struct domain *d;
	uint32_t count = 0;
	enum exit_code code = parse_count(options->domains[1], &count);

	if (!code)
		code = domains_get_present(bus, options->domain, &domains, &d);
	if (!code)
		code = bus_call_privileged(options, bus, d->path, BUS_LIFECYCLE, "SetVcpus", &reply,
					   "ua{sv}", count, 0);
	return code ? code : print_vcpus(options, d, count);
}
