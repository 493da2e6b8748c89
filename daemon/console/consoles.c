// SPDX-License-Identifier: LGPL-2.1-or-later
/* From events of the helpers to the facts of each domain, and from these to an observer. */
#include "console/consoles.h"

#include <errno.h>
#include <hyperlaunch/hl.h>
#include <inttypes.h>
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/clock.h"
#include "common/packet.h"
#include "common/uuid.h"
#include "console/event.h"
#include "domains/manager.h"
#include "loop/log.h"
#include "loop/loop.h"
#include "loop/timer.h"
#include "peers/carrier.h"
#include "peers/peer.h"

/* Between two times that the observer is told of changes. */
#define PERIOD (50 * USEC_PER_MSEC)
/* Of one helper: more than it can serve. */
#define MAX_REPORTS 4096u
#define NR_BUCKETS  256u

/* What a helper says of a domid; which domain that is about may not be known (yet). */
struct report {
	struct console_helper *helper;
	uint32_t domid;
	struct console_facts facts;
	bool renewed; /* on this connection */
	bool lost;    /* the helper is not connected */
	bool matched; /* it was about the domain of this generation once */
	uint64_t generation;
	struct report *next; /* of the bucket */
};

struct console_helper {
	struct consoles *consoles;
	struct peer *peer;
	uint32_t domid; /* where it runs */
	bool is_remote; /* what it says its domain is does not count */
	unsigned int nr_reports;
	struct console_helper *next;
};

struct consoles {
	struct loop *loop;
	struct manager *manager;
	struct console_helper *helpers; /* ours first; then as they were added */
	struct report *reports[NR_BUCKETS];
	struct timer *flush;
	uint64_t flushed_at;
	struct manager_observer on_domains;
	const struct consoles_observer *observer;
	struct consoles_listener *listeners;
};

static void request_flush(struct consoles *consoles)
{
	uint64_t age = loop_now() - consoles->flushed_at;

	if (!timer_is_set(consoles->flush) &&
	    timer_set(consoles->flush, age < PERIOD ? PERIOD - age : 0) < 0)
		log_error("no timer: changes of consoles will be seen late");
}

static bool in_table(const struct consoles *consoles, const struct domain *domain)
{
	const struct hl_domain *row;

	return hl_table_find(manager_table(consoles->manager), domain->domid, domain->generation,
			     &row) == 0;
}

static void flush_one(const struct consoles *consoles, struct domain *domain)
{
	const struct consoles_observer *observer = consoles->observer;
	struct console_facts *facts = &domain->console;
	bool shown = facts->shown;
	uint32_t changed = facts->changed;

	if (!observer || !in_table(consoles, domain))
		return;
	facts->shown = facts->state != CONSOLE_NONE;
	facts->changed = 0;
	if (facts->shown && !shown)
		observer->added(observer->userdata, domain);
	else if (!facts->shown && shown)
		observer->removed(observer->userdata, domain);
	else if (shown && changed)
		observer->changed(observer->userdata, domain, changed);
}

void consoles_flush(struct consoles *consoles)
{
	timer_stop(consoles->flush);
	consoles->flushed_at = loop_now();
	for (struct domain *d = domains_first(manager_domains(consoles->manager)); d; d = d->next)
		if (d->console.changed || d->console.shown != (d->console.state != CONSOLE_NONE))
			flush_one(consoles, d);
	for (const struct consoles_listener *l = consoles->listeners; l; l = l->next)
		l->reported(l->userdata);
}

static void on_flush(void *userdata)
{
	consoles_flush(userdata);
}

/* What a helper reports; what is ours to know of it stays. */
static void set_facts(struct console_facts *facts, const struct console_facts *new)
{
	struct console_facts before = *facts;

	*facts = *new;
	facts->shown = before.shown;
	facts->changed = before.changed;
	/* The next connection is another try. */
	facts->early_tried = before.early_tried &&
			     before.helper == new->helper &&new->state != CONSOLE_UNAVAILABLE;
	facts->relay_next = before.relay_next;
	facts->changed |= before.state != new->state ? CONSOLE_CHANGED_STATE : 0;
	facts->changed |= strcmp(before.tty, new->tty) != 0 ? CONSOLE_CHANGED_TTY : 0;
	facts->changed |= before.owner != new->owner ? CONSOLE_CHANGED_OWNER : 0;
	facts->changed |= before.attached != new->attached ? CONSOLE_CHANGED_ATTACHED : 0;
	facts->changed |= before.dropped != new->dropped ? CONSOLE_CHANGED_DROPPED : 0;
}

static struct report **bucket_of(struct consoles *consoles, uint32_t domid)
{
	return &consoles->reports[domid % NR_BUCKETS];
}

static struct report *find_report(const struct console_helper *helper, uint32_t domid)
{
	struct report *report = *bucket_of(helper->consoles, domid);

	while (report && (report->helper != helper || report->domid != domid))
		report = report->next;
	return report;
}

static void drop_report(struct report *report)
{
	struct report **p = bucket_of(report->helper->consoles, report->domid);

	while (*p != report)
		p = &(*p)->next;
	*p = report->next;
	report->helper->nr_reports--;
	free(report);
}

/* NULL: no memory, or the helper reports more than there can be. */
static struct report *add_report(struct console_helper *helper, uint32_t domid)
{
	struct report **bucket = bucket_of(helper->consoles, domid), *report = NULL;

	if (helper->nr_reports < MAX_REPORTS)
		report = calloc(1, sizeof(*report));
	if (!report) {
		log_debug("the console of domain %" PRIu32 " is left out: too many", domid);
		return NULL;
	}
	report->helper = helper;
	report->domid = domid;
	report->next = *bucket;
	*bucket = report;
	helper->nr_reports++;
	return report;
}

/* A domid may have another domain than the one that the helper means. */
static bool is_about(const struct domain *domain, const char *uuid)
{
	const struct hl_domain *row = domain->row;
	uint8_t bytes[16];

	if (hl_uuid_from_text(uuid, bytes) < 0 || uuid_is_nil(bytes) || uuid_is_nil(row->handle))
		return true;
	return memcmp(bytes, row->handle, sizeof(bytes)) == 0 ||
	       memcmp(bytes, row->uuid, sizeof(bytes)) == 0 ||
	       memcmp(bytes, domain->xenstore.vm_uuid, sizeof(bytes)) == 0;
}

/* One that it was of once stays its domain: handles can be changed. */
static bool match(struct report *report, const struct domain *domain)
{
	if (report->matched && report->generation == domain->generation)
		return true;
	report->matched = is_about(domain, report->facts.uuid);
	report->generation = domain->generation;
	return report->matched;
}

static bool is_relay(const struct report *report)
{
	return report->facts.state == CONSOLE_RELAYED || report->facts.state == CONSOLE_DETACHED;
}

static enum console_state state_of(const struct report *report)
{
	/* What another one serves is not missed. */
	if (report->lost && report->facts.state != CONSOLE_RELEASED)
		return CONSOLE_UNAVAILABLE;
	return report->facts.state;
}

/* Of two helpers that report one domain, the higher one counts; of two alike, the first of the
 * list. */
static unsigned int rank_of(const struct report *report)
{
	static const unsigned int ranks[] = {
		[CONSOLE_SERVING] = 5, [CONSOLE_BROKEN] = 4,   [CONSOLE_UNAVAILABLE] = 3,
		[CONSOLE_WAITING] = 2, [CONSOLE_RELEASED] = 1,
	};

	return ranks[state_of(report)];
}

static struct report *choose(const struct consoles *consoles, const struct domain *domain)
{
	struct report *best = NULL;

	for (const struct console_helper *h = consoles->helpers; h; h = h->next) {
		struct report *report = find_report(h, domain->domid);

		if (report && match(report, domain) && !is_relay(report) &&
		    (!best || rank_of(report) > rank_of(best)))
			best = report;
	}
	return best;
}

/* The next one, also where this one is dropped; NULL: that was the last. */
#define for_each_report(consoles, report, next_one)                              \
	for (unsigned int _i = 0; _i < NR_BUCKETS; _i++)                         \
		for (struct report *report = (consoles)->reports[_i], *next_one; \
		     report && (next_one = report->next, true); report = next_one)

/* Where another domain serves the console, xl console opens the relay's terminal. */
static void add_relay(const struct consoles *consoles, struct domain *domain,
		      struct console_facts *facts)
{
	const struct console_helper *own = consoles_own_helper(consoles);
	struct report *report = own ? find_report(own, domain->domid) : NULL;

	if (!report || facts->helper == own || report->lost || !match(report, domain) ||
	    facts->state != CONSOLE_SERVING)
		return;
	facts->relay = report->facts.state;
	if (is_relay(report))
		memcpy(facts->tty, report->facts.tty, sizeof(facts->tty));
}

/* A relay of a console that its back end does not serve any more: the domain or the back end's is
 * gone, or the back end has reported all that it serves. */
static bool is_stray(const struct consoles *consoles, struct report *report)
{
	const struct domains *domains = manager_domains(consoles->manager);
	const struct domain *domain = domains_find_domid(domains, report->domid);
	const struct console_helper *there = consoles_find_helper(consoles, report->facts.backend);

	if (!domain || !domains_find_domid(domains, report->facts.backend))
		return domains_first(domains);
	if (!match(report, domain))
		return true;
	return there && peer_is_ready(there->peer) && !find_report(there, report->domid);
}

bool consoles_find_stray_relay(const struct consoles *consoles, uint32_t *ret_domid)
{
	const struct console_helper *own = consoles_own_helper(consoles);

	for_each_report(consoles, report, next)
	{
		if (report->helper != own || report->lost || !is_relay(report) ||
		    !is_stray(consoles, report))
			continue;
		*ret_domid = report->domid;
		return true;
	}
	return false;
}

/* After a report of that domid has changed, or its domain has. */
static void update(struct consoles *consoles, uint32_t domid)
{
	struct domain *domain = domains_find_domid(manager_domains(consoles->manager), domid);
	const struct report *best = domain ? choose(consoles, domain) : NULL;
	struct console_facts facts;

	if (!domain || (!best && domain->console.state == CONSOLE_NONE))
		return;
	facts = best ? best->facts : (struct console_facts){.state = CONSOLE_NONE};
	if (best) {
		facts.helper = best->helper;
		facts.owner = best->helper->domid;
		facts.state = state_of(best);
		facts.attached = best->lost ? 0 : facts.attached;
		add_relay(consoles, domain, &facts);
	}
	set_facts(&domain->console, &facts);
	request_flush(consoles);
}

static void on_connected(void *userdata, uint32_t domid)
{
	struct console_helper *helper = userdata;

	if (helper->is_remote && domid != helper->domid)
		log_warning("the back end of consoles in domain %" PRIu32
			    " says that it is in %" PRIu32,
			    helper->domid, domid);
	if (!helper->is_remote)
		helper->domid = domid;
	for_each_report(helper->consoles, report, next) if (report->helper == helper)
		report->renewed = false;
}

static int on_console(struct console_helper *helper, json_object *members)
{
	struct console_facts facts = {.state = CONSOLE_NONE};
	struct report *report;
	uint32_t domid;
	int r = console_event_read(members, &domid, &facts);

	if (r < 0)
		return r;
	report = find_report(helper, domid);
	if (!report)
		report = add_report(helper, domid);
	if (!report)
		return 0;
	/* Programs of root open it here, so it is chosen here. */
	if (helper->is_remote)
		facts.tty[0] = '\0';
	report->matched = report->matched && strcmp(report->facts.uuid, facts.uuid) == 0;
	report->facts = facts;
	report->renewed = true;
	report->lost = false;
	update(helper->consoles, domid);
	return 0;
}

static int on_gone(const struct console_helper *helper, json_object *members)
{
	struct report *report;
	uint64_t domid;

	if (packet_get_uint(members, "domid", CONSOLE_MAX_DOMID, &domid) < 0)
		return -EBADMSG;
	report = find_report(helper, (uint32_t)domid);
	if (!report)
		return 0;
	drop_report(report);
	update(helper->consoles, (uint32_t)domid);
	return 0;
}

static int on_event(void *userdata, const char *name, json_object *members)
{
	if (strcmp(name, "console") == 0)
		return on_console(userdata, members);
	return strcmp(name, "gone") == 0 ? on_gone(userdata, members) : 0;
}

static void on_ready(void *userdata)
{
	struct console_helper *helper = userdata;

	for_each_report(helper->consoles, report, next)
	{
		uint32_t domid = report->domid;

		if (report->helper != helper || report->renewed)
			continue;
		drop_report(report);
		update(helper->consoles, domid);
	}
	request_flush(helper->consoles);
}

/* The helper may come back, and the consoles with it: what is known of them stays until then. */
static void on_disconnected(void *userdata)
{
	struct console_helper *helper = userdata;

	for_each_report(helper->consoles, report, next)
	{
		if (report->helper != helper)
			continue;
		report->lost = true;
		update(helper->consoles, report->domid);
	}
}

/* What a helper reports may be about the next domain with this domid. */
static void on_leaving(void *userdata, const struct domain *domain)
{
	struct consoles *consoles = userdata;

	for (struct report *r = *bucket_of(consoles, domain->domid); r; r = r->next)
		if (r->domid == domain->domid)
			r->matched = false;
	if (domain->console.shown && consoles->observer)
		consoles->observer->removed(consoles->observer->userdata, domain);
}

static void on_domains(void *userdata)
{
	struct consoles *consoles = userdata;

	for_each_report(consoles, report, next) if (!report->matched)
		update(consoles, report->domid);
	consoles_flush(consoles);
}

static void link_helper(struct console_helper *helper)
{
	struct console_helper **p = &helper->consoles->helpers;

	while (*p && (helper->is_remote || !(*p)->is_remote))
		p = &(*p)->next;
	helper->next = *p;
	*p = helper;
}

int consoles_add_helper(struct consoles *consoles, const struct peer_config *way, uint32_t domid,
			struct console_helper **ret_helper)
{
	struct console_helper *helper = calloc(1, sizeof(*helper));
	struct peer_config config = *way;
	int r;

	if (!helper) {
		way->carrier->type->free(way->carrier);
		return -ENOMEM;
	}
	helper->consoles = consoles;
	helper->domid = domid;
	helper->is_remote = domid != HL_NO_DOMID;
	config.loop = consoles->loop;
	config.kind = CONSOLES_KIND;
	config.connected = on_connected;
	config.event = on_event;
	config.ready = on_ready;
	config.disconnected = on_disconnected;
	config.userdata = helper;
	r = peer_new(&config, &helper->peer);
	if (r < 0) {
		free(helper);
		return r;
	}
	link_helper(helper);
	if (ret_helper)
		*ret_helper = helper;
	return 0;
}

struct console_helper *consoles_remove_helper(struct console_helper *helper)
{
	struct console_helper **p;

	if (!helper)
		return NULL;
	/* Whoever hears that a request has ended does not find it any more. */
	p = &helper->consoles->helpers;
	while (*p != helper)
		p = &(*p)->next;
	*p = helper->next;
	peer_free(helper->peer);
	for_each_report(helper->consoles, report, next)
	{
		uint32_t domid = report->domid;

		if (report->helper != helper)
			continue;
		drop_report(report);
		update(helper->consoles, domid);
	}
	request_flush(helper->consoles);
	free(helper);
	return NULL;
}

int consoles_new(struct loop *loop, struct manager *manager, struct consoles **ret_consoles)
{
	struct consoles *consoles = calloc(1, sizeof(*consoles));
	int r;

	if (!consoles)
		return -ENOMEM;
	consoles->loop = loop;
	consoles->manager = manager;
	r = timer_new(loop, on_flush, consoles, &consoles->flush);
	if (r < 0) {
		free(consoles);
		return r;
	}
	consoles->on_domains = (struct manager_observer){
		.leaving = on_leaving,
		.done = on_domains,
		.userdata = consoles,
	};
	manager_observe(manager, &consoles->on_domains);
	*ret_consoles = consoles;
	return 0;
}

void consoles_stop(struct consoles *consoles)
{
	consoles->observer = NULL;
	consoles->listeners = NULL;
	while (consoles->helpers)
		consoles_remove_helper(consoles->helpers);
}

struct consoles *consoles_free(struct consoles *consoles)
{
	if (!consoles)
		return NULL;
	consoles_stop(consoles);
	manager_unobserve(consoles->manager, &consoles->on_domains);
	timer_free(consoles->flush);
	free(consoles);
	return NULL;
}

void consoles_observe(struct consoles *consoles, const struct consoles_observer *observer)
{
	consoles->observer = observer;
}

void consoles_listen(struct consoles *consoles, struct consoles_listener *listener)
{
	listener->next = consoles->listeners;
	consoles->listeners = listener;
}

void consoles_unlisten(struct consoles *consoles, const struct consoles_listener *listener)
{
	struct consoles_listener **p = &consoles->listeners;

	while (*p && *p != listener)
		p = &(*p)->next;
	if (*p)
		*p = listener->next;
}

struct console_helper *consoles_find_helper(const struct consoles *consoles, uint32_t domid)
{
	struct console_helper *helper = consoles->helpers;

	while (helper && helper->domid != domid)
		helper = helper->next;
	return helper;
}

struct console_helper *consoles_own_helper(const struct consoles *consoles)
{
	struct console_helper *first = consoles->helpers;

	return first && !first->is_remote ? first : NULL;
}

static bool is_in_living_domain(const struct console_helper *helper)
{
	const struct domains *domains = manager_domains(helper->consoles->manager);
	const struct domain *domain = domains_find_domid(domains, helper->domid);

	return domain && domain->row && domain->row->state != HL_DOMAIN_DYING;
}

const struct console_helper *consoles_next_remote(const struct consoles *consoles,
						  const struct console_helper *helper)
{
	helper = helper ? helper->next : consoles->helpers;
	while (helper && !(helper->is_remote && is_in_living_domain(helper)))
		helper = helper->next;
	return helper;
}

bool consoles_any_ready(const struct consoles *consoles)
{
	for (const struct console_helper *h = consoles->helpers; h; h = h->next)
		if (peer_is_ready(h->peer))
			return true;
	return false;
}

struct peer *console_helper_peer(const struct console_helper *helper)
{
	return helper->peer;
}

uint32_t console_helper_domid(const struct console_helper *helper)
{
	return helper->domid;
}

bool console_helper_is_remote(const struct console_helper *helper)
{
	return helper->is_remote;
}

struct loop *consoles_loop(const struct consoles *consoles)
{
	return consoles->loop;
}

struct manager *consoles_manager(const struct consoles *consoles)
{
	return consoles->manager;
}
