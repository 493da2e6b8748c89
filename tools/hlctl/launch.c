// SPDX-License-Identifier: LGPL-2.1-or-later
/* hlctl lcm, hlctl modules */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "bus.h"
#include "domains.h"
#include "pager.h"
#include "records.h"

static enum exit_code copy_out(int fd)
{
	char buf[16384];
	off_t at = 0;
	ssize_t n;

	pager_open();
	/* The daemon's own position in it is none of ours. */
	while ((n = pread(fd, buf, sizeof(buf), at)) > 0) {
		if (fwrite(buf, 1, (size_t)n, stdout) != (size_t)n)
			return EXIT_OK; /* output_end() reports it */
		at += n;
	}
	return n < 0 ? report_error(EXIT_FAILED, "cannot read the LCM: %s", strerror(errno))
		     : EXIT_OK;
}

enum exit_code verb_lcm(const struct options *options, sd_bus *bus)
{
	_cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
	const char *format = options->format ? options->format : options->json ? "json" : "dts";
	enum exit_code code;
	int fd, r;

	if (options->json && strcmp(format, "json") != 0)
		return report_error(EXIT_USAGE, "--json and --format %s exclude each other",
				    format);
	if (!strcmp(format, "dtb") && isatty(STDOUT_FILENO))
		return report_error(EXIT_USAGE, "a terminal cannot show a blob: "
						"send it to a file, or use --format dts");
	if (options->bus == BUS_KIND_HOST)
		return report_error(
			EXIT_UNSUPPORTED,
			"the LCM comes as a file descriptor, which no other host can pass; "
			"run hlctl lcm there");
	code = bus_call_privileged(options, bus, BUS_ROOT, BUS_MANAGER, "GetLCM", &reply, "s",
				   format);
	if (code)
		return code;
	r = sd_bus_message_read_basic(reply, 'h', &fd);
	return r < 0 ? bus_bad_answer(r) : copy_out(fd);
}

static int read_users(sd_bus_message *m, struct json_object *names, char **ret_text)
{
	const char **users = NULL, *user;
	uint32_t nr = 0;
	int r = sd_bus_message_enter_container(m, 'a', "s");

	while (r >= 0 && (r = sd_bus_message_read_basic(m, 's', &user)) > 0) {
		users = reallocarray((void *)users, nr + 1, sizeof(*users));
		if (!users)
			no_memory();
		users[nr++] = user;
		json_append(names, json_text(user));
	}
	if (r >= 0)
		*ret_text = join(users, nr);
	free((void *)users);
	return r < 0 ? r : sd_bus_message_exit_container(m);
}

static int read_module(sd_bus_message *m, struct json_object *array, struct table *table)
{
	struct json_object *names = json_new_array(), *object;
	_cleanup_(freep) char *users = NULL;
	const char *type, *sha256;
	uint32_t index;
	uint64_t size;
	int r = sd_bus_message_read(m, "usts", &index, &type, &size, &sha256);

	if (r >= 0)
		r = read_users(m, names, &users);
	if (r < 0 || table) {
		json_object_put(names);
		if (r < 0)
			return r;
		table_add(table, PLAIN, "%u", index);
		table_add(table, PLAIN, "%s", type);
		table_add(table, PLAIN, "%" PRIu64, size);
		table_add(table, PLAIN, "%s", *sha256 ? sha256 : "-");
		table_add(table, PLAIN, "%s", users);
		return 0;
	}
	object = json_new_object();
	json_put_number(object, "index", index);
	json_put_text(object, "type", type);
	json_put_number(object, "size", size);
	json_put_text_or_null(object, "sha256", sha256);
	json_put(object, "domains", names);
	json_append(array, object);
	return 0;
}

static int read_modules(sd_bus_message *m, struct json_object *array, struct table *table)
{
	const char *contents;
	int r = sd_bus_message_enter_container(m, 'a', NULL);

	while (r >= 0 && (r = sd_bus_message_peek_type(m, NULL, &contents)) > 0) {
		r = sd_bus_message_enter_container(m, 'r', contents);
		if (r >= 0)
			r = read_module(m, array, table);
		if (r >= 0)
			r = bus_end_record(m);
	}
	return r < 0 ? r : sd_bus_message_exit_container(m);
}

enum exit_code verb_modules(const struct options *options, sd_bus *bus)
{
	static const char *const headings[] = {"INDEX", "TYPE", "SIZE", "SHA256", "DOMAINS"};
	static const struct records modules = {
		.method = "ListModules",
		.key = "modules",
		.headings = headings,
		.nr_columns = ARRAY_SIZE(headings),
		.read = read_modules,
	};

	return records_print(options, bus, &modules);
}
