// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The steps of the job: its modules are found before anything is ended; vmd ends what is left of
 * the domain, and makes it again; Xen takes that for the initial domain; and it runs.
 */
#include "lifecycle/rebuild.h"

#include <errno.h>
#include <inttypes.h>
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/clock.h"
#include "common/json-write.h"
#include "common/packet.h"
#include "common/uuid.h"
#include "domains/manager.h"
#include "jobs/job.h"
#include "lifecycle/definition.h"
#include "lifecycle/module-search.h"
#include "lifecycle/rebuild-check.h"
#include "lifecycle/vm-create.h"
#include "lifecycle/vm.h"
#include "loop/log.h"

/* A slow disk, and files that may be a module and are none. */
#define SEARCH_MAX (10 * 60 * USEC_PER_SEC)
/* As of the jobs that only destroy or create. */
#define DESTROY_MAX (15 * 60 * USEC_PER_SEC)
#define CREATE_MAX  (30 * 60 * USEC_PER_SEC)

/* What an order of the step "create" is about. */
enum creation {
	CREATION_FIND,	/* once more, what went with an earlier daemon */
	CREATION_CLEAR, /* what that had begun */
	CREATION_MAKE,
};

struct rebuild {
	struct vm_order order;
	struct module_search *search;
	bool searched;
	int search_result;
	struct module_file modules[MODULE_SEARCH_MAX]; /* with their copies */
	size_t nr_modules;			       /* 0: not found yet */
	enum creation creation;
	bool force;
	uint32_t index; /* of its record */
	uint32_t domid; /* the new one's; HL_NO_DOMID: not made yet */
};

struct rebuild *rebuild_new(bool force)
{
	struct rebuild *rebuild = calloc(1, sizeof(*rebuild));

	if (!rebuild)
		return NULL;
	rebuild->force = force;
	rebuild->index = HL_NO_INDEX;
	rebuild->domid = HL_NO_DOMID;
	return rebuild;
}

uint32_t rebuild_domid(const struct rebuild *rebuild)
{
	return rebuild->domid;
}

static void drop_modules(struct rebuild *rebuild)
{
	for (size_t i = 0; i < rebuild->nr_modules; i++)
		closep(&rebuild->modules[i].fd);
	rebuild->nr_modules = 0;
}

static void clear(struct job *job)
{
	struct rebuild *rebuild = job->data;

	rebuild->search = module_search_cancel(rebuild->search);
	vm_order_clear(&rebuild->order);
	drop_modules(rebuild);
}

/* Its row, also where it is gone; NULL where that is not there either. */
static const struct hl_domain *find(const struct job *job, const struct vms *vms)
{
	const struct hl_domain *domain;

	return hl_table_find(manager_table(vms->manager), job->subject.domid,
			     job->subject.generation, &domain) < 0
		       ? NULL
		       : domain;
}

static int fail_replaced(struct job *job)
{
	return job_fail(job, JOB_ERROR_NO_SUCH_DOMAIN, "another domain has taken its place");
}

/* The same as it has; one that is gone, and has none in the LCM, gets a new one. */
static int choose_uuid(struct job *job, const struct hl_domain *domain)
{
	bool has_handle = domain->live && !uuid_is_nil(domain->handle);
	uint8_t uuid[16];
	int r = 0;

	memcpy(uuid, has_handle ? domain->handle : domain->uuid, sizeof(uuid));
	if (uuid_is_nil(uuid))
		r = uuid_make_random(uuid);
	if (r < 0)
		return job_fail(job, JOB_ERROR_FAILED, "no UUID can be made: %s", strerror(-r));
	hl_uuid_to_text(uuid, job->subject.uuid);
	return 0;
}

/* Orders name it by its UUID, so Xen has to have that too. */
static int give_handle(struct job *job, const struct vms *vms, const struct hl_domain *domain)
{
	uint8_t uuid[16];
	int r = 0;

	if (domain->live && uuid_is_nil(domain->handle)) {
		r = hl_uuid_from_text(job->subject.uuid, uuid);
		if (r == 0)
			r = hl_set_handle(manager_hl(vms->manager), domain->domid, uuid);
	}
	return r < 0 ? job_fail_hypervisor(job, r) : 0;
}

/* Whether libxl can be told what it was; nothing has been done by then. */
static int check_definition(struct job *job, const struct vms *vms, const struct hl_domain *domain)
{
	struct module_file modules[MODULE_SEARCH_MAX];
	struct definition definition = {.config = NULL};
	size_t nr;
	int r = rebuild_define(job, vms->manager, domain, &definition);

	definition_clear(&definition);
	return r < 0 ? r : rebuild_list_modules(job, domain, modules, &nr);
}

static int check(struct job *job, bool again)
{
	struct vms *vms = job->context;
	struct rebuild *rebuild = job->data;
	const struct hl_domain *domain;
	int r;

	manager_refresh(vms->manager);
	domain = find(job, vms);
	r = domain ? choose_uuid(job, domain) : fail_replaced(job);
	if (r == 0)
		r = rebuild_check(job, vms->manager, domain, rebuild->force);
	if (r == 0)
		r = check_definition(job, vms, domain);
	if (r < 0 || !domain)
		return r;
	rebuild->index = domain->index;
	return give_handle(job, vms, domain);
}

/* The job may be freed by the step that this wakes. */
static void on_searched(void *userdata, int result, struct module_file *modules)
{
	struct job *job = userdata;
	struct rebuild *rebuild = job->data;

	rebuild->search = NULL;
	rebuild->searched = true;
	rebuild->search_result = result;
	for (size_t i = 0; i < rebuild->nr_modules; i++) {
		rebuild->modules[i] = modules[i];
		modules[i].fd = -1;
	}
	job_wake(job);
}

static int start_search(struct job *job, const struct vms *vms)
{
	struct rebuild *rebuild = job->data;
	const struct hl_domain *domain = find(job, vms);
	int r;

	rebuild->searched = false;
	r = domain ? rebuild_list_modules(job, domain, rebuild->modules, &rebuild->nr_modules)
		   : fail_replaced(job);
	if (r < 0) {
		rebuild->nr_modules = 0;
		return r;
	}
	r = module_search_new(vms->modules, rebuild->modules, rebuild->nr_modules, on_searched, job,
			      &rebuild->search);
	return r < 0 ? job_fail(job, JOB_ERROR_FAILED, "its modules cannot be looked for: %s",
				strerror(-r))
		     : -EINPROGRESS;
}

static int take_found(struct job *job, const struct vms *vms)
{
	struct rebuild *rebuild = job->data;
	char digest[HL_SHA256_TEXT_SIZE];

	if (rebuild->search_result < 0)
		return job_fail(
			job,
			rebuild->search_result == -ENOMEM || rebuild->search_result == -ENOSPC
				? JOB_ERROR_NO_MEMORY
				: JOB_ERROR_FAILED,
			"its modules cannot be copied: %s", strerror(-rebuild->search_result));
	for (size_t i = 0; i < rebuild->nr_modules; i++) {
		const struct module_file *module = &rebuild->modules[i];
		const char *name = i == 0 ? "kernel" : "ramdisk";

		if (module->fd < 0) {
			hl_sha256_to_text(module->sha256, digest);
			return job_fail(job, JOB_ERROR_FAILED,
					"its %s is not found: no file, as it is or unpacked, has "
					"the SHA-256 %s in %s",
					name, digest, module_searcher_path(vms->modules));
		}
		log_info("the %s of domain %" PRIu32 " (%s) is %s%s", name, job->subject.domid,
			 job->subject.name, module->unpacked ? "what is in " : "", module->path);
	}
	return 0;
}

static int find_modules(struct job *job, bool again)
{
	const struct rebuild *rebuild = job->data;

	if (!again)
		return start_search(job, job->context);
	return rebuild->searched ? take_found(job, job->context) : -EINPROGRESS;
}

static int undo_modules(struct job *job, bool again)
{
	struct rebuild *rebuild = job->data;

	rebuild->search = module_search_cancel(rebuild->search);
	return 0;
}

static int order_destroy(struct job *job, const struct vms *vms, uint32_t domid)
{
	struct vm_request request = {.name = "destroy", .sandbox = VM_DEVICES};
	struct rebuild *rebuild = job->data;
	int r;

	request.members = vm_members(job->subject.uuid);
	r = request.members ? 0 : -ENOMEM;
	if (r == 0 && domid != HL_NO_DOMID)
		r = json_add(request.members, "domid", json_object_new_int64(domid));
	if (r < 0) {
		json_object_put(request.members);
		return job_fail(job, JOB_ERROR_NO_MEMORY, "out of memory");
	}
	return vm_order_start(vms, job, &rebuild->order, &request);
}

/* It can be repeated: that it is gone is what is wanted. */
static int destroy(struct job *job, bool again)
{
	struct vms *vms = job->context;
	const struct rebuild *rebuild = job->data;
	const struct hl_domain *domain;
	int r = again ? vm_order_result(job, &rebuild->order) : 0;

	if (r == -EINPROGRESS)
		return r;
	manager_refresh(vms->manager);
	domain = find(job, vms);
	if (domain && !domain->live)
		return 0;
	if (r < 0 || !domain)
		return r < 0 ? r : fail_replaced(job);
	return again ? job_fail(job, JOB_ERROR_FAILED,
				"libxl has ended it, and Xen still has it: another domain maps its "
				"memory")
		     : order_destroy(job, vms, domain->domid);
}

static int order_create(struct job *job, const struct vms *vms)
{
	struct rebuild *rebuild = job->data;
	struct definition definition = {.config = NULL};
	struct vm_creation creation = {
		.kernel = rebuild->modules[0].fd,
		.ramdisk = rebuild->nr_modules > 1 ? rebuild->modules[1].fd : -1,
	};
	const struct hl_domain *domain = find(job, vms);
	int r = domain ? rebuild_define(job, vms->manager, domain, &definition)
		       : fail_replaced(job);

	if (r == 0) {
		creation.config = definition.config;
		creation.sandbox = definition.sandbox;
		r = vm_create_start(vms, job, &rebuild->order, &creation);
	}
	definition_clear(&definition);
	return r;
}

/* Begins with one, or goes on to the next one. */
static int begin_creation(struct job *job, const struct vms *vms, enum creation creation)
{
	struct rebuild *rebuild = job->data;

	rebuild->creation = creation;
	if (creation == CREATION_FIND)
		return start_search(job, vms);
	return creation == CREATION_CLEAR ? order_destroy(job, vms, HL_NO_DOMID)
					  : order_create(job, vms);
}

static int continue_creation(struct job *job, const struct vms *vms)
{
	struct rebuild *rebuild = job->data;
	int r = rebuild->creation == CREATION_FIND ? find_modules(job, true)
						   : vm_order_result(job, &rebuild->order);

	if (r < 0 || rebuild->creation == CREATION_MAKE)
		return r;
	return begin_creation(job, vms, rebuild->creation + 1);
}

static int create(struct job *job, bool again)
{
	struct vms *vms = job->context;
	struct rebuild *rebuild = job->data;
	int r;

	if (again)
		r = continue_creation(job, vms);
	else
		r = begin_creation(job, vms,
				   rebuild->nr_modules > 0 ? CREATION_MAKE : CREATION_FIND);
	if (r != 0)
		return r;
	rebuild->domid = rebuild->order.domid;
	drop_modules(rebuild);
	manager_refresh(vms->manager);
	return 0;
}

static int undo_create(struct job *job, bool again)
{
	struct vms *vms = job->context;
	struct rebuild *rebuild = job->data;
	int r;

	rebuild->search = module_search_cancel(rebuild->search);
	r = vm_order_undo(vms, job, &rebuild->order, again, "destroy");
	if (r == 0)
		manager_refresh(vms->manager);
	return r;
}

/* The domain that was made; NULL: it has been ended, and its number may be another one's. */
static const struct hl_domain *find_made(const struct job *job, const struct vms *vms)
{
	const struct rebuild *rebuild = job->data;
	const struct hl_domain *domain;

	manager_refresh(vms->manager);
	if (hl_table_find_domid(manager_table(vms->manager), rebuild->domid, &domain) < 0 ||
	    !domain->live || domain->state == HL_DOMAIN_DYING ||
	    (domain->origin == HL_ORIGIN_BOOT && !domain->adopted) ||
	    strcmp(domain->handle_text, job->subject.uuid) != 0)
		return NULL;
	return domain;
}

static int fail_gone(struct job *job)
{
	return job_fail(job, JOB_ERROR_NO_SUCH_DOMAIN, "what was made of it has gone meanwhile");
}

static int adopt(struct job *job, bool again)
{
	struct vms *vms = job->context;
	const struct rebuild *rebuild = job->data;
	const struct hl_domain *domain = find_made(job, vms);
	int r;

	if (!domain)
		return fail_gone(job);
	if (domain->adopted)
		return 0;
	r = hl_adopt(manager_hl(vms->manager), rebuild->index, domain->domid);
	if (r < 0)
		return job_fail_hypervisor(job, r);
	manager_refresh(vms->manager);
	return 0;
}

/* One that somebody else has unpaused by then runs as well. */
static int start(struct job *job, bool again)
{
	struct vms *vms = job->context;
	const struct hl_domain *domain = find_made(job, vms);
	int r;

	if (!domain)
		return fail_gone(job);
	r = domain->state == HL_DOMAIN_BUILT ? hl_unpause(manager_hl(vms->manager), domain->domid)
					     : 0;
	if (r < 0 && r != -EINVAL)
		return job_fail_hypervisor(job, r);
	manager_refresh(vms->manager);
	return 0;
}

static int save(const struct job *job, json_object *object)
{
	const struct rebuild *rebuild = job->data;
	int r = json_add(object, "force", json_object_new_boolean(rebuild->force));

	if (r == 0)
		r = json_add(object, "index", json_object_new_int64(rebuild->index));
	return r < 0 ? r : json_add(object, "domid", json_object_new_int64(rebuild->domid));
}

static int load(struct job *job, json_object *object)
{
	uint64_t index, domid;
	struct rebuild *rebuild;
	bool force;

	if (packet_get_bool(object, "force", &force) < 0 ||
	    packet_get_uint(object, "index", UINT32_MAX, &index) < 0 ||
	    packet_get_uint(object, "domid", UINT32_MAX, &domid) < 0)
		return -EINVAL;
	rebuild = rebuild_new(force);
	if (!rebuild)
		return -ENOMEM;
	rebuild->index = (uint32_t)index;
	rebuild->domid = (uint32_t)domid;
	job->data = rebuild;
	return 0;
}

/* What is adopted and does not run is ended as what was only made. */
static const struct job_step steps[] = {
	{.name = "check", .run = check},
	{.name = "modules", .run = find_modules, .undo = undo_modules, .deadline = SEARCH_MAX},
	{.name = "destroy", .run = destroy, .deadline = DESTROY_MAX},
	{.name = "create", .run = create, .undo = undo_create, .deadline = CREATE_MAX},
	{.name = "adopt", .run = adopt},
	{.name = "start", .run = start},
};

static const struct job_type type = {
	.kind = REBUILD_JOB,
	.steps = steps,
	.nr_steps = ARRAY_SIZE(steps),
	.save = save,
	.load = load,
	.clear = clear,
};

int rebuild_register(struct jobs *jobs, struct vms *vms)
{
	return jobs_register(jobs, &type, vms);
}
