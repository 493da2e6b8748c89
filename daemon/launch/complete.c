// SPDX-License-Identifier: LGPL-2.1-or-later
/* Decides for each initial domain which step of its completion is next. */
#include "launch/complete.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-id128.h>

#include "common/clock.h"
#include "common/guest-nodes.h"
#include "common/uuid.h"
#include "domains/manager.h"
#include "domains/watch.h"
#include "launch/access.h"
#include "launch/libxl-config.h"
#include "loop/log.h"
#include "loop/loop.h"
#include "loop/timer.h"

#define RETRY_MIN USEC_PER_SEC
#define RETRY_MAX (60 * USEC_PER_SEC)
#define MAX_TRIES 8
/* Who waits for the first pass waits no longer for a xenstored that may never come. */
#define SETTLE_MAX (3 * USEC_PER_SEC)

struct completer {
	struct manager *manager;
	struct manager_observer observer;
	bool real; /* a simulated hypervisor has no handles, and its host no libxl */
	struct timer *retry;
	struct timer *settle;
	void (*settled)(void *userdata); /* NULL: it was called */
	void *userdata;
	uint64_t connection; /* that the tasks on their way belong to */
	bool logged_no_libxl;
	char boot[SD_ID128_STRING_MAX]; /* "": not known */
};

static const struct hl_summary *summary_of(const struct completer *completer)
{
	return hl_table_summary(manager_table(completer->manager));
}

/* Ours by Xen itself; a Xen without Hyperlaunch has one dom0. */
static uint32_t self_domid(const struct completer *completer)
{
	uint32_t self = summary_of(completer)->self_domid;

	return self == HL_NO_DOMID ? 0 : self;
}

/* One without a ring to xenstored has nodes there all the same: a name, if it has none yet. */
static bool needs_nodes(const struct domain *domain)
{
	if (domain->row->store_port == 0)
		return !domain->xenstore.name;
	return !domain->xenstore.introduced;
}

/* By Xen, at boot: a toolstack completes those that it has made, adopted or not, itself. */
static bool is_built_by_xen(const struct hl_domain *row)
{
	return row->origin == HL_ORIGIN_BOOT && !row->adopted;
}

/* True for initial domains that are not introduced, except dom0 and our own, which their own tools
 * introduce. */
static bool needs_introduction(const struct completer *completer, const struct domain *domain)
{
	const struct hl_domain *row = domain->row;

	return domain->completion.tries < MAX_TRIES && is_built_by_xen(row) && row->domid != 0 &&
	       row->domid != self_domid(completer) && row->state != HL_DOMAIN_DYING &&
	       needs_nodes(domain);
}

/* One that hldom introduced where xenstored runs could get no UUID from Xen there: that takes a
 * control domain. */
static bool needs_config(const struct completer *completer, const struct domain *domain)
{
	const struct hl_domain *row = domain->row;

	return !domain->completion.configured && completer->real && is_built_by_xen(row) &&
	       row->domid != 0 && row->state != HL_DOMAIN_DYING && !needs_nodes(domain);
}

/* libxl's own doing where there is a domain 0; initial domains are introduced with the right
 * permissions. */
static bool needs_read_access(const struct completer *completer, const struct domain *domain)
{
	const struct hl_domain *row = domain->row;

	return !domain->completion.opened && domain->xenstore.introduced &&
	       self_domid(completer) != 0 && !is_built_by_xen(row) && row->state != HL_DOMAIN_DYING;
}

static void fill_guest(const struct completer *completer, const struct hl_domain *row,
		       const char *uuid, struct xs_guest *guest)
{
	uint32_t console = summary_of(completer)->console_domid;

	*guest = (struct xs_guest){
		.domid = row->domid,
		.toolstack_domid = self_domid(completer),
		.console_domid = console == HL_NO_DOMID ? self_domid(completer) : console,
		.name = row->name,
		.uuid = uuid,
		.type = row->mode & HL_MODE_PV ? "pv" : "pvh",
		.memory_kib = row->memory_planned_kib,
		.vcpus = row->vcpus_planned,
		.start_usec = wall_clock_usec(),
		.store_port = row->store_port,
		.store_gfn = row->store_gfn,
		.console_port = row->console_port,
		.console_gfn = row->console_gfn,
	};
}

/* libxl takes Xen's handle for the UUID and needs one that is its own; one that an earlier run
 * wrote is used again. */
static int choose_uuid(const struct completer *completer, struct domain *domain)
{
	sd_id128_t uuid;
	int r = 0;

	memcpy(uuid.bytes, domain->xenstore.vm_uuid, sizeof(uuid.bytes));
	if (sd_id128_is_null(uuid))
		r = sd_id128_randomize(&uuid);
	if (r == 0 && completer->real)
		r = hl_set_handle(manager_hl(completer->manager), domain->domid, uuid.bytes);
	if (r == 0)
		hl_uuid_to_text(uuid.bytes, domain->completion.uuid);
	return r;
}

static void write_libxl_config(struct completer *completer, const struct xs_guest *guest)
{
	int r = completer->boot[0] ? libxl_config_write(LIBXL_CONFIG_DIR, completer->boot, guest)
				   : 0;

	if (r >= 0 || (r == -ENOENT && completer->logged_no_libxl))
		return;
	if (r == -ENOENT)
		completer->logged_no_libxl = true;
	log_domain(LOG_INFO, NULL, guest->name, guest->domid, "no configuration for xl: %s: %s",
		   LIBXL_CONFIG_DIR, strerror(-r));
}

/* One that a toolstack made. */
static bool is_foreign(void *userdata, uint32_t domid, const char *uuid)
{
	const struct completer *completer = userdata;
	const struct hl_domain *row;

	return hl_table_find_domid(manager_table(completer->manager), domid, &row) == 0 &&
	       row->live && !is_built_by_xen(row) && strcmp(row->handle_text, uuid) == 0;
}

/* The unit hides where the kernel says it, and says it itself. */
static int read_boot_id(char text[SD_ID128_STRING_MAX])
{
	const char *variable = getenv("HYPERLAUNCH_BOOT_ID");
	sd_id128_t boot;
	int r = variable ? sd_id128_from_string(variable, &boot) : sd_id128_get_boot(&boot);

	if (r == 0)
		sd_id128_to_string(boot, text);
	return r;
}

static void sweep_libxl_configs(struct completer *completer)
{
	int r = read_boot_id(completer->boot);

	if (r < 0) {
		log_warning("no configurations for xl: this boot has no ID: %s", strerror(-r));
		return;
	}
	r = libxl_config_sweep(LIBXL_CONFIG_DIR, completer->boot, is_foreign, completer);
	if (r < 0 && r != -ENOENT)
		log_warning("cannot remove configurations for xl of earlier boots: %s: %s",
			    LIBXL_CONFIG_DIR, strerror(-r));
}

/* What toolstacks need to know of it: a UUID, and libxl's configuration. */
static int configure(struct completer *completer, struct domain *domain, struct xs_guest *guest)
{
	const struct hl_domain *row = domain->row;
	bool has_handle = !uuid_is_nil(row->handle);
	const char *field;
	int r = has_handle || domain->completion.uuid[0] != '\0' ? 0
								 : choose_uuid(completer, domain);

	domain->completion.configured = true;
	if (r < 0)
		return r;
	fill_guest(completer, row, has_handle ? row->handle_text : domain->completion.uuid, guest);
	r = xs_guest_check(guest, &field);
	if (r < 0) {
		log_domain(LOG_ERR, NULL, row->name, row->domid,
			   "its %s cannot be written to xenstore", field);
		return r;
	}
	write_libxl_config(completer, guest);
	return 0;
}

static int submit(const struct completer *completer, struct store_task *task)
{
	return store_submit(watch_store(manager_watch(completer->manager)), task);
}

/* The text is its own: the row goes with its table. */
struct introduce_task {
	struct store_task task;
	uint64_t generation;
	struct xs_guest guest;
	char name[XS_GUEST_NAME_MAX + 1];
	char uuid[HL_UUID_TEXT_SIZE];
};

static int introduce_run(struct store_task *store_task, struct xs_handle *h)
{
	const struct introduce_task *task = (struct introduce_task *)store_task;

	return xs_guest_introduce(&xs_ops_real, h, &task->guest);
}

static void introduction_failed(struct completer *completer, struct domain *domain, int error)
{
	struct completion *completion = &domain->completion;
	uint64_t delay = RETRY_MIN << completion->tries;

	completion->tries++;
	completion->error = error;
	if (error == -EINVAL)
		completion->tries = MAX_TRIES;
	if (completion->tries == MAX_TRIES) {
		log_domain(LOG_ERR, LOG_ID_DOMAIN_NOT_INTRODUCED, domain->row->name, domain->domid,
			   "not introduced to xenstored: %s", strerror(-error));
		return;
	}
	if (completion->tries == 1)
		log_domain(LOG_WARNING, NULL, domain->row->name, domain->domid,
			   "cannot introduce it to xenstored, will try again: %s",
			   strerror(-error));
	delay = delay < RETRY_MAX ? delay : RETRY_MAX;
	completion->next_try = loop_now() + delay;
	if (!timer_is_set(completer->retry) && timer_set(completer->retry, delay) < 0)
		log_domain(LOG_ERR, NULL, domain->row->name, domain->domid,
			   "stays as it is in xenstore: no timer");
}

static void introduced(struct completer *completer, struct domain *domain, int result)
{
	const struct hl_domain *row = domain->row;

	if (result > 0)
		log_domain(LOG_INFO, LOG_ID_DOMAIN_INTRODUCED, row->name, row->domid, "%s, as %s",
			   row->store_port ? "introduced to xenstored"
					   : "named in xenstore, where it has no ring",
			   row->name);
	domain->completion.tries = 0;
	domain->completion.error = 0;
	/* Until that is read it is neither introduced nor to be introduced. */
	domain->xenstore.known = false;
	watch_read(manager_watch(completer->manager), domain);
}

static void introduce_done(struct store_task *store_task, void *userdata, int result)
{
	const struct introduce_task *task = (struct introduce_task *)store_task;
	struct completer *completer = userdata;
	struct domain *domain = domains_find(manager_domains(completer->manager), task->guest.domid,
					     task->generation);

	if (!domain)
		return;
	domain->completion.working = false;
	if (result < 0)
		introduction_failed(completer, domain, result);
	else
		introduced(completer, domain, result);
	manager_request_refresh(completer->manager);
}

static int introduce(struct completer *completer, struct domain *domain)
{
	static const struct store_task_type type = {.run = introduce_run, .done = introduce_done};
	struct introduce_task *task = calloc(1, sizeof(*task));
	int r;

	if (!task)
		return -ENOMEM;
	task->task = (struct store_task){.type = &type, .userdata = completer};
	task->generation = domain->generation;
	r = configure(completer, domain, &task->guest);
	if (r < 0) {
		free(task);
		return r;
	}
	snprintf(task->name, sizeof(task->name), "%s", task->guest.name);
	snprintf(task->uuid, sizeof(task->uuid), "%s", task->guest.uuid);
	task->guest.name = task->name;
	task->guest.uuid = task->uuid;
	return submit(completer, (struct store_task *)task);
}

static void start_introduction(struct completer *completer, struct domain *domain)
{
	int r = introduce(completer, domain);

	if (r < 0)
		introduction_failed(completer, domain, r);
	else
		domain->completion.working = true;
}

static void complete_config(struct completer *completer, struct domain *domain)
{
	struct xs_guest guest;
	int r = configure(completer, domain, &guest);

	if (r < 0)
		log_domain(LOG_WARNING, NULL, domain->row->name, domain->domid,
			   "no UUID for toolstacks: %s", strerror(-r));
}

struct access_task {
	struct store_task task;
	uint32_t owner, domid;
	uint64_t generation;
};

static int access_run(struct store_task *store_task, struct xs_handle *h)
{
	const struct access_task *task = (struct access_task *)store_task;

	return xs_access_open(h, task->owner, task->domid);
}

static void access_done(struct store_task *store_task, void *userdata, int result)
{
	const struct access_task *task = (struct access_task *)store_task;
	const struct completer *completer = userdata;
	struct domain *domain =
		domains_find(manager_domains(completer->manager), task->domid, task->generation);

	if (domain)
		domain->completion.working = false;
	if (result < 0)
		log_domain(LOG_WARNING, NULL, domain ? domain->row->name : NULL, task->domid,
			   "cannot let it read its own nodes in xenstore: %s", strerror(-result));
	else if (result > 0)
		log_domain(LOG_INFO, NULL, domain ? domain->row->name : NULL, task->domid,
			   "may read its own nodes in xenstore now");
	manager_request_refresh(completer->manager);
}

static void grant_read_access(struct completer *completer, struct domain *domain)
{
	static const struct store_task_type type = {.run = access_run, .done = access_done};
	struct access_task *task = calloc(1, sizeof(*task));

	domain->completion.opened = true;
	if (!task) {
		log_domain(LOG_ERR, NULL, domain->row->name, domain->domid, "out of memory");
		return;
	}
	*task = (struct access_task){
		.task = {.type = &type, .userdata = completer},
		.owner = self_domid(completer),
		.domid = domain->domid,
		.generation = domain->generation,
	};
	domain->completion.working = submit(completer, (struct store_task *)task) == 0;
}

/* The next step for a domain.  True while there is one, or one is on its way. */
static bool step(struct completer *completer, struct domain *domain)
{
	if (domain->completion.working || !domain->xenstore.known)
		return true;
	if (needs_introduction(completer, domain)) {
		if (domain->completion.next_try <= loop_now())
			start_introduction(completer, domain);
		return domain->completion.working;
	}
	if (needs_config(completer, domain))
		complete_config(completer, domain);
	if (needs_read_access(completer, domain))
		grant_read_access(completer, domain);
	return domain->completion.working;
}

static void settle(struct completer *completer)
{
	void (*settled)(void *userdata) = completer->settled;

	completer->settled = NULL;
	timer_stop(completer->settle);
	if (settled)
		settled(completer->userdata);
}

/* What was on its way is lost with the connection, and all is to be looked at again. */
static void start_again(const struct completer *completer)
{
	for (struct domain *d = domains_first(manager_domains(completer->manager)); d;
	     d = d->next) {
		d->completion.working = d->completion.opened = false;
		d->completion.tries = 0;
		d->completion.next_try = 0;
	}
}

static void step_all(void *userdata)
{
	struct completer *completer = userdata;
	const struct store *store = watch_store(manager_watch(completer->manager));
	bool working = false;

	if (store_connection(store) != completer->connection)
		start_again(completer);
	completer->connection = store_connection(store);
	if (store_state(store) != STORE_CONNECTED)
		return;
	for (struct domain *d = domains_first(manager_domains(completer->manager)); d; d = d->next)
		working |= step(completer, d);
	if (!working)
		settle(completer);
}

static void on_retry(void *userdata)
{
	struct completer *completer = userdata;
	uint64_t now = loop_now(), soonest = UINT64_MAX;

	for (struct domain *d = domains_first(manager_domains(completer->manager)); d; d = d->next)
		if (d->completion.next_try > now && d->completion.next_try < soonest &&
		    needs_introduction(completer, d))
			soonest = d->completion.next_try;
	if (soonest != UINT64_MAX && timer_set(completer->retry, soonest - now) < 0)
		log_error("no timer: domains stay as they are in xenstore");
	step_all(completer);
}

static void on_settle(void *userdata)
{
	settle(userdata);
}

static int start(struct completer *completer, struct loop *loop)
{
	bool has_store = manager_watch(completer->manager) != NULL;
	int r = timer_new(loop, on_retry, completer, &completer->retry);

	if (r == 0)
		r = timer_new(loop, on_settle, completer, &completer->settle);
	if (r == 0)
		r = timer_set(completer->settle, has_store ? SETTLE_MAX : 0);
	if (r < 0 || !has_store)
		return r;
	completer->observer = (struct manager_observer){.done = step_all, .userdata = completer};
	manager_observe(completer->manager, &completer->observer);
	return 0;
}

int completer_new(struct loop *loop, struct manager *manager, void (*settled)(void *userdata),
		  void *userdata, struct completer **ret_completer)
{
	struct completer *completer = calloc(1, sizeof(*completer));
	int r;

	if (!completer)
		return -ENOMEM;
	completer->manager = manager;
	completer->real = strcmp(hl_backend(manager_hl(manager)), "xen") == 0;
	completer->settled = settled;
	completer->userdata = userdata;
	if (completer->real)
		sweep_libxl_configs(completer);
	r = start(completer, loop);
	if (r < 0) {
		completer_free(completer);
		return r;
	}
	*ret_completer = completer;
	return 0;
}

struct completer *completer_free(struct completer *completer)
{
	if (!completer)
		return NULL;
	manager_unobserve(completer->manager, &completer->observer);
	timer_free(completer->retry);
	timer_free(completer->settle);
	free(completer);
	return NULL;
}
