// SPDX-License-Identifier: LGPL-2.1-or-later
/* hlctl lcm, hlctl events, hlctl modules */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "bus.h"
#include "domains.h"
#include "table.h"

static enum exit_code copy_out(int fd)
{
	char buf[16384];
	off_t at = 0;
	ssize_t n;

	/* The daemon's own position in it is none of ours. */
	while ((n = pread(fd, buf, sizeof(buf), at)) > 0) {
		if (fwrite(buf, 1, (size_t)n, stdout) != (size_t)n)
			return complain(EXIT_FAILED, "cannot write: %s", strerror(errno));
		at += n;
	}
	if (n < 0)
		return complain(EXIT_FAILED, "cannot read the LCM: %s", strerror(errno));
	return fflush(stdout) ? complain(EXIT_FAILED, "cannot write: %s", strerror(errno)) :
				EXIT_OK;
}

enum exit_code verb_lcm(const struct options *options, sd_bus *bus)
{
	CLEANUP(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
	const char *format = options->format ? options->format : options->json ? "json" : "dts";
	enum exit_code code;
	int fd, r;

	if (options->json && strcmp(format, "json") != 0)
		return complain(EXIT_USAGE, "--json and --format %s exclude each other", format);
	if (!strcmp(format, "dtb") && isatty(STDOUT_FILENO))
		return complain(EXIT_USAGE, "a terminal cannot show a blob: "
				"send it to a file, or use --format dts");
	code = bus_call(bus, BUS_MANAGER, "GetLCM", &reply, "s", format);
	if (code)
		return code;
	r = sd_bus_message_read_basic(reply, 'h', &fd);
	return r < 0 ? bus_bad_answer(r) : copy_out(fd);
}

struct event {
	uint32_t seq, domid, arg;
	uint64_t usec;
	const char *type;
};

static struct json_object *event_json(const struct event *e)
{
	struct json_object *object = json_new_object();

	json_put_number(object, "seq", e->seq);
	json_put_number(object, "time_usec", e->usec);
	json_put_text(object, "event", e->type);
	json_put_id(object, "domid", e->domid);
	if (!strcmp(e->type, "console"))
		json_put_id(object, "arg", e->arg);
	else
		json_put_number(object, "arg", e->arg);
	return object;
}

/* What the number means. */
static void add_argument(struct table *table, const struct event *e)
{
	if (!strcmp(e->type, "lcm-found"))
		table_add(table, PLAIN, "%u bytes", e->arg);
	else if (!strcmp(e->type, "built"))
		table_add(table, PLAIN, "number %u in the LCM", e->arg);
	else if (!strcmp(e->type, "build-failed") || !strcmp(e->type, "boot-failed"))
		table_add(table, RED, "%s", hl_error_text(e->arg));
	else if (!strcmp(e->type, "state"))
		table_add(table, state_colour(hl_launch_state_name((enum hl_launch_state)e->arg)),
			  "%s", hl_launch_state_name((enum hl_launch_state)e->arg));
	else if (!strcmp(e->type, "died"))
		table_add(table, RED, "%s", hl_shutdown_name(e->arg));
	else if (!strcmp(e->type, "console") && e->arg != UINT32_MAX)
		table_add(table, PLAIN, "from domain %u", e->arg);
	else if (e->arg && e->arg != UINT32_MAX)
		table_add(table, PLAIN, "%u", e->arg);
	else
		table_add(table, PLAIN, "%s", "");
}

static void add_event(struct table *table, const struct event *e)
{
	table_add(table, PLAIN, "%u", e->seq);
	table_add(table, PLAIN, "%" PRIu64 ".%06" PRIu64, e->usec / 1000000, e->usec % 1000000);
	table_add(table, PLAIN, "%s", e->type);
	if (e->domid == UINT32_MAX)
		table_add(table, PLAIN, "-");
	else
		table_add(table, PLAIN, "%u", e->domid);
	add_argument(table, e);
}

/* Into the array or the table, whichever is there. */
static int read_events(sd_bus_message *m, struct json_object *array, struct table *table)
{
	struct event e;
	int r = sd_bus_message_enter_container(m, 'a', "(utsuu)");

	while (r >= 0 && (r = sd_bus_message_read(m, "(utsuu)", &e.seq, &e.usec, &e.type, &e.domid,
						  &e.arg)) > 0) {
		if (array)
			json_append(array, event_json(&e));
		else
			add_event(table, &e);
	}
	return r < 0 ? r : sd_bus_message_exit_container(m);
}

static enum exit_code show(const struct options *options, sd_bus_message *reply,
			   const char *key, const char *const *heading, unsigned int nr,
			   int (*read)(sd_bus_message *, struct json_object *, struct table *))
{
	struct json_object *object = NULL, *array = NULL;
	struct table *table = NULL;
	int r;

	if (options->json) {
		object = json_new_object();
		array = json_new_array();
		json_put(object, key, array);
	} else {
		table = table_new(nr);
		for (unsigned int i = 0; i < nr; i++)
			table_add(table, BOLD, "%s", heading[i]);
	}
	r = read(reply, array, table);
	if (r < 0)
		return bus_bad_answer(r);
	return object ? json_print(object) : table_print(table);
}

enum exit_code verb_events(const struct options *options, sd_bus *bus)
{
	static const char *const heading[] = { "SEQ", "TIME", "EVENT", "DOMID", "" };
	CLEANUP(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
	enum exit_code code = bus_call(bus, BUS_MANAGER, "GetEvents", &reply, "u", options->since);

	return code ? code : show(options, reply, "events", heading, ARRAY_SIZE(heading),
				  read_events);
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
	CLEANUP(freep) char *users = NULL;
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
	int r = sd_bus_message_enter_container(m, 'a', "(ustsas)");

	while (r >= 0 && (r = sd_bus_message_enter_container(m, 'r', "ustsas")) > 0) {
		r = read_module(m, array, table);
		if (r >= 0)
			r = sd_bus_message_exit_container(m);
	}
	return r < 0 ? r : sd_bus_message_exit_container(m);
}

enum exit_code verb_modules(const struct options *options, sd_bus *bus)
{
	static const char *const heading[] = { "INDEX", "TYPE", "SIZE", "SHA256", "DOMAINS" };
	CLEANUP(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
	enum exit_code code = bus_call(bus, BUS_MANAGER, "ListModules", &reply, "");

	return code ? code : show(options, reply, "modules", heading, ARRAY_SIZE(heading),
				  read_modules);
}
