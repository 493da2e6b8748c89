// SPDX-License-Identifier: LGPL-2.1-or-later
/* A bar and a word on one line of standard error, which signals of the job change. */
#include "progress.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "bus.h"

#define WIDTH 20

struct job_state {
	const char *kind, *name, *stage;
	uint32_t progress;
};

static int read_job(sd_bus_message *m, struct job_state *ret_job)
{
	static const struct bus_field fields[] = {
		{"Kind", "s", offsetof(struct job_state, kind), NULL},
		{"DomainName", "s", offsetof(struct job_state, name), NULL},
		{"Stage", "s", offsetof(struct job_state, stage), NULL},
		{"Progress", "u", offsetof(struct job_state, progress), NULL},
	};

	*ret_job = (struct job_state){"", "", "", 0};
	return bus_read_fields(m, fields, ARRAY_SIZE(fields), ret_job);
}

static void show(struct progress *progress, const struct job_state *job)
{
	int full = (int)(job->progress < 100 ? job->progress : 100) * WIDTH / 100;

	fprintf(stderr, "\r\033[K[%.*s%*s] %.32s", full, "####################", WIDTH - full, "",
		job->stage);
	progress->shown = true;
}

/* Of the interfaces of a new object, the one of jobs. */
static int on_added(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	struct progress *progress = userdata;
	const char *path, *interface;
	struct job_state job;

	if (progress->job || sd_bus_message_read(m, "o", &path) < 0 ||
	    sd_bus_message_enter_container(m, 'a', "{sa{sv}}") < 0)
		return 0;
	while (sd_bus_message_enter_container(m, 'e', "sa{sv}") > 0) {
		if (sd_bus_message_read(m, "s", &interface) < 0)
			return 0;
		if (strcmp(interface, BUS_JOB) != 0) {
			if (sd_bus_message_skip(m, "a{sv}") < 0)
				return 0;
		} else if (read_job(m, &job) >= 0 && !strcmp(job.kind, progress->kind) &&
			   !strcmp(job.name, progress->name)) {
			progress->job = strdup(path);
			show(progress, &job);
		}
		if (sd_bus_message_exit_container(m) < 0)
			return 0;
	}
	return 0;
}

static int on_changed(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	struct progress *progress = userdata;
	struct job_state job;

	if (progress->job && !strcmp(progress->job, sd_bus_message_get_path(m)) &&
	    sd_bus_message_skip(m, "s") >= 0 && read_job(m, &job) >= 0)
		show(progress, &job);
	return 0;
}

/* Without its signals there is just no line. */
void progress_begin(const struct options *options, sd_bus *bus, const char *kind, const char *name,
		    struct progress *ret_progress)
{
	*ret_progress = (struct progress){.kind = kind, .name = name};
	if (options->quiet || !isatty(STDERR_FILENO))
		return;
	(void)sd_bus_match_signal(bus, &ret_progress->added, BUS_NAME, BUS_ROOT,
				  "org.freedesktop.DBus.ObjectManager", "InterfacesAdded", on_added,
				  ret_progress);
	(void)sd_bus_match_signal(bus, &ret_progress->changed, BUS_NAME, NULL, BUS_PROPERTIES,
				  "PropertiesChanged", on_changed, ret_progress);
}

void progress_end(struct progress *progress)
{
	sd_bus_slot_unref(progress->added);
	sd_bus_slot_unref(progress->changed);
	free(progress->job);
	if (progress->shown)
		fputs("\r\033[K", stderr);
}
