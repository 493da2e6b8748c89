// SPDX-License-Identifier: LGPL-2.1-or-later
/* A job's object, its signals, and Cancel. */
#include "bus/job.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bus/auth.h"
#include "bus/call.h"
#include "bus/connection.h"
#include "bus/domain.h"
#include "bus/error.h"
#include "bus/options.h"
#include "bus/property.h"
#include "common/cleanup.h"
#include "console/handoff.h"
#include "console/owner.h"
#include "domains/manager.h"
#include "jobs/job.h"
#include "lifecycle/create.h"
#include "lifecycle/destroy.h"
#include "lifecycle/device.h"
#include "lifecycle/pause.h"
#include "lifecycle/rebuild.h"
#include "lifecycle/release.h"
#include "lifecycle/rename.h"
#include "lifecycle/resize.h"
#include "lifecycle/restart.h"
#include "lifecycle/shutdown.h"

#define PREFIX	  BUS_JOB_PREFIX
#define PATH_SIZE (sizeof(PREFIX "/") + 10)

/* Percent: of the steps those that are done, and what is done of this one. */
static uint32_t progress(const struct job *job)
{
	return (uint32_t)((job->step * 100 + job->percent) / job->type->nr_steps);
}

static const char *stage(const struct job *job)
{
	if (job->state == JOB_WAITING)
		return "";
	return job->stage[0] ? job->stage : job->type->steps[job->step].name;
}

static void job_path(const struct job *job, char path[PATH_SIZE])
{
	snprintf(path, PATH_SIZE, PREFIX "/%" PRIu32, job->id);
}

/* What a job makes is not there yet. */
static void subject_path(const struct job *job, char path[BUS_DOMAIN_PATH_SIZE])
{
	if (job->subject.domid == HL_NO_DOMID)
		snprintf(path, BUS_DOMAIN_PATH_SIZE, "/");
	else
		bus_domain_path_of(job->subject.domid, job->subject.generation, path);
}

static struct job *find_job(const struct bus *bus, const char *path)
{
	char canonical[PATH_SIZE];
	struct job *job;
	unsigned long id;

	if (strncmp(path, PREFIX "/", strlen(PREFIX "/")) != 0)
		return NULL;
	id = strtoul(path + strlen(PREFIX "/"), NULL, 10);
	job = id <= UINT32_MAX ? jobs_find(bus_jobs_of(bus), (uint32_t)id) : NULL;
	if (!job)
		return NULL;
	job_path(job, canonical);
	return strcmp(path, canonical) == 0 ? job : NULL;
}

static int append_row(sd_bus_message *reply, const struct job *job)
{
	char path[PATH_SIZE], subject[BUS_DOMAIN_PATH_SIZE];

	job_path(job, path);
	subject_path(job, subject);
	return sd_bus_message_append(reply, "(osossa{sv})", path, job->type->kind, subject,
				     job_state_name(job->state), stage(job), 0);
}

int bus_job_list(sd_bus_message *call, void *userdata, sd_bus_error *error)
{
	_cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
	int r = sd_bus_message_new_method_return(call, &reply);

	if (r >= 0)
		r = sd_bus_message_open_container(reply, 'a', "(osossa{sv})");
	for (const struct job *job = jobs_first(bus_jobs_of(userdata)); r >= 0 && job;
	     job = job->next)
		r = append_row(reply, job);
	if (r >= 0)
		r = sd_bus_message_close_container(reply);
	return r < 0 ? r : sd_bus_send(NULL, reply, NULL);
}

#define JOB_GETTER(name, signature, value) \
	BUS_VALUE_GETTER(get_##name, signature, const struct job *job = userdata, value)

JOB_GETTER(kind, "s", job->type->kind)
JOB_GETTER(name, "s", job->subject.name)
JOB_GETTER(state, "s", job_state_name(job->state))
JOB_GETTER(stage, "s", stage(job))
JOB_GETTER(progress, "u", progress(job))

BUS_GETTER(get_subject)
{
	char subject[BUS_DOMAIN_PATH_SIZE];

	subject_path(userdata, subject);
	return sd_bus_message_append(reply, "o", subject);
}

static int find(sd_bus *connection, const char *path, const char *interface, void *userdata,
		void **ret_found, sd_bus_error *error)
{
	struct job *job = find_job(userdata, path);

	*ret_found = job;
	return job ? 1 : 0;
}

static int run_cancel(const struct bus_allowed *allowed, void *userdata, sd_bus_error *error)
{
	struct job *job = find_job(userdata, sd_bus_message_get_path(allowed->call));

	if (!job)
		return bus_error_set(error, BUS_ERROR_NO_SUCH_JOB, "The job has ended meanwhile");
	if (job_cancel(job) < 0)
		return bus_error_set(
			error, BUS_ERROR_WRONG_STATE,
			"Cannot cancel \"%s\": it is under way (%s) and cannot be taken back",
			job->doing, stage(job));
	return sd_bus_reply_method_return(allowed->call, "");
}

/* Who may do a thing may cancel it. */
static const char *action_of(const struct job *job)
{
	static const struct {
		const char *kind, *action;
	} actions[] = {
		{CONSOLE_OWNER_JOB, BUS_ACTION_SET_CONSOLE_OWNER},
		{RELEASE_JOB, BUS_ACTION_RELEASE},
		{CREATE_JOB, BUS_ACTION_CREATE_DOMAIN},
		{DESTROY_JOB, BUS_ACTION_DESTROY_DOMAIN},
		{RESTART_JOB, BUS_ACTION_CREATE_DOMAIN},
		{REBUILD_JOB, BUS_ACTION_REBUILD},
		{CONSOLE_HANDOFF_JOB, BUS_ACTION_HAND_OFF_CONSOLE},
		{PAUSE_JOB, BUS_ACTION_PAUSE},
		{UNPAUSE_JOB, BUS_ACTION_PAUSE},
		{SHUTDOWN_JOB, BUS_ACTION_SHUTDOWN},
		{REBOOT_JOB, BUS_ACTION_REBOOT},
		{RENAME_JOB, BUS_ACTION_RENAME},
		{SET_MEMORY_JOB, BUS_ACTION_RESIZE},
		{SET_VCPUS_JOB, BUS_ACTION_RESIZE},
		{ATTACH_DEVICE_JOB, BUS_ACTION_CHANGE_DEVICES},
		{DETACH_DEVICE_JOB, BUS_ACTION_CHANGE_DEVICES},
	};

	for (size_t i = 0; i < ARRAY_SIZE(actions); i++)
		if (strcmp(actions[i].kind, job->type->kind) == 0)
			return actions[i].action;
	return BUS_ACTION_INSPECT_SENSITIVE;
}

static int cancel(sd_bus_message *call, void *userdata, sd_bus_error *error)
{
	const struct job *job = find_job(userdata, sd_bus_message_get_path(call));
	struct bus_auth_question question = {.run = run_cancel, .userdata = userdata};
	int r = bus_options_read(call, NULL, 0, error);

	if (r < 0)
		return r;
	if (!job)
		return bus_error_set(error, BUS_ERROR_NO_SUCH_JOB, "The job has ended");
	question.action = action_of(job);
	if (hl_table_find(manager_table(bus_manager_of(userdata)), job->subject.domid,
			  job->subject.generation, &question.domain) < 0)
		question.domain = NULL;
	return bus_auth_call(bus_auth_of(userdata), call, &question, error);
}

/* A call may outlast the job, so handlers are given the bus. */
static int find_bus(sd_bus *connection, const char *path, const char *interface, void *userdata,
		    void **ret_found, sd_bus_error *error)
{
	*ret_found = userdata;
	return find_job(userdata, path) ? 1 : 0;
}

static int enumerate(sd_bus *connection, const char *prefix, void *userdata, char ***ret_nodes,
		     sd_bus_error *error)
{
	const struct bus *bus = userdata;
	size_t nr = 0;
	char **nodes;

	for (const struct job *job = jobs_first(bus_jobs_of(bus)); job; job = job->next)
		nr++;
	nodes = calloc(nr + 1, sizeof(*nodes));
	if (!nodes)
		return -ENOMEM;
	nr = 0;
	for (const struct job *job = jobs_first(bus_jobs_of(bus)); job; job = job->next) {
		char path[PATH_SIZE];

		job_path(job, path);
		nodes[nr] = strdup(path);
		/* The list is complete but for what memory was short for. */
		nr += nodes[nr] != NULL;
	}
	*ret_nodes = nodes;
	return 0;
}

static const sd_bus_vtable properties[] = {
	SD_BUS_VTABLE_START(0),
	BUS_CONST_PROPERTY("Kind", "s", get_kind),
	BUS_CONST_PROPERTY("DomainName", "s", get_name),
	BUS_CONST_PROPERTY("Subject", "o", get_subject),
	BUS_PROPERTY("State", "s", get_state),
	BUS_PROPERTY("Stage", "s", get_stage),
	BUS_PROPERTY("Progress", "u", get_progress),
	SD_BUS_VTABLE_END,
};

static const sd_bus_vtable methods[] = {
	SD_BUS_VTABLE_START(0),
	SD_BUS_METHOD_WITH_ARGS("Cancel", SD_BUS_ARGS("a{sv}", options), SD_BUS_NO_RESULT, cancel,
				SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_VTABLE_END,
};

int bus_job_register(struct bus *bus, sd_bus *connection)
{
	int r = sd_bus_add_fallback_vtable(connection, NULL, PREFIX, BUS_JOB, properties, find,
					   bus);

	if (r >= 0)
		r = sd_bus_add_fallback_vtable(connection, NULL, PREFIX, BUS_JOB, methods, find_bus,
					       bus);
	return r < 0 ? r : sd_bus_add_node_enumerator(connection, NULL, PREFIX, enumerate, bus);
}

static void on_added(void *userdata, const struct job *job)
{
	sd_bus *connection = bus_connection_of(userdata);
	char path[PATH_SIZE], subject[BUS_DOMAIN_PATH_SIZE];

	job_path(job, path);
	subject_path(job, subject);
	bus_sent(sd_bus_emit_object_added(connection, path), "InterfacesAdded");
	bus_sent(sd_bus_emit_signal(connection, BUS_ROOT, BUS_MANAGER, "JobNew", "oso", path,
				    job->type->kind, subject),
		 "JobNew");
}

static void on_changed(void *userdata, const struct job *job)
{
	char path[PATH_SIZE];

	job_path(job, path);
	bus_sent(sd_bus_emit_properties_changed(bus_connection_of(userdata), path, BUS_JOB, "State",
						"Stage", "Progress", NULL),
		 "PropertiesChanged");
}

static void on_removing(void *userdata, const struct job *job)
{
	_cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
	sd_bus *connection = bus_connection_of(userdata);
	char path[PATH_SIZE], subject[BUS_DOMAIN_PATH_SIZE];

	job_path(job, path);
	subject_path(job, subject);
	if (job->state != JOB_DONE)
		(void)bus_call_set_error(&error, job);
	bus_sent(sd_bus_emit_signal(connection, BUS_ROOT, BUS_MANAGER, "JobRemoved", "ososss", path,
				    job->type->kind, subject, job_state_name(job->state),
				    error.name ? error.name : "",
				    error.message ? error.message : ""),
		 "JobRemoved");
	bus_sent(sd_bus_emit_object_removed(connection, path), "InterfacesRemoved");
}

void bus_job_observe(struct bus *bus)
{
	const struct jobs_observer observer = {
		.added = on_added,
		.changed = on_changed,
		.removing = on_removing,
		.userdata = bus,
	};

	jobs_observe(bus_jobs_of(bus), &observer);
}

void bus_job_unobserve(struct bus *bus)
{
	jobs_observe(bus_jobs_of(bus), &(struct jobs_observer){.added = NULL});
}
