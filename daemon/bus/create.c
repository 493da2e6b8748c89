// SPDX-License-Identifier: LGPL-2.1-or-later
/* Manager.CreateDomain: reads the call, looks whether name and UUID are free, and starts the job.
 */
#include "bus/create.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "bus/auth.h"
#include "bus/call.h"
#include "bus/connection.h"
#include "bus/domain.h"
#include "bus/error.h"
#include "bus/options.h"
#include "common/cleanup.h"
#include "common/guest-nodes.h"
#include "domains/manager.h"
#include "jobs/job.h"
#include "lifecycle/create.h"
#include "lifecycle/definition.h"
#include "lifecycle/rebuild.h"
#include "lifecycle/restart.h"

struct arguments {
	const void *blob;
	size_t size;
	const char *format;
	struct bus_create_request request; /* the message's */
};

static int read_arguments(sd_bus_message *call, struct arguments *ret, sd_bus_error *error)
{
	const struct bus_option options[] = {
		{.name = "Format", .text = &ret->format},
		{.name = "Kernel", .fd = &ret->request.modules.kernel},
		{.name = "Ramdisk", .fd = &ret->request.modules.ramdisk},
		{.name = "Start", .flag = &ret->request.start},
		{.name = "RequestId", .text = &ret->request.id},
	};
	int r;

	*ret = (struct arguments){.format = "dtb",
				  .request = {.modules = BUS_CREATE_NO_MODULES, .start = true}};
	r = sd_bus_message_read_array(call, 'y', &ret->blob, &ret->size);
	if (r >= 0)
		r = bus_options_read(call, options, ARRAY_SIZE(options), error);
	if (r >= 0)
		r = bus_create_check_id(ret->request.id, error);
	if (r < 0 || !strcmp(ret->format, "dtb") || !strcmp(ret->format, "json"))
		return r;
	return bus_error_set(error, BUS_ERROR_INVALID_ARGS, "Format must be \"dtb\" or \"json\"");
}

/* trusted: the caller may name what is on this host */
static int read_definition(const struct arguments *arguments, bool trusted,
			   struct definition *ret_definition, sd_bus_error *error)
{
	const struct definition_rules rules = {.trusted = trusted};
	struct definition_refusal refusal;
	int r = definition_read(strcmp(arguments->format, "json") == 0, arguments->blob,
				arguments->size, &rules, ret_definition, &refusal);

	if (r == 0)
		return 0;
	return bus_error_set(error, bus_call_error_of(refusal.error), "Cannot create a domain: %s",
			     refusal.why);
}

/* Descriptors come for just those modules that the definition has. */
static int check_module(const char *option, enum definition_module module, int fd,
			sd_bus_error *error)
{
	if (module == MODULE_REQUIRED && fd < 0)
		return bus_error_set(error, BUS_ERROR_INVALID_ARGS,
				     "The option %s is missing: a descriptor of a file", option);
	if (module == MODULE_NONE && fd >= 0)
		return bus_error_set(error, BUS_ERROR_INVALID_ARGS,
				     "There is a %s, and the definition has none", option);
	return 0;
}

static int check_modules(const struct bus_create_modules *modules,
			 const struct definition *definition, sd_bus_error *error)
{
	int r = check_module("Kernel", definition->kernel, modules->kernel, error);

	return r < 0 ? r : check_module("Ramdisk", definition->ramdisk, modules->ramdisk, error);
}

/* Of another job that makes a domain, which may not be in the table meanwhile. */
static const struct job *find_job(struct jobs *jobs, const struct definition *definition)
{
	for (const struct job *job = jobs_first(jobs); job; job = job->next)
		if ((strcmp(job->type->kind, CREATE_JOB) == 0 ||
		     strcmp(job->type->kind, RESTART_JOB) == 0 ||
		     strcmp(job->type->kind, REBUILD_JOB) == 0) &&
		    (strcmp(job->subject.name, definition->name) == 0 ||
		     strcmp(job->subject.uuid, definition->uuid_text) == 0))
			return job;
	return NULL;
}

static int check_free(const struct bus *bus, const struct definition *definition,
		      sd_bus_error *error)
{
	const struct hl_table *table = manager_table(bus_manager_of(bus));
	const struct job *job = find_job(bus_jobs_of(bus), definition);
	const struct hl_domain *other;

	if (job)
		return bus_error_set(error, BUS_ERROR_BUSY,
				     "Job %" PRIu32 " is to %s, with UUID %s", job->id, job->doing,
				     job->subject.uuid);
	if (hl_table_find_name(table, definition->name, &other) != -ENOENT)
		return bus_error_set(error, BUS_ERROR_ALREADY_EXISTS,
				     "There is a domain with the name \"%.128s\"",
				     definition->name);
	for (uint32_t i = 0; i < hl_table_nr_domains(table); i++) {
		other = hl_table_get(table, i);
		if (memcmp(other->uuid, definition->uuid, 16) == 0 ||
		    (other->live && memcmp(other->handle, definition->uuid, 16) == 0))
			return bus_error_set(error, BUS_ERROR_ALREADY_EXISTS,
					     "Domain \"%.128s\" has the UUID %s", other->name,
					     definition->uuid_text);
	}
	return 0;
}

static int duplicate(int fd, int *ret_fd)
{
	*ret_fd = fd < 0 ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, 3);
	return fd >= 0 && *ret_fd < 0 ? -errno : 0;
}

static int fill(struct create *create, const struct bus_create_request *request, uint32_t uid,
		const struct definition *definition)
{
	int r = duplicate(request->modules.kernel, &create->kernel);

	if (r == 0)
		r = duplicate(request->modules.ramdisk, &create->ramdisk);
	create->config = strdup(definition->config);
	create->sandbox = definition->sandbox;
	create->policy = definition->policy;
	if (request->id)
		memcpy(create->policy.request, request->id, strlen(request->id) + 1);
	create->policy.request_uid = uid;
	create->start = request->start && !definition->hold;
	return r == 0 && !create->config ? -ENOMEM : r;
}

/* "/": it has ended meanwhile. */
static void find_path(const struct bus *bus, uint32_t domid, const char *uuid,
		      char path[static BUS_DOMAIN_PATH_SIZE])
{
	const struct hl_table *table = manager_table(bus_manager_of(bus));
	const struct hl_domain *domain;

	snprintf(path, BUS_DOMAIN_PATH_SIZE, "/");
	if (hl_table_find_domid(table, domid, &domain) == 0 &&
	    strcmp(domain->handle_text, uuid) == 0)
		bus_domain_path(domain, path);
}

static int reply(struct bus *bus, sd_bus_message *call, const struct job *job)
{
	const struct create *create = job->data;
	char path[BUS_DOMAIN_PATH_SIZE];

	find_path(bus, create->domid, job->subject.uuid, path);
	return sd_bus_reply_method_return(call, "o", path);
}

static int start_job(struct bus *bus, const struct bus_allowed *allowed,
		     const struct bus_create_request *request, const struct definition *definition,
		     sd_bus_error *error)
{
	char key[sizeof(CREATE_KEY) + XS_GUEST_NAME_MAX];
	const struct bus_verb verb = {
		.kind = CREATE_JOB, .verb = "create", .key = key, .reply = reply};
	struct create *create = create_new();
	int r = create ? fill(create, request, allowed->uid, definition) : -ENOMEM;

	if (r < 0) {
		create_free(create);
		return r;
	}
	snprintf(key, sizeof(key), CREATE_KEY "%s", definition->name);
	return bus_call_start_new(bus, allowed, &verb, definition->name, definition->uuid_text,
				  create, error);
}

int bus_create_check_id(const char *id, sd_bus_error *error)
{
	size_t length = id ? strlen(id) : 1;

	if (length == 0 || length > POLICY_REQUEST_MAX)
		return bus_error_set(error, BUS_ERROR_INVALID_ARGS,
				     "RequestId must have 1 to %d characters", POLICY_REQUEST_MAX);
	for (size_t i = 0; id && i < length; i++)
		if (id[i] < ' ' || id[i] > '~')
			return bus_error_set(error, BUS_ERROR_INVALID_ARGS,
					     "RequestId must have printable characters of ASCII "
					     "only");
	return 0;
}

static struct job *find_request(struct jobs *jobs, const char *id, uint32_t uid)
{
	for (struct job *job = jobs_first(jobs); job; job = job->next) {
		const struct create *create = job->data;

		if (strcmp(job->type->kind, CREATE_JOB) == 0 && create->policy.request_uid == uid &&
		    strcmp(create->policy.request, id) == 0)
			return job;
	}
	return NULL;
}

static int check_same(const char *id, const char *name, const struct definition *definition,
		      sd_bus_error *error)
{
	if (strcmp(name, definition->name) == 0)
		return 0;
	return bus_error_set(error, BUS_ERROR_INVALID_ARGS,
			     "The request \"%s\" was for the domain \"%.128s\"", id, name);
}

/* With the domain that an earlier call has had made; 0: there is none, or it has gone. */
static int answer_made(const struct bus *bus, const struct bus_allowed *allowed, const char *id,
		       const struct definition *definition, sd_bus_error *error)
{
	const struct policies *policies = bus_vms_of(bus)->policies;
	const struct policy *policy =
		policies ? policies_find_request(policies, id, allowed->uid) : NULL;
	const struct hl_table *table = manager_table(bus_manager_of(bus));
	char path[BUS_DOMAIN_PATH_SIZE];
	int r;

	for (uint32_t i = 0; policy && i < hl_table_nr_domains(table); i++) {
		const struct hl_domain *domain = hl_table_get(table, i);

		if (!domain->live || domain->state == HL_DOMAIN_DYING ||
		    strcmp(domain->handle_text, policy->uuid) != 0)
			continue;
		r = check_same(id, domain->name, definition, error);
		if (r < 0)
			return r;
		bus_domain_path(domain, path);
		r = sd_bus_reply_method_return(allowed->call, "o", path);
		return r < 0 ? r : 1;
	}
	return 0;
}

/* A call that is made again, as its answer was lost.  0: it is new. */
static int answer_again(struct bus *bus, const struct bus_allowed *allowed, const char *id,
			const struct definition *definition, sd_bus_error *error)
{
	static const struct bus_verb verb = {.reply = reply};
	struct job *job = find_request(bus_jobs_of(bus), id, allowed->uid);
	int r;

	if (!job)
		return answer_made(bus, allowed, id, definition, error);
	r = check_same(id, job->subject.name, definition, error);
	return r < 0 ? r : bus_call_join(bus, allowed, &verb, job);
}

int bus_create_start(struct bus *bus, const struct bus_allowed *allowed,
		     const struct bus_create_request *request, const struct definition *definition,
		     sd_bus_error *error)
{
	int r = check_modules(&request->modules, definition, error);

	if (r < 0)
		return r;
	manager_refresh_if_stale(bus_manager_of(bus));
	r = request->id ? answer_again(bus, allowed, request->id, definition, error) : 0;
	if (r != 0)
		return r;
	r = check_free(bus, definition, error);
	return r < 0 ? r : start_job(bus, allowed, request, definition, error);
}

static int run(const struct bus_allowed *allowed, void *userdata, sd_bus_error *error)
{
	struct definition definition = {.config = NULL};
	struct arguments arguments;
	/* They were right when the call came; it was kept since. */
	int r = sd_bus_message_rewind(allowed->call, true);

	if (r >= 0)
		r = read_arguments(allowed->call, &arguments, error);
	if (r >= 0)
		r = read_definition(&arguments, bus_allowed_is_trusted(allowed), &definition,
				    error);
	if (r >= 0)
		r = bus_create_start(userdata, allowed, &arguments.request, &definition, error);
	definition_clear(&definition);
	return r;
}

int bus_create_domain(sd_bus_message *call, void *userdata, sd_bus_error *error)
{
	const struct bus_auth_question question = {
		.action = BUS_ACTION_CREATE_DOMAIN,
		.run = run,
		.userdata = userdata,
	};
	struct definition definition = {.config = NULL};
	struct arguments arguments;
	int r = read_arguments(call, &arguments, error);

	if (r >= 0)
		r = read_definition(&arguments, true, &definition, error);
	if (r >= 0)
		r = check_modules(&arguments.request.modules, &definition, error);
	definition_clear(&definition);
	return r < 0 ? r : bus_auth_call(bus_auth_of(userdata), call, &question, error);
}
