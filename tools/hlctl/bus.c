// SPDX-License-Identifier: LGPL-2.1-or-later
/* The connection, calls, and what their errors mean for the exit code. */
#include "bus.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>

static int open_address(const char *address, sd_bus **ret_bus)
{
	CLEANUP(sd_bus_unrefp) sd_bus *bus = NULL;
	int r = sd_bus_new(&bus);

	if (r >= 0)
		r = sd_bus_set_address(bus, address);
	if (r >= 0)
		r = sd_bus_set_bus_client(bus, true);
	if (r >= 0)
		r = sd_bus_start(bus);
	if (r >= 0)
		*ret_bus = sd_bus_ref(bus);
	return r;
}

enum exit_code bus_open(const struct options *options, sd_bus **ret_bus)
{
	const char *which = "system bus", *address = "", *quote = "";
	int r;

	switch (options->bus) {
	case BUS_SESSION:
		which = "session bus";
		r = sd_bus_open_user(ret_bus);
		break;
	case BUS_ADDRESS:
		which = "bus at ";
		address = options->address;
		quote = "'";
		r = open_address(options->address, ret_bus);
		break;
	default:
		r = sd_bus_open_system(ret_bus);
		break;
	}
	if (r >= 0)
		return EXIT_OK;
	if (r == -EINVAL && options->bus == BUS_ADDRESS)
		return complain(EXIT_USAGE, "'%s' is no D-Bus address", address);
	return complain(r == -EACCES || r == -EPERM ? EXIT_DENIED :
			r == -ETIMEDOUT ? EXIT_TIMEOUT : EXIT_FAILED,
			"cannot connect to the %s%s%s%s: %s", which, quote, address, quote,
			strerror(-r));
}

static enum exit_code code_of(const char *name)
{
	static const struct {
		const char *name;
		enum exit_code code;
	} codes[] = {
		{ BUS_NAME ".Error.NoSuchDomain", EXIT_NOT_FOUND },
		{ BUS_NAME ".Error.LcmMissing", EXIT_NOT_FOUND },
		{ BUS_NAME ".Error.HypervisorTooOld", EXIT_UNSUPPORTED },
		{ BUS_NAME ".Error.NotSupported", EXIT_UNSUPPORTED },
		{ BUS_NAME ".Error.NotControlDomain", EXIT_UNSUPPORTED },
		{ SD_BUS_ERROR_UNKNOWN_METHOD, EXIT_UNSUPPORTED },
		{ SD_BUS_ERROR_UNKNOWN_INTERFACE, EXIT_UNSUPPORTED },
		{ SD_BUS_ERROR_UNKNOWN_OBJECT, EXIT_UNSUPPORTED },
		{ SD_BUS_ERROR_UNKNOWN_PROPERTY, EXIT_UNSUPPORTED },
		{ SD_BUS_ERROR_ACCESS_DENIED, EXIT_DENIED },
		{ SD_BUS_ERROR_INTERACTIVE_AUTHORIZATION_REQUIRED, EXIT_DENIED },
		{ SD_BUS_ERROR_NO_REPLY, EXIT_TIMEOUT },
		{ SD_BUS_ERROR_TIMEOUT, EXIT_TIMEOUT },
		{ "org.freedesktop.DBus.Error.TimedOut", EXIT_TIMEOUT },
	};

	for (size_t i = 0; i < ARRAY_SIZE(codes); i++)
		if (!strcmp(codes[i].name, name))
			return codes[i].code;
	return EXIT_FAILED;
}

enum exit_code bus_complain(const sd_bus_error *error, int r)
{
	if (r == -ETIMEDOUT || sd_bus_error_has_name(error, SD_BUS_ERROR_NO_REPLY))
		return complain(EXIT_TIMEOUT, "hyperlaunchd does not answer in time");
	if (r == -ENOTCONN || r == -ECONNRESET || r == -EPIPE)
		return complain(EXIT_FAILED, "the connection to the bus broke");
	if (sd_bus_error_has_name(error, SD_BUS_ERROR_SERVICE_UNKNOWN) ||
	    sd_bus_error_has_name(error, SD_BUS_ERROR_NAME_HAS_NO_OWNER))
		return complain(EXIT_FAILED,
				"hyperlaunchd is not running on this bus, and cannot be started");
	if (!sd_bus_error_is_set(error))
		return complain(EXIT_FAILED, "the call failed: %s", strerror(-r));
	return complain(code_of(error->name), "%s", error->message ? error->message : error->name);
}

enum exit_code bus_call_at(sd_bus *bus, const char *path, const char *interface,
			   const char *method, sd_bus_message **ret_reply, const char *types, ...)
{
	CLEANUP(sd_bus_message_unrefp) sd_bus_message *call = NULL;
	CLEANUP(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
	va_list ap;
	int r;

	r = sd_bus_message_new_method_call(bus, &call, BUS_NAME, path, interface, method);
	va_start(ap, types);
	if (r >= 0 && *types)
		r = sd_bus_message_appendv(call, types, ap);
	va_end(ap);
	if (r >= 0)
		r = sd_bus_call(bus, call, 0, &error, ret_reply);
	return r < 0 ? bus_complain(&error, r) : EXIT_OK;
}

enum exit_code bus_bad_answer(int r)
{
	return complain(EXIT_UNSUPPORTED,
			"hyperlaunchd's answer is not what this version of hlctl knows: %s",
			strerror(-r));
}

static int read_basic(sd_bus_message *m, char type, void *at)
{
	int truth, r;

	if (type != 'b')
		return sd_bus_message_read_basic(m, type, at);
	r = sd_bus_message_read_basic(m, 'b', &truth);
	if (r > 0)
		*(bool *)at = truth;
	return r;
}

static int read_value(sd_bus_message *m, const struct bus_field *field, void *record)
{
	void *at = (char *)record + field->offset;
	int r;

	if (field->read) {
		r = sd_bus_message_enter_container(m, 'v', NULL);
		if (r >= 0)
			r = field->read(m, at);
	} else {
		r = sd_bus_message_enter_container(m, 'v', field->type);
		if (r >= 0)
			r = read_basic(m, field->type[0], at);
	}
	return r < 0 ? r : sd_bus_message_exit_container(m);
}

static int read_entry(sd_bus_message *m, const struct bus_field *fields, size_t nr, void *record)
{
	const char *key;
	int r = sd_bus_message_read_basic(m, 's', &key);

	if (r < 0)
		return r;
	for (size_t i = 0; i < nr; i++)
		if (!strcmp(fields[i].key, key))
			return read_value(m, &fields[i], record);
	return sd_bus_message_skip(m, "v");
}

int bus_read_fields(sd_bus_message *m, const struct bus_field *fields, size_t nr, void *record)
{
	int r = sd_bus_message_enter_container(m, 'a', "{sv}");

	if (r < 0)
		return r;
	while ((r = sd_bus_message_enter_container(m, 'e', "sv")) > 0) {
		r = read_entry(m, fields, nr, record);
		if (r >= 0)
			r = sd_bus_message_exit_container(m);
		if (r < 0)
			return r;
	}
	return r < 0 ? r : sd_bus_message_exit_container(m);
}
