// SPDX-License-Identifier: LGPL-2.1-or-later
/* hlctl jobs, hlctl cancel: what is under way. */
#include <stdio.h>
#include <string.h>

#include "bus.h"
#include "lookup.h"
#include "records.h"

struct job {
	const char *path, *kind, *subject, *state, *stage;
};

/* The number at the end of the path. */
static const char *number_of(const struct job *job)
{
	const char *slash = strrchr(job->path, '/');

	return slash ? slash + 1 : job->path;
}

static struct json_object *job_json(const struct job *job)
{
	struct json_object *object = json_new_object();

	json_put_id(object, "job", lookup_job(job->path));
	json_put_text(object, "kind", job->kind);
	json_put_text(object, "state", job->state);
	json_put_text_or_null(object, "stage", job->stage);
	json_put_id(object, "domid", lookup_domid(job->subject));
	json_put_text(object, "subject", job->subject);
	json_put_text(object, "path", job->path);
	return object;
}

static void add_row(struct table *table, const struct job *job)
{
	uint32_t domid = lookup_domid(job->subject);

	table_add(table, PLAIN, "%s", number_of(job));
	table_add(table, PLAIN, "%s", job->kind);
	table_add(table, PLAIN, "%s", job->state);
	table_add(table, PLAIN, "%s", *job->stage ? job->stage : "-");
	if (domid == UINT32_MAX)
		table_add(table, PLAIN, "-");
	else
		table_add(table, PLAIN, "%u", domid);
}

static int read_jobs(sd_bus_message *m, struct json_object *array, struct table *table)
{
	struct job job;
	int r = sd_bus_message_enter_container(m, 'a', NULL);

	while (r >= 0 && (r = bus_read_record(m, "ososs", &job.path, &job.kind, &job.subject,
					      &job.state, &job.stage)) > 0) {
		if (table)
			add_row(table, &job);
		else
			json_append(array, job_json(&job));
	}
	return r;
}

enum exit_code verb_jobs(const struct options *options, sd_bus *bus)
{
	static const char *const headings[] = {"JOB", "KIND", "STATE", "STAGE", "DOMID"};
	static const struct records jobs = {
		.method = "ListJobs",
		.key = "jobs",
		.headings = headings,
		.nr_columns = ARRAY_SIZE(headings),
		.read = read_jobs,
	};

	return records_print(options, bus, &jobs);
}

static bool is_number(const char *text)
{
	return *text >= '1' && *text <= '9' && !text[strspn(text, "0123456789")] &&
	       strlen(text) <= 10;
}

enum exit_code verb_cancel(const struct options *options, sd_bus *bus)
{
	_cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL, *state = NULL;
	_cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
	char path[sizeof(BUS_JOB_PREFIX "/") + 10];
	enum exit_code code;

	if (!is_number(options->domain))
		return report_error(EXIT_USAGE,
				    "cancel: '%s' is no number of a job; 'hlctl jobs' shows all",
				    options->domain);
	snprintf(path, sizeof(path), BUS_JOB_PREFIX "/%s", options->domain);
	if (bus_try_call(bus, path, BUS_PROPERTIES, "Get", &error, &state, "ss", BUS_JOB, "State") <
		    0 &&
	    sd_bus_error_has_name(&error, SD_BUS_ERROR_UNKNOWN_OBJECT))
		return report_error(EXIT_NOT_FOUND, "there is no job %s ('hlctl jobs' shows all)",
				    options->domain);
	code = bus_call_privileged(options, bus, path, BUS_JOB, "Cancel", &reply, "a{sv}", 0);
	if (!code && !options->json && !options->quiet)
		print_line("Job %s is cancelled.", options->domain);
	return code;
}
