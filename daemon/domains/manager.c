// SPDX-License-Identifier: LGPL-2.1-or-later
/* Refreshes the table and tells the observers what has changed. */
#include "domains/manager.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/clock.h"
#include "domains/watch.h"
#include "loop/io.h"
#include "loop/log.h"
#include "loop/loop.h"
#include "loop/notify.h"
#include "loop/timer.h"

#define MAX_AGE USEC_PER_SEC
/* Between two refreshes that something else than a call asks for. */
#define PERIOD (30 * USEC_PER_MSEC)
/* The names of new domains are waited for at most so long. */
#define HOLD_MAX (150 * USEC_PER_MSEC)
/* Between two looks at whether a dying domain is gone; doubled from look to look. */
#define DYING_MIN (200 * USEC_PER_MSEC)
#define DYING_MAX (60 * USEC_PER_SEC)

/* Between two tries to listen to Xen; doubled from try to try. */
#define LISTEN_MIN USEC_PER_SEC
#define LISTEN_MAX (60 * USEC_PER_SEC)

struct manager {
	struct loop *loop;
	struct hl_ctx *hl;
	struct domains *domains;
	struct watch *watch;   /* NULL: no xenstore */
	struct io *hypervisor; /* NULL: it is not listened to */
	struct timer *listen;  /* set while that fails */
	uint64_t listen_delay;
	bool not_heard;
	struct timer *refresh;
	struct timer *dying; /* set while a domain is being torn down */
	uint64_t dying_delay;
	uint32_t nr_dying;
	struct hl_table *table;	 /* the present one */
	struct hl_table *synced; /* that the rows of the domains are in: the present one, or one
				    that waits for names */
	uint64_t synced_at;	 /* when that was read */
	uint64_t read_at;	 /* when that was last tried */
	uint64_t hold_until;	 /* names of new domains are awaited so long; 0: they are not */
	enum store_state shown_store;
	int last_error; /* of a refresh, to log it once */
	struct manager_observer *observers;
};

/* Calls one member of each observer that has it. */
#define notify_observers(manager, member, ...)                                          \
	do {                                                                            \
		for (struct manager_observer *o = (manager)->observers; o; o = o->next) \
			if (o->member)                                                  \
				o->member(o->userdata __VA_OPT__(, ) __VA_ARGS__);      \
	} while (0)

static void snapshot_freep(struct hl_snapshot **snapshot)
{
	hl_snapshot_free(*snapshot);
}

static void table_unrefp(struct hl_table **table)
{
	hl_table_unref(*table);
}

static void diff_freep(struct hl_diff **diff)
{
	hl_diff_free(*diff);
}

/* The name in xenstore; for a toolstack's domain whose nodes are removed before it is, the last
 * name shown. */
static const char *current_name(const struct domain *domain, const struct hl_live_domain *live)
{
	const char *name = watch_name(domain);

	if (name || live->name[0] != '\0' || domain->row->origin == HL_ORIGIN_BOOT)
		return name;
	return domain->row->name;
}

/* Those that are known of the last refresh, so that mostly one table does. */
static int set_known_names(const struct manager *manager, struct hl_snapshot *snapshot)
{
	for (size_t i = 0; i < hl_snapshot_nr_live(snapshot); i++) {
		const struct hl_live_domain *live = hl_snapshot_get_live(snapshot, i);
		const struct domain *domain = domains_find_domid(manager->domains, live->domid);
		const char *name = domain ? current_name(domain, live) : NULL;
		int r = name ? hl_snapshot_set_name(snapshot, live->domid, name) : 0;

		if (r < 0)
			return r;
	}
	return 0;
}

/* Of a domid that has another domain by now: the name was not its own.  1: there were some. */
static int correct_names(const struct manager *manager, const struct hl_table *table,
			 struct hl_snapshot *snapshot)
{
	int any = 0;

	for (uint32_t i = 0; i < hl_table_nr_domains(table); i++) {
		const struct hl_domain *row = hl_table_get(table, i);
		int r;

		if (!row->live || domains_find(manager->domains, row->domid, row->generation) ||
		    !domains_find_domid(manager->domains, row->domid))
			continue;
		r = hl_snapshot_set_name(snapshot, row->domid, NULL);
		if (r < 0)
			return r;
		any = 1;
	}
	return any;
}

static int make_table(const struct manager *manager, struct hl_snapshot *snapshot,
		      struct hl_table **ret_table)
{
	struct hl_table *table = NULL;
	int r = set_known_names(manager, snapshot);

	if (r == 0)
		r = hl_table_new(snapshot, &table);
	if (r < 0)
		return r;
	r = correct_names(manager, table, snapshot);
	if (r != 0)
		hl_table_unref(table);
	if (r > 0)
		return hl_table_new(snapshot, ret_table);
	*ret_table = table;
	return r;
}

static void on_leaving(void *userdata, struct domain *domain)
{
	struct manager *manager = userdata;

	watch_forget(manager->watch, domain);
	notify_observers(manager, leaving, domain);
}

static int read_table(struct manager *manager, struct hl_table **ret_table)
{
	_cleanup_(snapshot_freep) struct hl_snapshot *snapshot = NULL;
	int r = hl_snapshot_read(manager->hl, &snapshot);
	uint64_t now = loop_now();

	if (r < 0)
		return r;
	r = make_table(manager, snapshot, ret_table);
	if (r < 0)
		return r;
	r = domains_sync(manager->domains, *ret_table, on_leaving, manager);
	hl_table_unref(manager->synced);
	manager->synced = hl_table_ref(*ret_table);
	manager->synced_at = now;
	watch_sync(manager->watch, *ret_table);
	if (r < 0)
		*ret_table = hl_table_unref(*ret_table);
	return r;
}

/* One that is adopted goes on to exist, as another object. */
static const char *removal_reason(const struct hl_domain *row, const struct hl_table *next)
{
	const struct hl_domain *now;

	if (row->live && row->origin == HL_ORIGIN_POST_BOOT &&
	    hl_table_find_domid(next, row->domid, &now) == 0 && now->live && now->adopted &&
	    strcmp(now->handle_text, row->handle_text) == 0)
		return "adopted";
	return row->reason[0] != '\0' ? row->reason : "destroyed";
}

static void notify_removals(struct manager *manager, const struct hl_diff *diff,
			    const struct hl_table *next)
{
	for (uint32_t i = 0; i < hl_diff_nr_changes(diff); i++) {
		const struct hl_change *change = hl_diff_get(diff, i);

		if (change->type == HL_CHANGE_REMOVED)
			notify_observers(manager, removing, change->before,
					 removal_reason(change->before, next));
	}
}

/* Before they are announced: what is announced has it. */
static void show_xenstore_of_new(struct manager *manager)
{
	for (struct domain *d = domains_first(manager->domains); d; d = d->next) {
		if (d->is_new) {
			d->shown = watch_domain_state(d);
			d->shown_error = d->completion.error;
		}
		d->is_new = false;
	}
}

static void notify_additions(struct manager *manager, const struct hl_diff *diff)
{
	for (uint32_t i = 0; i < hl_diff_nr_changes(diff); i++) {
		const struct hl_change *change = hl_diff_get(diff, i);

		if (change->type == HL_CHANGE_ADDED)
			notify_observers(manager, added, change->after);
	}
}

/* One call for each row, whatever changed in it. */
static void notify_changes(struct manager *manager, const struct hl_diff *diff)
{
	for (uint32_t i = 0; i < hl_diff_nr_changes(diff); i++) {
		const struct hl_change *change = hl_diff_get(diff, i);
		struct domain *domain;
		uint32_t fields;

		if (change->type != HL_CHANGE_CHANGED)
			continue;
		/* The object, and what it showed of xenstore, came or went with it. */
		fields = change->fields |
			 (change->fields & HL_FIELD_LIVE ? MANAGER_CHANGED_XENSTORE : 0);
		domain = domains_find(manager->domains, change->after->domid,
				      change->after->generation);
		if (domain)
			domain->changed = fields;
		else
			notify_observers(manager, changed, change->after, fields);
	}
	for (struct domain *d = domains_first(manager->domains); d; d = d->next) {
		enum xs_domain_state state = watch_domain_state(d);
		bool changed = state != d->shown || d->completion.error != d->shown_error;
		uint32_t fields = d->changed | (changed ? MANAGER_CHANGED_XENSTORE : 0);

		d->shown = state;
		d->shown_error = d->completion.error;
		d->changed = 0;
		if (fields)
			notify_observers(manager, changed, d->row, fields);
	}
}

static void notify_whole(struct manager *manager, const struct hl_diff *diff,
			 const struct hl_table *before)
{
	enum store_state store =
		manager->watch ? store_state(watch_store(manager->watch)) : STORE_UNAVAILABLE;
	uint32_t fields = hl_diff_summary(diff);

	if (fields)
		notify_observers(manager, summary, before, manager->table, fields);
	if (hl_table_nr_domains(before) != hl_table_nr_domains(manager->table))
		notify_observers(manager, count);
	if (store != manager->shown_store) {
		manager->shown_store = store;
		notify_observers(manager, xenstore);
	}
}

static void notify_service_manager(const struct manager *manager)
{
	const struct hl_summary *summary = hl_table_summary(manager->table);

	notify_status("launch %s, %" PRIu32 " domains, xenstore %s%s",
		      hl_launch_state_name(summary->state), hl_table_nr_domains(manager->table),
		      manager_xenstore_state(manager),
		      manager->not_heard ? "; changes are seen late: Xen is not heard" : "");
}

/* Takes `next` over.  Removals are announced before they are true, all else after. */
static int swap_table(struct manager *manager, struct hl_table *next)
{
	_cleanup_(table_unrefp) struct hl_table *before = next;
	_cleanup_(diff_freep) struct hl_diff *diff = NULL;
	int r = hl_diff_new(manager->table, next, &diff);

	if (r < 0)
		return r;
	before = manager->table;
	notify_removals(manager, diff, next);
	manager->table = next;
	show_xenstore_of_new(manager);
	notify_additions(manager, diff);
	notify_changes(manager, diff);
	notify_whole(manager, diff, before);
	if (hl_diff_nr_changes(diff) > 0 || hl_diff_summary(diff) != 0)
		notify_service_manager(manager);
	notify_observers(manager, done);
	return 0;
}

static uint32_t count_dying(const struct hl_table *table)
{
	uint32_t nr = 0;

	for (uint32_t i = 0; i < hl_table_nr_domains(table); i++)
		nr += hl_table_get(table, i)->state == HL_DOMAIN_DYING;
	return nr;
}

/*
 * @releaseDomain fires when the teardown of a domain starts.  Its end is announced
 * by a Xen that has launched an LCM only, so poll with others: often at first, and once a
 * minute for a domain that never ends.
 */
static void arm_dying_timer(struct manager *manager)
{
	const struct hl_summary *summary = hl_table_summary(manager->table);
	bool announced =
		manager->hypervisor && summary->available && summary->state != HL_LAUNCH_NONE;
	uint32_t nr = announced ? 0 : count_dying(manager->table);

	if (nr > manager->nr_dying)
		manager->dying_delay = DYING_MIN;
	manager->nr_dying = nr;
	if (nr > 0 && timer_set(manager->dying, manager->dying_delay) < 0)
		log_error("no timer: the end of a domain may be seen late");
}

/*
 * A toolstack's domain is announced with its name, which takes a moment to be
 * read.  True while that is waited for; the table stays as it is then.
 */
static bool hold_for_names(struct manager *manager)
{
	uint64_t now = loop_now();

	if (!watch_awaits_names(manager->watch)) {
		manager->hold_until = 0;
		return false;
	}
	if (manager->hold_until == 0)
		manager->hold_until = now + HOLD_MAX;
	return now < manager->hold_until &&
	       timer_set(manager->refresh, manager->hold_until - now) == 0;
}

/* at_once: what is known by now is shown, whether or not names are awaited. */
static int refresh(struct manager *manager, bool at_once)
{
	struct hl_table *next;
	int r = read_table(manager, &next);

	manager->read_at = loop_now();
	if (r == 0 && !at_once && hold_for_names(manager)) {
		hl_table_unref(next);
		return 0;
	}
	if (r == 0)
		r = swap_table(manager, next);
	if (r < 0 && r != manager->last_error)
		log_error("cannot read the state of the domains: %s", strerror(-r));
	if (r == 0 && manager->last_error < 0)
		log_notice("the state of the domains can be read again");
	manager->last_error = r;
	arm_dying_timer(manager);
	return r;
}

static void on_refresh(void *userdata)
{
	/* Logged by refresh(); the table stays as it was. */
	(void)refresh(userdata, false);
}

/* The first at once, all that come within PERIOD of the last one together. */
void manager_request_refresh(struct manager *manager)
{
	uint64_t age = loop_now() - manager->read_at;

	if (manager->hold_until == 0 && timer_is_set(manager->refresh))
		return;
	if (timer_set(manager->refresh, age < PERIOD ? PERIOD - age : 0) < 0)
		log_error("no timer: changes of domains will be seen late");
}

static void on_dying(void *userdata)
{
	struct manager *manager = userdata;

	if (manager->dying_delay < DYING_MAX / 2)
		manager->dying_delay *= 2;
	else
		manager->dying_delay = DYING_MAX;
	manager_request_refresh(manager);
}

static void on_watch_changed(void *userdata)
{
	manager_request_refresh(userdata);
}

static void on_hypervisor(void *userdata)
{
	struct manager *manager = userdata;
	int r = hl_process(manager->hl);

	if (r < 0) {
		/* A restart opens it again, and loses nothing. */
		log_error("cannot receive notifications from the hypervisor any more: %s",
			  strerror(-r));
		loop_stop(manager->loop, r);
		return;
	}
	if (r > 0)
		manager_request_refresh(manager);
}

/* Once for each time that it is lost. */
static void log_not_heard(struct manager *manager, int error)
{
	static const struct log_fields fields = {.message_id = LOG_ID_XEN_NOT_HEARD};

	if (manager->not_heard)
		return;
	if (error == -EEXIST)
		log_with(LOG_ERR, &fields,
			 "another process of this domain has Xen's interrupt for changes, which "
			 "only one can have: end it; changes will be seen late until then");
	else
		log_with(LOG_ERR, &fields,
			 "changes of domains will be seen late: cannot listen to Xen: %s",
			 strerror(-error));
}

/* 0: it is listened to, or announces nothing. */
static int listen_to_hypervisor(struct manager *manager)
{
	int fd = hl_get_fd(manager->hl);

	if (fd == -EOPNOTSUPP) {
		log_debug("this hypervisor announces no changes of the launch");
		return 0;
	}
	if (fd < 0)
		return fd;
	return io_new_read(manager->loop, fd, on_hypervisor, manager, &manager->hypervisor);
}

/* Retried until it succeeds: the process that has the interrupt may end. */
static void watch_hypervisor(struct manager *manager)
{
	int r = listen_to_hypervisor(manager);

	if (r == 0) {
		manager->not_heard = false;
		return;
	}
	log_not_heard(manager, r);
	manager->listen_delay = manager->not_heard ? manager->listen_delay * 2 : LISTEN_MIN;
	if (manager->listen_delay > LISTEN_MAX)
		manager->listen_delay = LISTEN_MAX;
	manager->not_heard = true;
	if (timer_set(manager->listen, manager->listen_delay) < 0)
		log_error("no timer: changes of domains will be seen late");
}

static void on_listen(void *userdata)
{
	struct manager *manager = userdata;

	watch_hypervisor(manager);
	if (manager->not_heard)
		return;
	log_notice("Xen's interrupt for changes is free again, and listened to");
	notify_service_manager(manager);
	/* What was not announced. */
	manager_request_refresh(manager);
}

/* A simulated hypervisor has a xenstored only where the environment names its socket. */
static int start_watch(struct manager *manager)
{
	const struct watch_config config = {
		.loop = manager->loop,
		.domains = manager->domains,
		.changed = on_watch_changed,
		.userdata = manager,
	};

	if (strcmp(hl_backend(manager->hl), "xen") != 0 && !getenv("XENSTORED_PATH"))
		return 0;
	return watch_new(&config, &manager->watch);
}

static int start(struct manager *manager)
{
	int r = domains_new(&manager->domains);

	if (r == 0)
		r = timer_new(manager->loop, on_refresh, manager, &manager->refresh);
	if (r == 0)
		r = timer_new(manager->loop, on_dying, manager, &manager->dying);
	if (r == 0)
		r = start_watch(manager);
	if (r == 0)
		r = timer_new(manager->loop, on_listen, manager, &manager->listen);
	if (r == 0)
		watch_hypervisor(manager);
	if (r == 0)
		r = read_table(manager, &manager->table);
	if (r == 0)
		show_xenstore_of_new(manager);
	manager->read_at = loop_now();
	return r;
}

int manager_new(struct loop *loop, struct hl_ctx *hl, struct manager **ret_manager)
{
	struct manager *manager = calloc(1, sizeof(*manager));
	int r;

	if (!manager)
		return -ENOMEM;
	manager->loop = loop;
	manager->hl = hl_ref(hl);
	r = start(manager);
	if (r < 0) {
		manager_free(manager);
		return r;
	}
	*ret_manager = manager;
	return 0;
}

struct manager *manager_free(struct manager *manager)
{
	if (!manager)
		return NULL;
	io_free(manager->hypervisor);
	timer_free(manager->listen);
	timer_free(manager->dying);
	timer_free(manager->refresh);
	watch_free(manager->watch);
	domains_free(manager->domains);
	hl_table_unref(manager->synced);
	hl_table_unref(manager->table);
	hl_unref(manager->hl);
	free(manager);
	return NULL;
}

void manager_observe(struct manager *manager, struct manager_observer *observer)
{
	struct manager_observer **p = &manager->observers;

	while (*p)
		p = &(*p)->next;
	observer->next = NULL;
	*p = observer;
}

void manager_unobserve(struct manager *manager, const struct manager_observer *observer)
{
	struct manager_observer **p = &manager->observers;

	while (*p && *p != observer)
		p = &(*p)->next;
	if (*p)
		*p = observer->next;
}

struct hl_table *manager_table(const struct manager *manager)
{
	return manager->table;
}

struct hl_ctx *manager_hl(const struct manager *manager)
{
	return manager->hl;
}

struct domains *manager_domains(const struct manager *manager)
{
	return manager->domains;
}

struct watch *manager_watch(const struct manager *manager)
{
	return manager->watch;
}

const char *manager_xenstore_state(const struct manager *manager)
{
	static const char *const names[] = {
		[STORE_UNAVAILABLE] = "unavailable",
		[STORE_UNRESPONSIVE] = "unresponsive",
		[STORE_CONNECTED] = "connected",
	};

	return manager->watch ? names[manager->shown_store] : "none";
}

enum xs_domain_state manager_domain_xenstore(const struct manager *manager,
					     const struct hl_domain *domain)
{
	const struct domain *found =
		domains_find(manager->domains, domain->domid, domain->generation);

	return found ? found->shown : XS_DOMAIN_NONE;
}

void manager_refresh_if_stale(struct manager *manager)
{
	bool pending = manager->hold_until == 0 && timer_is_set(manager->refresh);

	if (!pending && loop_now() - manager->read_at <= MAX_AGE)
		return;
	timer_stop(manager->refresh);
	(void)refresh(manager, false);
}

int manager_refresh_if_older(struct manager *manager, uint64_t usec)
{
	return loop_now() - manager->synced_at <= usec ? 0 : refresh(manager, false);
}

uint64_t manager_read_at(const struct manager *manager)
{
	return manager->synced_at;
}

void manager_refresh(struct manager *manager)
{
	(void)refresh(manager, true);
}

int manager_domain_error(const struct manager *manager, const struct hl_domain *domain)
{
	const struct domain *found =
		domains_find(manager->domains, domain->domid, domain->generation);

	return found ? found->shown_error : 0;
}

int manager_reconcile(struct manager *manager)
{
	for (struct domain *d = domains_first(manager->domains); d; d = d->next) {
		d->completion.tries = 0;
		d->completion.next_try = 0;
		d->completion.configured = d->completion.opened = false;
		if (manager->watch)
			watch_read(manager->watch, d);
	}
	return refresh(manager, true);
}

void manager_heartbeat(struct manager *manager)
{
	if (manager->watch)
		store_check(watch_store(manager->watch));
}
