// SPDX-License-Identifier: LGPL-2.1-or-later
#include "manager.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "log.h"
#include "loop.h"
#include "notify.h"
#include "util.h"

#define MAX_AGE USEC_PER_SEC

/* A table and what xenstore adds to each row; never changed once made. */
struct view {
	struct hl_table *table;
	enum xs_domain_state *xenstore; /* one for each row */
};

struct manager {
	struct loop *loop;
	struct hl_ctx *hl;
	struct xenstore *xs;
	struct event *hl_event;
	struct deferred *refresh;
	struct event *dying; /* pending while a domain is being torn down */
	struct view *view;
	uint64_t read_at;
	bool xenstore_connected;
	int last_error; /* of a refresh, to tell it once */
	const struct manager_observer *observer;
	void *observer_data;
};

static struct view *view_free(struct view *view)
{
	if (!view)
		return NULL;
	hl_table_unref(view->table);
	free(view->xenstore);
	free(view);
	return NULL;
}

static void view_freep(struct view **view)
{
	view_free(*view);
}

static void snapshot_freep(struct hl_snapshot **snapshot)
{
	hl_snapshot_free(*snapshot);
}

static void diff_freep(struct hl_diff **diff)
{
	hl_diff_free(*diff);
}

/* Takes `table` over, also on failure. */
static int view_new(const struct xenstore *xs, struct hl_table *table, struct view **ret_view)
{
	uint32_t nr = hl_table_nr_domains(table);
	struct view *view = calloc(1, sizeof(*view));

	if (!view) {
		hl_table_unref(table);
		return -ENOMEM;
	}
	view->table = table;
	view->xenstore = calloc((size_t)nr + 1, sizeof(*view->xenstore));
	if (!view->xenstore) {
		view_free(view);
		return -ENOMEM;
	}
	for (uint32_t i = 0; i < nr; i++)
		view->xenstore[i] = xenstore_domain_state(xs, hl_table_get(table, i));
	*ret_view = view;
	return 0;
}

/* In xenstore; of a domain whose nodes go before it does, what it was called last. */
static const char *current_name(const struct manager *manager, const struct hl_domain *row)
{
	const char *name = row->live ? xenstore_name(manager->xs, row) : NULL;
	const struct hl_domain *before;

	if (name && *name)
		return name;
	if (*row->name || !row->live || !manager->view)
		return NULL;
	if (hl_table_find(manager->view->table, row->domid, row->generation, &before) < 0)
		return NULL;
	return before->name;
}

/* Gives the snapshot's domains their names.  1: there are some. */
static int set_names(const struct manager *manager, const struct hl_table *table, struct hl_snapshot *snapshot)
{
	int any = 0;

	for (uint32_t i = 0; i < hl_table_nr_domains(table); i++) {
		const struct hl_domain *row = hl_table_get(table, i);
		const char *name = current_name(manager, row);
		int r;

		if (!name || strcmp(name, row->name) == 0)
			continue;
		r = hl_snapshot_set_name(snapshot, row->domid, name);
		if (r < 0)
			return r;
		any = 1;
	}
	return any;
}

static int read_view(struct manager *manager, struct view **ret_view)
{
	_cleanup_(snapshot_freep) struct hl_snapshot *snapshot = NULL;
	struct hl_table *table, *named;
	int r = hl_snapshot_read(manager->hl, &snapshot);

	if (r < 0)
		return r;
	r = hl_table_new(snapshot, &table);
	if (r < 0)
		return r;
	xenstore_sync(manager->xs, table);
	r = set_names(manager, table, snapshot);
	if (r > 0) {
		r = hl_table_new(snapshot, &named);
		if (r == 0) {
			hl_table_unref(table);
			table = named;
		}
	}
	if (r < 0) {
		hl_table_unref(table);
		return r;
	}
	return view_new(manager->xs, table, ret_view);
}

static uint32_t row_index(const struct hl_table *table, const struct hl_domain *domain)
{
	uint32_t nr = hl_table_nr_domains(table), i = 0;

	while (i < nr && hl_table_get(table, i) != domain)
		i++;
	return i;
}

/* The row of the same domain in another table; NULL: none. */
static const struct hl_domain *same_row(const struct hl_table *table, const struct hl_domain *domain)
{
	const struct hl_domain *other;

	if (hl_table_find(table, domain->domid, domain->generation, &other) < 0)
		return NULL;
	return other;
}

static enum xs_domain_state view_xenstore(const struct view *view, const struct hl_domain *domain)
{
	const struct hl_domain *row = same_row(view->table, domain);

	return row ? view->xenstore[row_index(view->table, row)] : XS_DOMAIN_NONE;
}

static void tell_removals(struct manager *manager, const struct hl_diff *diff)
{
	for (uint32_t i = 0; i < hl_diff_nr_changes(diff); i++) {
		const struct hl_change *change = hl_diff_get(diff, i);

		if (change->type == HL_CHANGE_REMOVED)
			manager->observer->removing(manager->observer_data, change->before);
	}
}

static void tell_additions(struct manager *manager, const struct hl_diff *diff)
{
	for (uint32_t i = 0; i < hl_diff_nr_changes(diff); i++) {
		const struct hl_change *change = hl_diff_get(diff, i);

		if (change->type == HL_CHANGE_ADDED)
			manager->observer->added(manager->observer_data, change->after);
	}
}

static uint32_t changed_fields(const struct hl_diff *diff, const struct hl_domain *row)
{
	for (uint32_t i = 0; i < hl_diff_nr_changes(diff); i++) {
		const struct hl_change *change = hl_diff_get(diff, i);

		if (change->type == HL_CHANGE_CHANGED && change->after == row)
			return change->fields;
	}
	return 0;
}

/* One call for each row, whatever changed in it. */
static void tell_changes(struct manager *manager, const struct hl_diff *diff, const struct view *before)
{
	const struct view *after = manager->view;

	for (uint32_t i = 0; i < hl_table_nr_domains(after->table); i++) {
		const struct hl_domain *row = hl_table_get(after->table, i);
		uint32_t fields = changed_fields(diff, row);

		if (!same_row(before->table, row))
			continue;
		if (after->xenstore[i] != view_xenstore(before, row))
			fields |= MANAGER_CHANGED_XENSTORE;
		if (fields)
			manager->observer->changed(manager->observer_data, row, fields);
	}
}

static void tell_whole(struct manager *manager, const struct hl_diff *diff, const struct view *before)
{
	const struct hl_table *after = manager->view->table;
	bool connected = xenstore_is_connected(manager->xs);
	uint32_t fields = hl_diff_summary(diff);

	if (fields)
		manager->observer->summary(manager->observer_data, hl_table_summary(before->table),
					   hl_table_summary(after), fields);
	if (hl_table_nr_domains(before->table) != hl_table_nr_domains(after))
		manager->observer->count(manager->observer_data);
	if (connected != manager->xenstore_connected)
		manager->observer->xenstore(manager->observer_data);
	manager->xenstore_connected = connected;
}

static void tell_service_manager(const struct manager *manager)
{
	const struct hl_summary *summary = hl_table_summary(manager->view->table);

	notify_status("launch %s, %" PRIu32 " domains, xenstore %s", hl_launch_state_name(summary->state),
		      hl_table_nr_domains(manager->view->table), manager_xenstore_state(manager));
}

/* Takes `next` over.  Removals are told before they are true, all else after. */
static int swap_view(struct manager *manager, struct view *next)
{
	_cleanup_(view_freep) struct view *before = manager->view;
	_cleanup_(diff_freep) struct hl_diff *diff = NULL;
	int r = hl_diff_new(before->table, next->table, &diff);

	if (r < 0) {
		view_free(next);
		before = NULL;
		return r;
	}
	if (manager->observer)
		tell_removals(manager, diff);
	manager->view = next;
	if (manager->observer) {
		tell_additions(manager, diff);
		tell_changes(manager, diff, before);
		tell_whole(manager, diff, before);
	}
	if (hl_diff_nr_changes(diff) > 0 || hl_diff_summary(diff) != 0)
		tell_service_manager(manager);
	return 0;
}

static bool any_dying(const struct hl_table *table)
{
	for (uint32_t i = 0; i < hl_table_nr_domains(table); i++)
		if (hl_table_get(table, i)->state == HL_DOMAIN_DYING)
			return true;
	return false;
}

/* xenstored tells when a domain begins to go, nobody when it is gone: look again soon. */
static void await_the_dying(struct manager *manager)
{
	static const struct timeval soon = {.tv_usec = 200 * 1000};

	if (any_dying(manager->view->table) && evtimer_add(manager->dying, &soon) < 0)
		log_error("no timer: the end of a domain may be told late");
}

static int refresh(struct manager *manager)
{
	struct view *next;
	int r = read_view(manager, &next);

	manager->read_at = loop_now();
	if (r == 0)
		r = swap_view(manager, next);
	if (r < 0 && r != manager->last_error)
		log_error("cannot read the state of the domains: %s", strerror(-r));
	if (r == 0 && manager->last_error < 0)
		log_notice("the state of the domains can be read again");
	manager->last_error = r;
	await_the_dying(manager);
	return r;
}

static void on_refresh(void *userdata)
{
	/* Told by refresh(); the table stays as it was. */
	(void)refresh(userdata);
}

static void on_dying(evutil_socket_t fd, short what, void *userdata)
{
	struct manager *manager = userdata;

	deferred_request(manager->refresh);
}

static void on_xenstore_changed(void *userdata)
{
	struct manager *manager = userdata;

	deferred_request(manager->refresh);
}

static void on_hypervisor(evutil_socket_t fd, short what, void *userdata)
{
	struct manager *manager = userdata;
	int r = hl_process(manager->hl);

	if (r < 0) {
		log_error("no more news from the hypervisor: %s", strerror(-r));
		event_del(manager->hl_event);
		return;
	}
	if (r > 0)
		deferred_request(manager->refresh);
}

static int watch_hypervisor(struct manager *manager)
{
	int fd = hl_get_fd(manager->hl);

	if (fd == -EOPNOTSUPP) {
		log_debug("this hypervisor announces no changes of the launch");
		return 0;
	}
	if (fd < 0) {
		log_warning("changes of the launch will be seen late: cannot listen for them: %s", strerror(-fd));
		return 0;
	}
	manager->hl_event = event_new(loop_base(manager->loop), fd, EV_READ | EV_PERSIST, on_hypervisor, manager);
	if (!manager->hl_event || event_add(manager->hl_event, NULL) < 0)
		return -ENOMEM;
	return 0;
}

/* A simulated hypervisor has a xenstored only where somebody names its socket. */
static int start_xenstore(struct manager *manager)
{
	bool real = strcmp(hl_backend(manager->hl), "xen") == 0;
	struct xenstore_config config = {
		.set_handles = real,
		.changed = on_xenstore_changed,
		.userdata = manager,
	};

	if (!real && !getenv("XENSTORED_PATH"))
		return 0;
	return xenstore_new(manager->loop, &config, &manager->xs);
}

static int start(struct manager *manager)
{
	int r = deferred_new(manager->loop, on_refresh, manager, &manager->refresh);

	manager->dying = evtimer_new(loop_base(manager->loop), on_dying, manager);
	if (r == 0 && !manager->dying)
		r = -ENOMEM;
	if (r == 0)
		r = start_xenstore(manager);
	if (r == 0)
		r = watch_hypervisor(manager);
	if (r == 0)
		r = read_view(manager, &manager->view);
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
	if (manager->hl_event)
		event_free(manager->hl_event);
	if (manager->dying)
		event_free(manager->dying);
	deferred_free(manager->refresh);
	xenstore_free(manager->xs);
	view_free(manager->view);
	hl_unref(manager->hl);
	free(manager);
	return NULL;
}

void manager_observe(struct manager *manager, const struct manager_observer *observer, void *userdata)
{
	manager->observer = observer;
	manager->observer_data = userdata;
}

struct hl_table *manager_table(const struct manager *manager)
{
	return manager->view->table;
}

struct hl_ctx *manager_hl(const struct manager *manager)
{
	return manager->hl;
}

const char *manager_xenstore_state(const struct manager *manager)
{
	if (!manager->xs)
		return "none";
	return xenstore_is_connected(manager->xs) ? "connected" : "unavailable";
}

enum xs_domain_state manager_domain_xenstore(const struct manager *manager, const struct hl_domain *domain)
{
	return view_xenstore(manager->view, domain);
}

void manager_freshen(struct manager *manager)
{
	if (loop_now() - manager->read_at > MAX_AGE)
		(void)refresh(manager);
}

void manager_refresh(struct manager *manager)
{
	(void)refresh(manager);
}

int manager_set_console_owner(struct manager *manager, uint32_t domid)
{
	int r = hl_set_console(manager->hl, domid);

	if (r != -EAGAIN)
		manager_refresh(manager);
	return r;
}

int manager_release(struct manager *manager, uint32_t domid)
{
	int r = hl_release(manager->hl, domid);
	const struct hl_domain *domain;

	manager_refresh(manager);
	/* To Xen a domain that a toolstack made is none that could be held. */
	if (r == -ESRCH && hl_table_find_domid(manager->view->table, domid, &domain) == 0 &&
	    domain->origin == HL_ORIGIN_POST_BOOT)
		r = -EBUSY;
	return r == -EBUSY ? -EALREADY : r;
}

void manager_heartbeat(struct manager *manager)
{
	xenstore_check(manager->xs);
}
