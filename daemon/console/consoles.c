// SPDX-License-Identifier: LGPL-2.1-or-later
/* From events of the helper to the facts of each domain, and from these to an observer. */
#include "console/consoles.h"

#include <errno.h>
#include <hyperlaunch/hl.h>
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/clock.h"
#include "common/uuid.h"
#include "domains/manager.h"
#include "loop/log.h"
#include "loop/loop.h"
#include "loop/timer.h"
#include "peers/packet.h"
#include "peers/peer.h"

#define KIND "console"
/* Between two times that the observer is told of changes. */
#define PERIOD (50 * USEC_PER_MSEC)
/* Consoles of domains that are not known (yet). */
#define MAX_CLAIMS 1024

#define MAX_DOMID    0x7fefu
#define MAX_ATTACHED UINT32_MAX
#define MAX_DROPPED  ((uint64_t)INT64_MAX)

/* What the helper reports of a domid that has no domain which that can be about. */
struct claim {
	uint32_t domid;
	struct console_facts facts;
	struct claim *next;
};

struct consoles {
	struct manager *manager;
	struct peer *peer; /* NULL: no helper */
	struct timer *flush;
	uint64_t flushed_at;
	struct claim *claims;
	unsigned int nr_claims;
	uint32_t owner; /* the domain of the helper */
	struct manager_observer on_domains;
	const struct consoles_observer *observer;
};

static const char *const state_names[] = {
	[CONSOLE_NONE] = "",
	[CONSOLE_WAITING] = "waiting",
	[CONSOLE_SERVING] = "serving",
	[CONSOLE_BROKEN] = "broken",
	[CONSOLE_RELEASED] = "released",
	[CONSOLE_UNAVAILABLE] = "unavailable",
};

const char *console_state_name(enum console_state state)
{
	return state_names[state];
}

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
}

static void on_flush(void *userdata)
{
	consoles_flush(userdata);
}

/* What the helper reports; what is ours to know of it stays. */
static void set_facts(struct console_facts *facts, const struct console_facts *new)
{
	struct console_facts before = *facts;

	facts->changed |= before.state != new->state ? CONSOLE_CHANGED_STATE : 0;
	facts->changed |= strcmp(before.tty, new->tty) != 0 ? CONSOLE_CHANGED_TTY : 0;
	facts->changed |= before.owner != new->owner ? CONSOLE_CHANGED_OWNER : 0;
	facts->changed |= before.attached != new->attached ? CONSOLE_CHANGED_ATTACHED : 0;
	facts->changed |= before.dropped != new->dropped ? CONSOLE_CHANGED_DROPPED : 0;
	facts->state = new->state;
	facts->owner = new->owner;
	facts->attached = new->attached;
	facts->dropped = new->dropped;
	facts->renewed = true;
	memcpy(facts->tty, new->tty, sizeof(facts->tty));
	memcpy(facts->uuid, new->uuid, sizeof(facts->uuid));
}

static void clear_facts(struct consoles *consoles, struct console_facts *facts)
{
	if (facts->state == CONSOLE_NONE)
		return;
	facts->state = CONSOLE_NONE;
	request_flush(consoles);
}

static struct claim *find_claim(const struct consoles *consoles, uint32_t domid)
{
	struct claim *claim = consoles->claims;

	while (claim && claim->domid != domid)
		claim = claim->next;
	return claim;
}

static void drop_claim(struct consoles *consoles, const struct claim *claim)
{
	struct claim **p = &consoles->claims;

	while (*p && *p != claim)
		p = &(*p)->next;
	if (!*p)
		return;
	*p = claim->next;
	consoles->nr_claims--;
	free((void *)claim);
}

static int add_claim(struct consoles *consoles, uint32_t domid, const struct console_facts *facts)
{
	struct claim *claim = find_claim(consoles, domid);

	if (!claim && consoles->nr_claims == MAX_CLAIMS) {
		log_debug("too many consoles of unknown domains: that of %u is left out", domid);
		return 0;
	}
	if (!claim) {
		claim = calloc(1, sizeof(*claim));
		if (!claim)
			return -ENOMEM;
		claim->domid = domid;
		claim->next = consoles->claims;
		consoles->claims = claim;
		consoles->nr_claims++;
	}
	set_facts(&claim->facts, facts);
	return 0;
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

/* The domain that a report of the helper is about; NULL: it is not known (yet). */
static struct domain *find_domain(const struct consoles *consoles, uint32_t domid, const char *uuid)
{
	struct domain *domain = domains_find_domid(manager_domains(consoles->manager), domid);

	if (!domain)
		return NULL;
	/* One that it was of once stays its domain: handles can be changed. */
	if (domain->console.state != CONSOLE_NONE && strcmp(domain->console.uuid, uuid) == 0)
		return domain;
	return is_about(domain, uuid) ? domain : NULL;
}

static void on_connected(void *userdata, uint32_t domid)
{
	struct consoles *consoles = userdata;

	consoles->owner = domid;
	for (struct domain *d = domains_first(manager_domains(consoles->manager)); d; d = d->next)
		d->console.renewed = false;
	for (struct claim *c = consoles->claims; c; c = c->next)
		c->facts.renewed = false;
}

static int read_state(json_object *members, enum console_state *ret_state)
{
	const char *name;
	int r = packet_get_text(members, "state", 16, &name);

	for (enum console_state s = CONSOLE_WAITING; r == 0 && s < CONSOLE_UNAVAILABLE; s++) {
		if (strcmp(state_names[s], name) == 0) {
			*ret_state = s;
			return 0;
		}
	}
	return -EBADMSG;
}

static int read_uuid(json_object *members, char uuid[HL_UUID_TEXT_SIZE])
{
	const char *text;
	uint8_t bytes[16];
	int r = packet_get_text(members, "uuid", HL_UUID_TEXT_SIZE - 1, &text);

	if (r < 0 || (text[0] != '\0' && hl_uuid_from_text(text, bytes) < 0))
		return -EBADMSG;
	memcpy(uuid, text, strlen(text) + 1);
	return 0;
}

/* A path that programs of root open: it is a device's, and has no dots. */
static bool is_tty(const char *path)
{
	if (path[0] == '\0')
		return true;
	if (strncmp(path, "/dev/", strlen("/dev/")) != 0)
		return false;
	return path[strspn(path, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				 "0123456789/_-")] == '\0';
}

static int read_console(json_object *members, uint32_t *ret_domid, struct console_facts *facts)
{
	uint64_t domid, attached;
	const char *tty;
	bool writer;

	if (packet_get_uint(members, "domid", MAX_DOMID, &domid) < 0 ||
	    packet_get_uint(members, "attached", MAX_ATTACHED, &attached) < 0 ||
	    packet_get_uint(members, "dropped", MAX_DROPPED, &facts->dropped) < 0 ||
	    packet_get_bool(members, "writer", &writer) < 0 ||
	    packet_get_text(members, "tty", sizeof(facts->tty) - 1, &tty) < 0 || !is_tty(tty) ||
	    read_uuid(members, facts->uuid) < 0)
		return -EBADMSG;
	facts->attached = (uint32_t)attached;
	memcpy(facts->tty, tty, strlen(tty) + 1);
	*ret_domid = (uint32_t)domid;
	return read_state(members, &facts->state);
}

static int on_console(struct consoles *consoles, json_object *members)
{
	struct console_facts facts = {.owner = consoles->owner};
	struct domain *domain;
	uint32_t domid;
	int r = read_console(members, &domid, &facts);

	if (r < 0)
		return r;
	domain = find_domain(consoles, domid, facts.uuid);
	if (domain) {
		drop_claim(consoles, find_claim(consoles, domid));
		set_facts(&domain->console, &facts);
		request_flush(consoles);
		return 0;
	}
	domain = domains_find_domid(manager_domains(consoles->manager), domid);
	if (domain)
		clear_facts(consoles, &domain->console);
	return add_claim(consoles, domid, &facts);
}

static int on_gone(struct consoles *consoles, json_object *members)
{
	struct domain *domain;
	uint64_t domid;

	if (packet_get_uint(members, "domid", MAX_DOMID, &domid) < 0)
		return -EBADMSG;
	drop_claim(consoles, find_claim(consoles, (uint32_t)domid));
	domain = domains_find_domid(manager_domains(consoles->manager), (uint32_t)domid);
	if (domain)
		clear_facts(consoles, &domain->console);
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
	struct consoles *consoles = userdata;

	for (struct domain *d = domains_first(manager_domains(consoles->manager)); d; d = d->next)
		if (!d->console.renewed)
			clear_facts(consoles, &d->console);
	for (struct claim *c = consoles->claims, *next; c; c = next) {
		next = c->next;
		if (!c->facts.renewed)
			drop_claim(consoles, c);
	}
}

/* The helper may come back, and the consoles with it: what is known of them stays until then. */
static void on_disconnected(void *userdata)
{
	struct consoles *consoles = userdata;

	for (struct domain *d = domains_first(manager_domains(consoles->manager)); d; d = d->next) {
		struct console_facts lost = d->console;

		if (lost.state == CONSOLE_NONE)
			continue;
		lost.state = CONSOLE_UNAVAILABLE;
		lost.attached = 0;
		set_facts(&d->console, &lost);
	}
	request_flush(consoles);
}

/* What the helper reports may be about the next domain with this domid. */
static void on_leaving(void *userdata, const struct domain *domain)
{
	struct consoles *consoles = userdata;

	if (domain->console.state != CONSOLE_NONE &&
	    add_claim(consoles, domain->domid, &domain->console) < 0)
		log_error("no memory: the console of domain %u is forgotten", domain->domid);
	if (domain->console.shown && consoles->observer)
		consoles->observer->removed(consoles->observer->userdata, domain);
}

static void on_domains(void *userdata)
{
	struct consoles *consoles = userdata;

	for (struct claim *c = consoles->claims, *next; c; c = next) {
		struct domain *domain = find_domain(consoles, c->domid, c->facts.uuid);

		next = c->next;
		if (!domain)
			continue;
		set_facts(&domain->console, &c->facts);
		domain->console.renewed = c->facts.renewed;
		drop_claim(consoles, c);
	}
	consoles_flush(consoles);
}

static int start(struct consoles *consoles, struct loop *loop, const char *socket)
{
	const struct peer_config config = {
		.loop = loop,
		.kind = KIND,
		.path = socket,
		.connected = on_connected,
		.event = on_event,
		.ready = on_ready,
		.disconnected = on_disconnected,
		.userdata = consoles,
	};
	int r = timer_new(loop, on_flush, consoles, &consoles->flush);

	if (r < 0)
		return r;
	consoles->on_domains = (struct manager_observer){
		.leaving = on_leaving,
		.done = on_domains,
		.userdata = consoles,
	};
	manager_observe(consoles->manager, &consoles->on_domains);
	return socket ? peer_new(&config, &consoles->peer) : 0;
}

int consoles_new(struct loop *loop, struct manager *manager, const char *socket,
		 struct consoles **ret_consoles)
{
	struct consoles *consoles = calloc(1, sizeof(*consoles));
	int r;

	if (!consoles)
		return -ENOMEM;
	consoles->manager = manager;
	r = start(consoles, loop, socket);
	if (r < 0) {
		consoles_free(consoles);
		return r;
	}
	*ret_consoles = consoles;
	return 0;
}

void consoles_stop(struct consoles *consoles)
{
	consoles->observer = NULL;
	consoles->peer = peer_free(consoles->peer);
}

struct consoles *consoles_free(struct consoles *consoles)
{
	if (!consoles)
		return NULL;
	consoles_stop(consoles);
	manager_unobserve(consoles->manager, &consoles->on_domains);
	timer_free(consoles->flush);
	while (consoles->claims)
		drop_claim(consoles, consoles->claims);
	free(consoles);
	return NULL;
}

void consoles_observe(struct consoles *consoles, const struct consoles_observer *observer)
{
	consoles->observer = observer;
}

struct peer *consoles_peer(const struct consoles *consoles)
{
	return consoles->peer;
}
