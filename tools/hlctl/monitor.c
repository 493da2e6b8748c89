// SPDX-License-Identifier: LGPL-2.1-or-later
/* hlctl monitor: what hyperlaunchd announces, one line each, until it is stopped. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <systemd/sd-event.h>

#include "bus.h"
#include "common/clock.h"
#include "json.h"
#include "lookup.h"
#include "loop.h"

struct monitor {
	bool json;
	sd_event *event;
	char *daemon; /* unique name of hyperlaunchd; NULL: it is not there */
};

/* A match by hyperlaunchd's name also takes what others send to this connection alone. */
static bool is_from_daemon(const struct monitor *monitor, sd_bus_message *m)
{
	const char *sender = sd_bus_message_get_sender(m);

	return monitor->daemon && sender && !strcmp(monitor->daemon, sender);
}

static void set_daemon(struct monitor *monitor, const char *name)
{
	free(monitor->daemon);
	monitor->daemon = *name ? strdup(name) : NULL;
	if (*name && !monitor->daemon)
		no_memory();
}

/* The loop's code: that of the first line that could not be written, and so on. */
static void stop(struct monitor *monitor, enum exit_code code)
{
	(void)sd_event_exit(monitor->event, code);
}

static void put_time(struct json_object *object)
{
	json_put_number(object, "time_usec", wall_clock_usec());
}

static struct json_object *new_event(const char *name)
{
	struct json_object *object = json_new_object();

	json_put_text(object, "event", name);
	put_time(object);
	return object;
}

static void print_human(struct json_object *object)
{
	char clock[16];
	time_t now = time(NULL);
	struct tm tm;

	localtime_r(&now, &tm);
	strftime(clock, sizeof(clock), "%H:%M:%S", &tm);
	printf("%s", clock);
	json_object_object_foreach(object, key, value)
	{
		if (!strcmp(key, "time_usec"))
			continue;
		if (!strcmp(key, "event")) {
			printf(" %s", json_object_get_string(value));
			continue;
		}
		printf(" %s=", key);
		json_print_value(value);
	}
	printf("\n");
}

static void tell(struct monitor *monitor, struct json_object *object)
{
	enum exit_code code = EXIT_OK;

	if (monitor->json) {
		code = json_print_line(object);
	} else {
		print_human(object);
		json_object_put(object);
		if (fflush(stdout))
			code = report_error(EXIT_FAILED, "cannot write: %s", strerror(errno));
	}
	if (code)
		stop(monitor, code);
}

/* As `hlctl jobs` shows it. */
static void put_job(struct json_object *object, const char *path)
{
	json_put_id(object, "job", lookup_job(path));
	json_put_text(object, "path", path);
}

/* The domain that a job is about. */
static void put_subject(struct json_object *object, const char *path)
{
	json_put_id(object, "domid", lookup_domid(path));
	json_put_text(object, "subject", path);
}

/* The paths that a line has in other forms than as they are. */
static bool put_path(struct json_object *object, const char *name, const char *path)
{
	if (!strcmp(name, "old") || !strcmp(name, "new"))
		json_put_id(object, name, lookup_domid(path));
	else if (!strcmp(name, "job"))
		put_job(object, path);
	else if (!strcmp(name, "subject"))
		put_subject(object, path);
	else
		return false;
	return true;
}

/* Of these signals each number is a domid, and each old or new is a domain's path. */
static int put_argument(sd_bus_message *m, struct json_object *object, const char *name)
{
	struct json_object *value;
	const char *path;
	uint32_t domid;
	char type;
	int r = sd_bus_message_peek_type(m, &type, NULL);

	if (r > 0 && type == 'u') {
		r = sd_bus_message_read_basic(m, 'u', &domid);
		if (r >= 0)
			json_put_id(object, name, domid);
		return r;
	}
	if (r > 0 && type == 'o') {
		r = sd_bus_message_read_basic(m, 'o', &path);
		if (r >= 0 && !put_path(object, name, path))
			json_put_text(object, name, path);
		return r;
	}
	if (r >= 0)
		r = json_from_message(m, &value);
	if (r >= 0)
		json_put(object, name, value);
	return r;
}

/* The arguments of a signal by their names; -ENXIO: it has fewer. */
static int put_arguments(sd_bus_message *m, struct json_object *object, const char *const *names)
{
	int r = 0;

	for (; r >= 0 && *names; names++)
		r = put_argument(m, object, *names);
	return r;
}

static int on_manager_signal(sd_bus_message *m, void *userdata, sd_bus_error *ret_error)
{
	static const struct {
		const char *member, *event;
		const char *arguments[7];
	} signals[] = {
		{"DomainAdded", "domain-added", {"domid", "name", "path"}},
		{"DomainRemoved", "domain-removed", {"domid", "name", "path", "reason"}},
		{"RoleChanged", "role-changed", {"role", "old", "new"}},
		{"JobNew", "job-new", {"job", "kind", "subject"}},
		{"JobRemoved",
		 "job-removed",
		 {"job", "kind", "subject", "result", "error", "message"}},
	};
	const char *member = sd_bus_message_get_member(m);
	struct json_object *object;

	if (!is_from_daemon(userdata, m))
		return 0;
	for (size_t i = 0; i < ARRAY_SIZE(signals); i++) {
		if (strcmp(signals[i].member, member) != 0)
			continue;
		object = new_event(signals[i].event);
		if (put_arguments(m, object, signals[i].arguments) < 0)
			json_object_put(object);
		else
			tell(userdata, object);
	}
	return 0;
}

/* d<domid>_<generation>, at the end of a domain's path. */
static void put_domid(struct json_object *object, const char *path)
{
	if (strncmp(path, BUS_DOMAIN_PREFIX "/", strlen(BUS_DOMAIN_PREFIX "/")) == 0)
		json_put_id(object, "domid", lookup_domid(path));
}

static void report_launch_state(struct monitor *monitor, struct json_object *state)
{
	struct json_object *object = new_event("launch-state-changed");

	json_put(object, "new", state);
	tell(monitor, object);
}

static int report_property(struct monitor *monitor, sd_bus_message *m, const char *interface)
{
	const char *path = sd_bus_message_get_path(m), *property;
	struct json_object *object, *value;
	char name[128];
	int r = sd_bus_message_read_basic(m, 's', &property);

	if (r < 0)
		return r;
	r = json_from_message(m, &value);
	if (r < 0)
		return r;
	if (!strcmp(interface, BUS_LAUNCH) && !strcmp(property, "State")) {
		report_launch_state(monitor, value);
		return 0;
	}
	object = new_event("property-changed");
	put_domid(object, path);
	json_put_text(object, "path", path);
	/* Its State is not that of the domain. */
	snprintf(name, sizeof(name), "%s%s", !strcmp(interface, BUS_CONSOLE) ? "Console." : "",
		 property);
	json_put_text(object, "property", name);
	json_put(object, "value", value);
	tell(monitor, object);
	return 0;
}

/* What of a job can change; a newer daemon has more. */
static int put_job_property(sd_bus_message *m, struct json_object *object)
{
	static const struct {
		const char *property, *key;
	} keys[] = {{"State", "state"}, {"Stage", "stage"}, {"Progress", "progress"}};
	struct json_object *value;
	const char *property;
	int r = sd_bus_message_read_basic(m, 's', &property);

	if (r >= 0)
		r = json_from_message(m, &value);
	if (r < 0)
		return r;
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		if (!strcmp(keys[i].property, property))
			json_put(object, keys[i].key, json_object_get(value));
	json_object_put(value);
	return 0;
}

/* One line for all that has changed: they are of the same moment.  In m: the entries. */
static void report_job(struct monitor *monitor, sd_bus_message *m)
{
	struct json_object *object = new_event("job-changed");
	int r;

	put_job(object, sd_bus_message_get_path(m));
	while ((r = sd_bus_message_enter_container(m, 'e', "sv")) > 0) {
		r = put_job_property(m, object);
		if (r >= 0)
			r = sd_bus_message_exit_container(m);
		if (r < 0)
			break;
	}
	if (r < 0)
		json_object_put(object);
	else
		tell(monitor, object);
}

static int on_properties_changed(sd_bus_message *m, void *userdata, sd_bus_error *ret_error)
{
	const char *interface;
	int r = is_from_daemon(userdata, m) ? sd_bus_message_read_basic(m, 's', &interface)
					    : -EPERM;

	/* A signal that is not well made is somebody else's fault: it is passed over. */
	if (r < 0 || strncmp(interface, BUS_NAME ".", strlen(BUS_NAME ".")) != 0)
		return 0;
	if (sd_bus_message_enter_container(m, 'a', "{sv}") < 0)
		return 0;
	if (!strcmp(interface, BUS_JOB)) {
		report_job(userdata, m);
		return 0;
	}
	while (sd_bus_message_enter_container(m, 'e', "sv") > 0)
		if (report_property(userdata, m, interface) < 0 ||
		    sd_bus_message_exit_container(m) < 0)
			break;
	return 0;
}

static int on_owner_changed(sd_bus_message *m, void *userdata, sd_bus_error *ret_error)
{
	const char *name, *before, *after;

	if (sd_bus_message_read(m, "sss", &name, &before, &after) < 0)
		return 0;
	set_daemon(userdata, after);
	tell(userdata, new_event(*after ? "daemon-started" : "daemon-stopped"));
	return 0;
}

static int add_matches(sd_bus *bus, struct monitor *monitor)
{
	int r = sd_bus_match_signal(bus, NULL, BUS_NAME, BUS_ROOT, BUS_MANAGER, NULL,
				    on_manager_signal, monitor);

	if (r >= 0)
		r = sd_bus_add_match(bus, NULL,
				     "type='signal',sender='" BUS_NAME "',"
				     "path_namespace='" BUS_ROOT "',"
				     "interface='org.freedesktop.DBus.Properties',"
				     "member='PropertiesChanged'",
				     on_properties_changed, monitor);
	if (r >= 0)
		r = sd_bus_add_match(bus, NULL, MATCH_OWNER_CHANGED, on_owner_changed, monitor);
	return r;
}

/* From here on nothing is missed: the matches stand before the first question is asked. */
static enum exit_code greet(struct monitor *monitor, sd_bus *bus)
{
	_cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
	struct json_object *object;
	enum exit_code code;
	const char *state;
	int r;

	code = bus_call(bus, BUS_PROPERTIES, "Get", &reply, "ss", BUS_LAUNCH, "State");
	if (code)
		return code;
	r = sd_bus_message_read(reply, "v", "s", &state);
	if (r < 0)
		return bus_bad_answer(r);
	set_daemon(monitor, sd_bus_message_get_sender(reply));
	object = new_event("monitoring");
	json_put_text(object, "launch_state", state);
	tell(monitor, object);
	return EXIT_OK;
}

enum exit_code verb_monitor(const struct options *options, sd_bus *bus)
{
	_cleanup_(sd_event_unrefp) sd_event *event = NULL;
	struct monitor monitor = {.json = options->json};
	enum exit_code code;
	int r = loop_new(bus, &event);

	monitor.event = event;
	if (r >= 0)
		r = add_matches(bus, &monitor);
	if (r < 0)
		return report_error(EXIT_FAILED, "cannot listen: %s", strerror(-r));
	code = greet(&monitor, bus);
	if (!code)
		code = loop_run(bus, event);
	free(monitor.daemon);
	return code;
}
