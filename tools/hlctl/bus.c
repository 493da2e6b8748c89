// SPDX-License-Identifier: LGPL-2.1-or-later
/* Calls, and what their errors mean for the exit code. */
#include "bus.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>

#include "agent.h"

/* hyperlaunchd waits for polkit that long, and polkit for the user. */
#define POLKIT_TIMEOUT_USEC UINT64_C(120000000)
#define USEC_PER_SECOND	    UINT64_C(1000000)

static enum exit_code code_of(const char *name)
{
	static const struct {
		const char *name;
		enum exit_code code;
	} codes[] = {
		{BUS_NAME ".Error.NoSuchDomain", EXIT_NOT_FOUND},
		{BUS_NAME ".Error.LCMMissing", EXIT_NOT_FOUND},
		{BUS_NAME ".Error.NoSuchJob", EXIT_NOT_FOUND},
		{BUS_NAME ".Error.Timeout", EXIT_TIMEOUT},
		{BUS_NAME ".Error.HypervisorTooOld", EXIT_UNSUPPORTED},
		{BUS_NAME ".Error.NotSupported", EXIT_UNSUPPORTED},
		{BUS_NAME ".Error.NotControlDomain", EXIT_UNSUPPORTED},
		{SD_BUS_ERROR_UNKNOWN_METHOD, EXIT_UNSUPPORTED},
		{SD_BUS_ERROR_UNKNOWN_INTERFACE, EXIT_UNSUPPORTED},
		{SD_BUS_ERROR_UNKNOWN_OBJECT, EXIT_UNSUPPORTED},
		{SD_BUS_ERROR_UNKNOWN_PROPERTY, EXIT_UNSUPPORTED},
		{SD_BUS_ERROR_NOT_SUPPORTED, EXIT_UNSUPPORTED},
		{SD_BUS_ERROR_ACCESS_DENIED, EXIT_DENIED},
		{SD_BUS_ERROR_INTERACTIVE_AUTHORIZATION_REQUIRED, EXIT_DENIED},
		{SD_BUS_ERROR_NO_REPLY, EXIT_TIMEOUT},
		{SD_BUS_ERROR_TIMEOUT, EXIT_TIMEOUT},
		{"org.freedesktop.DBus.Error.TimedOut", EXIT_TIMEOUT},
	};

	for (size_t i = 0; i < ARRAY_SIZE(codes); i++)
		if (!strcmp(codes[i].name, name))
			return codes[i].code;
	return EXIT_FAILED;
}

enum exit_code bus_report_error(const sd_bus_error *error, int r)
{
	if (r == -ETIMEDOUT || sd_bus_error_has_name(error, SD_BUS_ERROR_NO_REPLY))
		return report_error(EXIT_TIMEOUT, "hyperlaunchd does not answer in time");
	if (r == -ENOTCONN || r == -ECONNRESET || r == -EPIPE)
		return report_error(EXIT_FAILED, "the connection to the bus broke");
	if (sd_bus_error_has_name(error, SD_BUS_ERROR_SERVICE_UNKNOWN) ||
	    sd_bus_error_has_name(error, SD_BUS_ERROR_NAME_HAS_NO_OWNER))
		return report_error(
			EXIT_FAILED,
			"hyperlaunchd is not running on this bus, and cannot be started");
	if (!sd_bus_error_is_set(error))
		return report_error(EXIT_FAILED, "the call failed: %s", strerror(-r));
	return report_error(code_of(error->name), "%s",
			    error->message ? error->message : error->name);
}

static int new_call(sd_bus *bus, const char *path, const char *interface, const char *method,
		    const char *types, va_list ap, sd_bus_message **ret_call)
{
	_cleanup_(sd_bus_message_unrefp) sd_bus_message *call = NULL;
	int r = sd_bus_message_new_method_call(bus, &call, BUS_NAME, path, interface, method);

	if (r >= 0 && *types)
		r = sd_bus_message_appendv(call, types, ap);
	if (r >= 0)
		*ret_call = sd_bus_message_ref(call);
	return r;
}

int bus_try_call(sd_bus *bus, const char *path, const char *interface, const char *method,
		 sd_bus_error *ret_error, sd_bus_message **ret_reply, const char *types, ...)
{
	_cleanup_(sd_bus_message_unrefp) sd_bus_message *call = NULL;
	va_list ap;
	int r;

	va_start(ap, types);
	r = new_call(bus, path, interface, method, types, ap, &call);
	va_end(ap);
	return r < 0 ? r : sd_bus_call(bus, call, 0, ret_error, ret_reply);
}

/* The user may be asked for a password meanwhile. */
static int allow_password(const struct options *options, sd_bus *bus, sd_bus_message *call,
			  uint64_t *ret_usec)
{
	int r = sd_bus_message_set_allow_interactive_authorization(call, !options->no_ask_password);

	if (r >= 0)
		r = sd_bus_get_method_call_timeout(bus, ret_usec);
	/* A guest may have to answer. */
	*ret_usec += POLKIT_TIMEOUT_USEC + options->timeout * USEC_PER_SECOND;
	return r;
}

static int call_and_wait(const struct options *options, sd_bus *bus, sd_bus_message *call,
			 sd_bus_error *ret_error, sd_bus_message **ret_reply)
{
	uint64_t usec = 0;
	int r = allow_password(options, bus, call, &usec);

	if (r < 0)
		return r;
	agent_start(options);
	r = sd_bus_call(bus, call, usec, ret_error, ret_reply);
	agent_stop();
	return r;
}

/* Reports that a call which polkit authorizes has failed. */
static enum exit_code report_privileged(const struct options *options, const char *path,
					const sd_bus_error *error, int r)
{
	if (sd_bus_error_has_name(error, SD_BUS_ERROR_UNKNOWN_OBJECT) &&
	    strcmp(path, BUS_ROOT) != 0)
		return report_error(EXIT_NOT_FOUND, "%s has gone meanwhile", path);
	if (sd_bus_error_has_name(error, SD_BUS_ERROR_INTERACTIVE_AUTHORIZATION_REQUIRED))
		return report_error(
			EXIT_DENIED,
			"polkit requires authentication for this: run hlctl %s, or as root",
			options->no_ask_password ? "without --no-ask-password"
						 : "on a terminal, where it can ask you");
	return bus_report_error(error, r);
}

/* options: NULL: polkit is not asked for this. */
static enum exit_code call_with(const struct options *options, sd_bus *bus, const char *path,
				const char *interface, const char *method,
				sd_bus_message **ret_reply, const char *types, va_list ap)
{
	_cleanup_(sd_bus_message_unrefp) sd_bus_message *call = NULL;
	_cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
	int r = new_call(bus, path, interface, method, types, ap, &call);

	if (r >= 0)
		r = options ? call_and_wait(options, bus, call, &error, ret_reply)
			    : sd_bus_call(bus, call, 0, &error, ret_reply);
	if (r >= 0)
		return EXIT_OK;
	return options ? report_privileged(options, path, &error, r) : bus_report_error(&error, r);
}

enum exit_code bus_call_at(sd_bus *bus, const char *path, const char *interface, const char *method,
			   sd_bus_message **ret_reply, const char *types, ...)
{
	enum exit_code code;
	va_list ap;

	va_start(ap, types);
	code = call_with(NULL, bus, path, interface, method, ret_reply, types, ap);
	va_end(ap);
	return code;
}

enum exit_code bus_call_privileged(const struct options *options, sd_bus *bus, const char *path,
				   const char *interface, const char *method,
				   sd_bus_message **ret_reply, const char *types, ...)
{
	enum exit_code code;
	va_list ap;

	va_start(ap, types);
	code = call_with(options, bus, path, interface, method, ret_reply, types, ap);
	va_end(ap);
	return code;
}

static int on_reply(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	sd_bus_message **reply = userdata;

	*reply = sd_bus_message_ref(m);
	return 0;
}

/* Signals are handled meanwhile. */
static int call_and_process(sd_bus *bus, sd_bus_message *call, uint64_t usec,
			    sd_bus_error *ret_error, sd_bus_message **ret_reply)
{
	_cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
	_cleanup_(sd_bus_slot_unrefp) sd_bus_slot *slot = NULL;
	int r = sd_bus_call_async(bus, &slot, call, on_reply, &reply, usec);

	while (r >= 0 && !reply) {
		r = sd_bus_process(bus, NULL);
		if (r == 0)
			r = sd_bus_wait(bus, UINT64_MAX);
	}
	if (r < 0)
		return r;
	if (sd_bus_message_is_method_error(reply, NULL)) {
		sd_bus_error_copy(ret_error, sd_bus_message_get_error(reply));
		return -sd_bus_message_get_errno(reply);
	}
	*ret_reply = sd_bus_message_ref(reply);
	return 0;
}

enum exit_code bus_send_privileged(const struct options *options, sd_bus *bus, sd_bus_message *call,
				   uint64_t work_usec, sd_bus_message **ret_reply)
{
	_cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
	uint64_t usec = 0;
	int r = allow_password(options, bus, call, &usec);

	if (r >= 0) {
		agent_start(options);
		r = call_and_process(bus, call, usec + work_usec, &error, ret_reply);
		agent_stop();
	}
	return r < 0 ? report_privileged(options, sd_bus_message_get_path(call), &error, r)
		     : EXIT_OK;
}

enum exit_code bus_call_running(sd_bus *bus, const char *method, sd_bus_message **ret_reply)
{
	_cleanup_(sd_bus_message_unrefp) sd_bus_message *call = NULL;
	_cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
	int r = sd_bus_message_new_method_call(bus, &call, BUS_NAME, BUS_ROOT, BUS_MANAGER, method);

	if (r >= 0)
		r = sd_bus_message_set_auto_start(call, false);
	if (r >= 0)
		r = sd_bus_call(bus, call, 0, &error, ret_reply);
	return r < 0 ? bus_report_error(&error, r) : EXIT_OK;
}

enum exit_code bus_get_all(sd_bus *bus, const char *path, const char *interface,
			   sd_bus_message **ret_reply)
{
	return bus_call_at(bus, path, BUS_PROPERTIES, "GetAll", ret_reply, "s", interface);
}

enum exit_code bus_bad_answer(int r)
{
	return report_error(EXIT_UNSUPPORTED,
			    "hyperlaunchd's answer is not what this version of hlctl knows: %s",
			    strerror(-r));
}

int bus_end_record(sd_bus_message *m)
{
	int r = 0;

	while (r >= 0 && (r = sd_bus_message_at_end(m, 0)) == 0)
		r = sd_bus_message_skip(m, NULL);
	return r < 0 ? r : sd_bus_message_exit_container(m);
}

int bus_read_record(sd_bus_message *m, const char *types, ...)
{
	const char *contents;
	char type;
	va_list ap;
	int r = sd_bus_message_peek_type(m, &type, &contents);

	if (r <= 0)
		return r;
	if (type != 'r')
		return -EBADMSG;
	r = sd_bus_message_enter_container(m, 'r', contents);
	va_start(ap, types);
	if (r > 0)
		r = sd_bus_message_readv(m, types, ap);
	va_end(ap);
	if (r == 0)
		r = -EBADMSG;
	return r < 0 ? r : (r = bus_end_record(m)) < 0 ? r : 1;
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

/* *next: where to look first, as they mostly come in the order of the fields. */
static int read_entry(sd_bus_message *m, const struct bus_field *fields, size_t nr, size_t *next,
		      void *record)
{
	const char *key;
	int r = sd_bus_message_read_basic(m, 's', &key);

	if (r < 0)
		return r;
	for (size_t i = 0; i < nr; i++) {
		size_t at = (*next + i) % nr;

		if (!strcmp(fields[at].key, key)) {
			*next = at + 1;
			return read_value(m, &fields[at], record);
		}
	}
	return sd_bus_message_skip(m, "v");
}

int bus_read_fields(sd_bus_message *m, const struct bus_field *fields, size_t nr, void *record)
{
	size_t next = 0;
	int r = sd_bus_message_enter_container(m, 'a', "{sv}");

	if (r < 0)
		return r;
	while ((r = sd_bus_message_enter_container(m, 'e', "sv")) > 0) {
		r = read_entry(m, fields, nr, &next, record);
		if (r >= 0)
			r = sd_bus_message_exit_container(m);
		if (r < 0)
			return r;
	}
	return r < 0 ? r : sd_bus_message_exit_container(m);
}
