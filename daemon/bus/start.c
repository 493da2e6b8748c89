// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Reads a definition, has source compiled meanwhile in a thread, opens its modules, and starts the
 * job that CreateDomain starts.
 */
#include "bus/start.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "bus/auth.h"
#include "bus/call.h"
#include "bus/connection.h"
#include "bus/create.h"
#include "bus/definition.h"
#include "bus/error.h"
#include "bus/options.h"
#include "common/cleanup.h"
#include "common/uuid.h"
#include "lifecycle/definition-compile.h"
#include "lifecycle/definition-dir.h"
#include "lifecycle/definition.h"
#include "lifecycle/vm.h"
#include "loop/log.h"
#include "loop/worker.h"

#define MAX_STARTS 64

/* A call, once it is allowed. */
struct start {
	struct bus_starts *starts;
	struct bus_allowed allowed; /* the message is ours */
	struct definition_file file;
	struct bus_create_request request; /* without the modules */
	struct start *next;
};

struct bus_starts {
	struct loop *loop;
	struct bus *bus;
	struct worker *worker; /* NULL: nothing has been compiled yet */
	struct start *first;
	size_t nr;
};

/* What the thread has: nothing of it is shared. */
struct compile {
	struct work work;
	struct start *start; /* for done() only */
	char *path;
	void *blob;
	size_t size;
	struct definition_refusal refusal;
	int result;
};

static void start_clear(struct start *start)
{
	definition_file_clear(&start->file);
	sd_bus_message_unref(start->allowed.call);
	free(start);
}

static void start_free(struct start *start)
{
	struct start **p = &start->starts->first;

	while (*p != start)
		p = &(*p)->next;
	*p = start->next;
	start->starts->nr--;
	start_clear(start);
}

static struct start *start_new(struct bus_starts *starts, const struct bus_allowed *allowed)
{
	struct start *start = calloc(1, sizeof(*start));

	if (!start)
		return NULL;
	start->starts = starts;
	start->allowed = *allowed;
	start->allowed.call = sd_bus_message_ref(allowed->call);
	start->next = starts->first;
	starts->first = start;
	starts->nr++;
	return start;
}

/* -1: there is none; the vmd of libxl's JSON opens what that names itself. */
static int open_module(const char *what, enum definition_module module, const char *set,
		       const char *named, int *ret_fd, sd_bus_error *error)
{
	const char *path = set ? set : named;
	struct stat st;

	*ret_fd = -1;
	if (module == MODULE_NONE || !path)
		return 0;
	if (path[0] != '/')
		return bus_error_set(error, BUS_ERROR_INVALID_ARGS,
				     "The definition names its %s \"%.256s\", which is no absolute "
				     "path",
				     what, path);
	*ret_fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (*ret_fd < 0 || fstat(*ret_fd, &st) < 0)
		return bus_error_set(error, BUS_ERROR_FAILED, "The %s %.256s: %s", what, path,
				     strerror(errno));
	return S_ISREG(st.st_mode) ? 0
				   : bus_error_set(error, BUS_ERROR_INVALID_ARGS,
						   "The %s %.256s is no regular file", what, path);
}

static int open_modules(const struct definition_file *file, const struct definition *definition,
			struct bus_create_modules *modules, sd_bus_error *error)
{
	int r = open_module("kernel", definition->kernel, file->settings.kernel,
			    definition->kernel_file, &modules->kernel, error);

	return r < 0 ? r
		     : open_module("ramdisk", definition->ramdisk, file->settings.ramdisk,
				   definition->ramdisk_file, &modules->ramdisk, error);
}

static int open_and_start(struct start *start, const struct definition *definition,
			  sd_bus_error *error)
{
	struct bus_create_request request = start->request;
	struct bus_create_modules *modules = &request.modules;
	int r = open_modules(&start->file, definition, modules, error);

	if (r >= 0)
		r = bus_create_start(start->starts->bus, &start->allowed, &request, definition,
				     error);
	closep(&modules->kernel);
	closep(&modules->ramdisk);
	return r;
}

/* One that came into the directory without Define gets its UUID at its first start. */
static int keep_uuid(const struct bus *bus, struct definition_file *file,
		     const struct definition *definition)
{
	if (!uuid_is_nil(file->settings.uuid))
		return 0;
	memcpy(file->settings.uuid, definition->uuid, sizeof(file->settings.uuid));
	return definition_dir_write_settings(bus_vms_of(bus)->definitions, file->name,
					     &file->settings);
}

static int read_definition(const struct start *start, const void *data, size_t size,
			   struct definition *ret_definition, sd_bus_error *error)
{
	const struct definition_file *file = &start->file;
	const struct definition_rules rules = {
		.trusted = true,
		.uuid = uuid_is_nil(file->settings.uuid) ? NULL : file->settings.uuid,
	};
	struct definition_refusal refusal;
	int r = definition_read(file->json, data, size, &rules, ret_definition, &refusal);

	if (r < 0)
		return bus_error_set(error, bus_call_error_of(refusal.error),
				     "Cannot start \"%.128s\": %s", file->name, refusal.why);
	if (strcmp(ret_definition->name, file->name) != 0)
		return bus_error_set(error, BUS_ERROR_INVALID_ARGS,
				     "The file of \"%.128s\" defines a domain with the name "
				     "\"%.128s\"",
				     file->name, ret_definition->name);
	return 0;
}

static int start_domain(struct start *start, const void *data, size_t size, sd_bus_error *error)
{
	_cleanup_(definition_clear) struct definition definition = {.config = NULL};
	int r = read_definition(start, data, size, &definition, error);

	if (r < 0)
		return r;
	r = keep_uuid(start->starts->bus, &start->file, &definition);
	if (r < 0)
		return bus_error_set(error, BUS_ERROR_FAILED,
				     "The UUID of \"%.128s\" cannot be kept: %s", start->file.name,
				     strerror(-r));
	return open_and_start(start, &definition, error);
}

static void run_compile(struct work *work)
{
	struct compile *compile = (struct compile *)work;

	compile->result = definition_compile(compile->path, &compile->blob, &compile->size,
					     &compile->refusal);
}

static int finish(const struct compile *compile, sd_bus_error *error)
{
	if (compile->result < 0)
		return bus_error_set(error, bus_call_error_of(compile->refusal.error),
				     "Cannot start \"%.128s\": %s", compile->start->file.name,
				     compile->refusal.why);
	return start_domain(compile->start, compile->blob, compile->size, error);
}

static void on_compiled(struct work *work)
{
	_cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
	struct compile *compile = (struct compile *)work;
	int r = finish(compile, &error);

	if (r < 0)
		r = sd_bus_reply_method_errno(compile->start->allowed.call, r, &error);
	if (r < 0)
		log_debug("cannot answer: %s", strerror(-r));
	start_free(compile->start);
}

static void free_compile(struct work *work)
{
	struct compile *compile = (struct compile *)work;

	free(compile->path);
	free(compile->blob);
	free(compile);
}

static void nothing(void *data)
{
}

static int submit(struct start *start)
{
	struct bus_starts *starts = start->starts;
	const char *dir = bus_vms_of(starts->bus)->definitions;
	int r = starts->worker ? 0 : worker_new(starts->loop, nothing, NULL, &starts->worker);
	struct compile *compile = r < 0 ? NULL : calloc(1, sizeof(*compile));

	if (compile)
		compile->path = definition_dir_source_path(dir, start->file.name);
	if (!compile || !compile->path) {
		free(compile);
		return r < 0 ? r : -ENOMEM;
	}
	compile->work =
		(struct work){.run = run_compile, .done = on_compiled, .free = free_compile};
	compile->start = start;
	worker_submit(starts->worker, &compile->work);
	return 1;
}

static int read_arguments(sd_bus_message *call, const char **ret_name,
			  struct bus_create_request *ret_request, sd_bus_error *error)
{
	const struct bus_option options[] = {
		{.name = "Start", .flag = &ret_request->start},
		{.name = "RequestId", .text = &ret_request->id},
	};
	int r = bus_definition_read_name(call, ret_name, error);

	*ret_request = (struct bus_create_request){.modules = BUS_CREATE_NO_MODULES, .start = true};
	if (r >= 0)
		r = bus_options_read(call, options, ARRAY_SIZE(options), error);
	return r < 0 ? r : bus_create_check_id(ret_request->id, error);
}

/* They were right when the call came; it was kept since. */
static int read_again(struct start *start, sd_bus_error *error)
{
	sd_bus_message *call = start->allowed.call;
	const char *name;
	int r = sd_bus_message_rewind(call, true);

	if (r >= 0)
		r = read_arguments(call, &name, &start->request, error);
	return r < 0 ? r : bus_definition_read(start->starts->bus, name, &start->file, error);
}

static int run(const struct bus_allowed *allowed, void *userdata, sd_bus_error *error)
{
	struct bus_starts *starts = bus_starts_of(userdata);
	struct start *start;
	int r;

	if (starts->nr == MAX_STARTS)
		return bus_error_set(error, BUS_ERROR_LIMITS_EXCEEDED,
				     "Too many definitions are being compiled");
	start = start_new(starts, allowed);
	if (!start)
		return -ENOMEM;
	r = read_again(start, error);
	if (r >= 0 && !start->file.json) {
		r = submit(start);
		if (r >= 0)
			return r;
	} else if (r >= 0) {
		r = start_domain(start, start->file.text, strlen(start->file.text), error);
	}
	start_free(start);
	return r;
}

int bus_start_domain(sd_bus_message *call, void *userdata, sd_bus_error *error)
{
	const struct bus_auth_question question = {
		.action = BUS_ACTION_START, .run = run, .userdata = userdata};
	const char *name;
	struct bus_create_request ignored;
	int r = read_arguments(call, &name, &ignored, error);

	return r < 0 ? r : bus_auth_call(bus_auth_of(userdata), call, &question, error);
}

int bus_starts_new(struct loop *loop, struct bus *bus, struct bus_starts **ret_starts)
{
	struct bus_starts *starts = calloc(1, sizeof(*starts));

	if (!starts)
		return -ENOMEM;
	starts->loop = loop;
	starts->bus = bus;
	*ret_starts = starts;
	return 0;
}

struct bus_starts *bus_starts_free(struct bus_starts *starts)
{
	struct start *next;

	if (!starts)
		return NULL;
	worker_free(starts->worker);
	for (struct start *start = starts->first; start; start = next) {
		next = start->next;
		start_clear(start);
	}
	free(starts);
	return NULL;
}
