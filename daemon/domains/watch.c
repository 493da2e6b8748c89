// SPDX-License-Identifier: LGPL-2.1-or-later
/* Reads the domains' nodes in xenstore, and watches them. */
#include "domains/watch.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/clock.h"
#include "loop/log.h"
#include "loop/loop.h"
#include "loop/timer.h"

/* The name that Xen's own tools give dom0 when they start; it hides no LCM's. */
#define DOM0_DEFAULT_NAME "Domain-0"
#define PATH_SIZE	  96
#define RETRY		  USEC_PER_SEC

struct watch {
	struct store *store;
	struct domains *domains;
	struct deferred *report; /* changed() */
	struct timer *retry;	 /* of reads that failed */
	uint32_t self_domid;
	void (*changed)(void *userdata);
	void *userdata;
};

/* Reads one domain's nodes, and watches them before that where `watch` says so. */
struct read_task {
	struct store_task task;
	uint32_t domid;
	uint64_t generation;
	bool watch;
	bool self; /* the domain that we run in */
	bool was_connected;
	/* the result */
	char *name;
	char *vm;
	bool read; /* what follows, and the two above, are true */
	bool introduced, connected;
};

static void node_path(char path[PATH_SIZE], uint32_t domid, const char *node)
{
	snprintf(path, PATH_SIZE, "/local/domain/%" PRIu32 "/%s", domid, node);
}

static char *read_node(struct xs_handle *h, uint32_t domid, const char *node)
{
	char path[PATH_SIZE];

	node_path(path, domid, node);
	return xs_read(h, XBT_NULL, path, NULL);
}

static bool set_watch(struct xs_handle *h, uint32_t domid, const char *node, bool on)
{
	char path[PATH_SIZE], token[16];

	node_path(path, domid, node);
	snprintf(token, sizeof(token), "%" PRIu32, domid);
	return on ? xs_watch(h, path, token) : xs_unwatch(h, path, token);
}

#define NAME_NODE "name"
/* Toolstacks make this node empty; a guest's kernel fills it in when its xenbus is up. */
#define CONNECTED_NODE "control/feature-poweroff"

static int watch_nodes(struct xs_handle *h, const struct read_task *task)
{
	if (!set_watch(h, task->domid, NAME_NODE, true))
		return store_last_error();
	if (!task->was_connected && !set_watch(h, task->domid, CONNECTED_NODE, true))
		return store_last_error();
	return 0;
}

/* Latched: from then on the guest's own node is of no interest, and is watched no more. */
static void read_connected(struct xs_handle *h, struct read_task *task)
{
	_cleanup_(freep) char *value = NULL;

	task->connected = task->was_connected;
	if (task->connected)
		return;
	value = read_node(h, task->domid, CONNECTED_NODE);
	task->connected = task->self || (value && value[0] != '\0');
	/* Fails only where the connection is gone, and the watch with it. */
	if (task->connected)
		(void)set_watch(h, task->domid, CONNECTED_NODE, false);
}

static int read_run(struct store_task *store_task, struct xs_handle *h)
{
	struct read_task *task = (struct read_task *)store_task;
	int r = task->watch ? watch_nodes(h, task) : 0;

	task->name = read_node(h, task->domid, NAME_NODE);
	if (!task->name && errno != ENOENT && errno != EACCES)
		return store_last_error();
	task->vm = read_node(h, task->domid, "vm");
	errno = 0;
	task->introduced = xs_is_domain_introduced(h, task->domid);
	/* A domain that may not ask has no error. */
	if (!task->introduced && errno != 0 && errno != ENOENT && errno != EACCES)
		return store_last_error();
	read_connected(h, task);
	task->read = true;
	return r;
}

static void read_free(struct store_task *store_task)
{
	struct read_task *task = (struct read_task *)store_task;

	free(task->name);
	free(task->vm);
	free(task);
}

static void take_facts(struct watch *watch, struct domain *domain, struct read_task *task)
{
	struct xenstore_facts *facts = &domain->xenstore;
	uint8_t uuid[16];

	if (!facts->known || facts->introduced != task->introduced ||
	    facts->connected != task->connected ||
	    strcmp(facts->name ? facts->name : "", task->name ? task->name : "") != 0)
		deferred_request(watch->report);
	free(facts->name);
	facts->name = steal(&task->name);
	if (!task->vm || strncmp(task->vm, "/vm/", 4) != 0 ||
	    hl_uuid_from_text(task->vm + 4, uuid) < 0)
		memset(uuid, 0, sizeof(uuid));
	memcpy(facts->vm_uuid, uuid, sizeof(uuid));
	facts->introduced = task->introduced;
	facts->connected = task->connected;
	facts->known = true;
}

static void read_done(struct store_task *store_task, void *userdata, int result)
{
	struct read_task *task = (struct read_task *)store_task;
	struct watch *watch = userdata;
	struct domain *domain = domains_find(watch->domains, task->domid, task->generation);

	if (!domain)
		return;
	domain->xenstore.reading = false;
	if (result < 0 && !domain->xenstore.failed)
		log_domain(LOG_WARNING, NULL, domain->row->name, domain->domid,
			   "cannot %s its nodes in xenstore: %s", task->read ? "watch" : "read",
			   strerror(-result));
	domain->xenstore.failed = result < 0;
	if (task->read)
		take_facts(watch, domain, task);
	else if (timer_set(watch->retry, RETRY) < 0)
		log_error("no timer: domains in xenstore will be seen late");
	if (domain->xenstore.read_again)
		watch_read(watch, domain);
}

static const struct store_task_type read_type = {
	.run = read_run, .done = read_done, .free = read_free};

void watch_read(struct watch *watch, struct domain *domain)
{
	struct xenstore_facts *facts = &domain->xenstore;
	struct read_task *task;

	if (!watch || store_state(watch->store) != STORE_CONNECTED)
		return;
	facts->read_again = facts->reading;
	if (facts->reading)
		return;
	task = calloc(1, sizeof(*task));
	if (!task) {
		log_domain(LOG_ERR, NULL, domain->row->name, domain->domid, "out of memory");
		return;
	}
	*task = (struct read_task){
		.task = {.type = &read_type, .userdata = watch},
		.domid = domain->domid,
		.generation = domain->generation,
		.watch = !facts->watched,
		.self = domain->domid == watch->self_domid,
		.was_connected = facts->connected,
	};
	facts->reading = store_submit(watch->store, (struct store_task *)task) == 0;
	facts->watched |= facts->reading;
}

struct unwatch_task {
	struct store_task task;
	uint32_t domid;
	bool connected;
};

/* Either fails only where the connection is gone, and the watches with it. */
static int unwatch_run(struct store_task *store_task, struct xs_handle *h)
{
	const struct unwatch_task *task = (struct unwatch_task *)store_task;

	(void)set_watch(h, task->domid, NAME_NODE, false);
	if (!task->connected)
		(void)set_watch(h, task->domid, CONNECTED_NODE, false);
	return 0;
}

void watch_forget(struct watch *watch, const struct domain *domain)
{
	static const struct store_task_type type = {.run = unwatch_run};
	struct unwatch_task *task;

	if (!watch || !domain->xenstore.watched)
		return;
	task = calloc(1, sizeof(*task));
	if (!task) {
		log_domain(LOG_ERR, NULL, domain->row->name, domain->domid,
			   "out of memory: its watches stay");
		return;
	}
	*task = (struct unwatch_task){
		.task = {.type = &type},
		.domid = domain->domid,
		.connected = domain->xenstore.connected,
	};
	(void)store_submit(watch->store, (struct store_task *)task);
}

static int watch_all_run(struct store_task *task, struct xs_handle *h)
{
	if (!xs_watch(h, "@introduceDomain", "@") || !xs_watch(h, "@releaseDomain", "@"))
		return store_last_error();
	return 0;
}

static void watch_all_done(struct store_task *task, void *userdata, int result)
{
	const struct watch *watch = userdata;

	if (result == 0)
		return;
	log_warning("cannot watch for domains in xenstore, will try again: %s", strerror(-result));
	store_reconnect(watch->store);
}

/* Before the domains are read, so that nothing is missed in between. */
static void watch_all(struct watch *watch)
{
	static const struct store_task_type type = {.run = watch_all_run, .done = watch_all_done};
	struct store_task *task = calloc(1, sizeof(*task));

	if (!task) {
		log_error("out of memory: domains that come and go will be seen late");
		return;
	}
	*task = (struct store_task){.type = &type, .userdata = watch};
	(void)store_submit(watch->store, task);
}

/* A name is kept until another is read: it is the last that is known. */
static void on_state(void *userdata)
{
	struct watch *watch = userdata;
	bool connected = store_state(watch->store) == STORE_CONNECTED;

	if (connected)
		watch_all(watch);
	for (struct domain *d = domains_first(watch->domains); d; d = d->next) {
		struct xenstore_facts *facts = &d->xenstore;

		facts->introduced = facts->connected = facts->known = false;
		facts->watched = facts->reading = facts->read_again = facts->failed = false;
		if (connected)
			watch_read(watch, d);
	}
	deferred_request(watch->report);
}

/* A domain was introduced or released: which one is not said. */
static void on_introduce_or_release(struct watch *watch)
{
	for (struct domain *d = domains_first(watch->domains); d; d = d->next)
		if (!d->xenstore.introduced)
			watch_read(watch, d);
	deferred_request(watch->report);
}

static void on_fired(void *userdata, const char *path, const char *token)
{
	struct watch *watch = userdata;
	struct domain *domain;

	if (path[0] == '@') {
		on_introduce_or_release(watch);
		return;
	}
	domain = domains_find_domid(watch->domains, (uint32_t)strtoul(token, NULL, 10));
	if (domain)
		watch_read(watch, domain);
}

/* The refresh that it causes reads again what could not be read: see watch_sync(). */
static void on_report(void *userdata)
{
	const struct watch *watch = userdata;

	watch->changed(watch->userdata);
}

int watch_new(const struct watch_config *config, struct watch **ret_watch)
{
	struct watch *watch = calloc(1, sizeof(*watch));
	struct store_events events = {.state = on_state, .fired = on_fired, .userdata = watch};
	int r;

	if (!watch)
		return -ENOMEM;
	watch->domains = config->domains;
	watch->changed = config->changed;
	watch->userdata = config->userdata;
	r = deferred_new(config->loop, on_report, watch, &watch->report);
	if (r == 0)
		r = timer_new(config->loop, on_report, watch, &watch->retry);
	if (r == 0)
		r = store_new(config->loop, &events, &watch->store);
	if (r < 0) {
		watch_free(watch);
		return r;
	}
	*ret_watch = watch;
	return 0;
}

struct watch *watch_free(struct watch *watch)
{
	if (!watch)
		return NULL;
	store_free(watch->store);
	deferred_free(watch->report);
	timer_free(watch->retry);
	free(watch);
	return NULL;
}

struct store *watch_store(const struct watch *watch)
{
	return watch ? watch->store : NULL;
}

void watch_sync(struct watch *watch, const struct hl_table *table)
{
	const struct hl_summary *summary = hl_table_summary(table);

	if (!watch)
		return;
	/* A Xen without Hyperlaunch has one dom0. */
	watch->self_domid = summary->self_domid == HL_NO_DOMID ? 0 : summary->self_domid;
	store_allow_device(watch->store,
			   summary->xenstore_domid != HL_NO_DOMID && summary->xenstore_domid != 0);
	for (struct domain *d = domains_first(watch->domains); d; d = d->next)
		if (!d->xenstore.known && !d->xenstore.reading)
			watch_read(watch, d);
}

bool watch_awaits_names(const struct watch *watch)
{
	if (!watch || store_state(watch->store) != STORE_CONNECTED)
		return false;
	for (const struct domain *d = domains_first(watch->domains); d; d = d->next)
		if (d->row->origin == HL_ORIGIN_POST_BOOT && d->xenstore.reading &&
		    !d->xenstore.known)
			return true;
	return false;
}

const char *watch_name(const struct domain *domain)
{
	const char *name = domain->xenstore.name;

	if (!name || name[0] == '\0')
		return NULL;
	if (domain->domid == 0 && domain->row->origin == HL_ORIGIN_BOOT &&
	    strcmp(name, DOM0_DEFAULT_NAME) == 0)
		return NULL;
	return name;
}

enum xs_domain_state watch_domain_state(const struct domain *domain)
{
	if (domain->xenstore.introduced)
		return domain->xenstore.connected ? XS_DOMAIN_CONNECTED : XS_DOMAIN_INTRODUCED;
	if (domain->row->store_port != 0 && domain->row->store_gfn != HL_NO_GFN)
		return XS_DOMAIN_PAGE_READY;
	return XS_DOMAIN_NONE;
}
