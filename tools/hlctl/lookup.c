// SPDX-License-Identifier: LGPL-2.1-or-later
/* Finds a domain's object by domid, name or UUID. */
#include "lookup.h"

#include <errno.h>
#include <hyperlaunch/hl.h>
#include <string.h>

#include "bus.h"

/* As Xen prints it: "05" and "5 " are names. */
static bool is_domid(const char *text, uint32_t *ret_domid)
{
	unsigned long number;
	char *end;

	if (text[strspn(text, "0123456789")] || !*text || (text[0] == '0' && text[1]))
		return false;
	errno = 0;
	number = strtoul(text, &end, 10);
	if (errno || number >= UINT32_MAX)
		return false;
	*ret_domid = (uint32_t)number;
	return true;
}

static int read_path(sd_bus_message *reply, char **ret_path)
{
	const char *path;
	int r = sd_bus_message_read_basic(reply, 'o', &path);

	if (r < 0)
		return r;
	*ret_path = strdup(path);
	return *ret_path ? 0 : -ENOMEM;
}

/* hyperlaunchd refuses some texts as names, and sd-bus those that are not UTF-8: no domain has
 * them. */
static bool is_absent(const sd_bus_error *error, int r)
{
	if (!sd_bus_error_is_set(error))
		return r == -EINVAL;
	return sd_bus_error_has_name(error, BUS_NAME ".Error.NoSuchDomain") ||
	       sd_bus_error_has_name(error, SD_BUS_ERROR_INVALID_ARGS);
}

/* EXIT_NOT_FOUND is not reported; value: of the type. */
static enum exit_code find(sd_bus *bus, const char *text, const char *method, char type,
			   const void *value, char **ret_path)
{
	_cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
	_cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
	int r;

	if (type == 'u')
		r = bus_try_call(bus, BUS_ROOT, BUS_MANAGER, method, &error, &reply, "u",
				 *(const uint32_t *)value);
	else
		r = bus_try_call(bus, BUS_ROOT, BUS_MANAGER, method, &error, &reply, "s", value);
	if (r >= 0) {
		r = read_path(reply, ret_path);
		return r < 0 ? bus_bad_answer(r) : EXIT_OK;
	}
	if (is_absent(&error, r))
		return EXIT_NOT_FOUND;
	if (sd_bus_error_has_name(&error, BUS_NAME ".Error.AmbiguousName"))
		return report_error(EXIT_FAILED,
				    "several domains are called '%s': say which by its domid",
				    text);
	return bus_report_error(&error, r);
}

/* The number that follows the prefix in a path and ends with that byte; or UINT32_MAX. */
static uint32_t number_after(const char *prefix, const char *path, char last)
{
	unsigned long number;
	char *end;

	if (strncmp(path, prefix, strlen(prefix)) != 0)
		return UINT32_MAX;
	number = strtoul(path + strlen(prefix), &end, 10);
	return *end == last && number < UINT32_MAX ? (uint32_t)number : UINT32_MAX;
}

uint32_t lookup_domid(const char *path)
{
	return number_after(BUS_DOMAIN_PREFIX "/d", path, '_');
}

uint32_t lookup_job(const char *path)
{
	return number_after(BUS_JOB_PREFIX "/", path, '\0');
}

enum exit_code lookup_failed(const char *text)
{
	return report_error(EXIT_NOT_FOUND, "there is no domain '%s' ('hlctl list' shows all)",
			    text);
}

enum exit_code lookup_domain_quietly(sd_bus *bus, const char *text, char **ret_path)
{
	enum exit_code code = EXIT_NOT_FOUND;
	uint8_t uuid[16];
	uint32_t domid;

	if (is_domid(text, &domid))
		code = find(bus, text, "GetDomainByDomid", 'u', &domid, ret_path);
	if (code == EXIT_NOT_FOUND && hl_uuid_from_text(text, uuid) >= 0)
		code = find(bus, text, "GetDomainByUUID", 's', text, ret_path);
	if (code == EXIT_NOT_FOUND && *text)
		code = find(bus, text, "GetDomainByName", 's', text, ret_path);
	return code;
}

enum exit_code lookup_domain(sd_bus *bus, const char *text, char **ret_path)
{
	enum exit_code code = lookup_domain_quietly(bus, text, ret_path);

	return code == EXIT_NOT_FOUND ? lookup_failed(text) : code;
}
