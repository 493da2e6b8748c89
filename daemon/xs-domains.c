// SPDX-License-Identifier: LGPL-2.1-or-later
#include "xs-domains.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <xenstore.h>

#include "domain-handle.h"
#include "libxl-config.h"
#include "log.h"
#include "loop.h"
#include "util.h"
#include "xs-access.h"
#include "xs-connect.h"
#include "xs-guest.h"

/* Watch events taken in one turn of the loop. */
#define BURST	  64
#define RETRY_MIN USEC_PER_SEC
#define RETRY_MAX (60 * USEC_PER_SEC)
#define MAX_TRIES 8
/* The name that Xen's own tools give dom0 when they start; it hides no LCM's. */
#define DOM0_DEFAULT_NAME "Domain-0"

struct xs_domain {
	struct xs_domain *next;
	uint32_t domid;
	uint64_t generation;
	char *name;
	char uuid[HL_UUID_TEXT_SIZE]; /* chosen by us, as Xen had no handle; "": not */
	bool present;		      /* in the last table */
	bool watched;
	bool introduced, connected;
	bool configured;	      /* libxl has its configuration */
	bool opened;		      /* it may read its own nodes, as far as that is ours to see to */
	bool read_name, read_connected, read_introduced; /* what to look at again */
	unsigned int tries;				 /* failed introductions */
	uint64_t next_try;				 /* of the monotonic clock */
};

struct xenstore {
	struct loop *loop;
	struct xenstore_config config;
	struct xs_connect *connect;
	struct xs_handle *h;
	struct event *watch_event;
	struct event *retry;
	struct deferred *step;
	struct deferred *drain;
	struct hl_table *table;
	struct xs_domain *domains; /* in the order they were seen */
	bool dirty;		   /* changed() is owed */
	bool told_missing;
	bool told_no_libxl;
};

const char *xs_domain_state_name(enum xs_domain_state state)
{
	static const char *const names[] = {
		[XS_DOMAIN_NONE] = "none",
		[XS_DOMAIN_PAGE_READY] = "page-ready",
		[XS_DOMAIN_INTRODUCED] = "introduced",
		[XS_DOMAIN_CONNECTED] = "connected",
	};

	return names[state];
}

static struct xs_domain *find(const struct xenstore *xs, uint32_t domid, uint64_t generation)
{
	for (struct xs_domain *d = xs->domains; d; d = d->next)
		if (d->domid == domid && d->generation == generation)
			return d;
	return NULL;
}

static const struct hl_domain *row_of(const struct xenstore *xs, const struct xs_domain *domain)
{
	const struct hl_domain *row;

	if (!xs->table || hl_table_find(xs->table, domain->domid, domain->generation, &row) < 0)
		return NULL;
	return row;
}

/* Ours by Xen itself; a Xen without Hyperlaunch has one dom0. */
static uint32_t own_domid(const struct xenstore *xs)
{
	uint32_t self = xs->table ? hl_table_summary(xs->table)->self_domid : HL_NO_DOMID;

	return self == HL_NO_DOMID ? 0 : self;
}

/* A node below a domain's own; NULL: not there, or the connection is gone. */
static char *read_node(const struct xenstore *xs, uint32_t domid, const char *node)
{
	char path[96];

	snprintf(path, sizeof(path), "/local/domain/%" PRIu32 "/%s", domid, node);
	return xs_read(xs->h, XBT_NULL, path, NULL);
}

static void read_name(struct xenstore *xs, struct xs_domain *domain)
{
	char *name = read_node(xs, domain->domid, "name");

	domain->read_name = false;
	if (strcmp(name ? name : "", domain->name ? domain->name : "") != 0)
		xs->dirty = true;
	free(domain->name);
	domain->name = name;
}

/* Toolstacks make this node empty; a guest's kernel fills it in when its xenbus is up. */
static void read_connected(struct xenstore *xs, struct xs_domain *domain)
{
	_cleanup_(freep) char *value = read_node(xs, domain->domid, "control/feature-poweroff");
	bool connected = domain->domid == own_domid(xs) || (value && value[0] != '\0');

	domain->read_connected = false;
	xs->dirty |= connected != domain->connected;
	domain->connected = connected;
}

static void read_introduced(struct xenstore *xs, struct xs_domain *domain)
{
	bool introduced = xs_is_domain_introduced(xs->h, domain->domid);

	domain->read_introduced = false;
	xs->dirty |= introduced != domain->introduced;
	domain->introduced = introduced;
}

static void watch_paths(const struct xs_domain *domain, char name[64], char connected[64], char token[16])
{
	snprintf(name, 64, "/local/domain/%" PRIu32 "/name", domain->domid);
	snprintf(connected, 64, "/local/domain/%" PRIu32 "/control/feature-poweroff", domain->domid);
	snprintf(token, 16, "%" PRIu32, domain->domid);
}

/* Each watch fires once at its start, so what it is for gets read after that. */
static void watch_domain(struct xenstore *xs, struct xs_domain *domain)
{
	char name[64], connected[64], token[16];

	watch_paths(domain, name, connected, token);
	domain->watched = true;
	if (!xs_watch(xs->h, name, token) || !xs_watch(xs->h, connected, token))
		log_warning("domain %" PRIu32 ": cannot watch its name in xenstore: %m", domain->domid);
}

static void unwatch_domain(struct xenstore *xs, struct xs_domain *domain)
{
	char name[64], connected[64], token[16];

	if (!xs->h || !domain->watched)
		return;
	watch_paths(domain, name, connected, token);
	/* Fails only where the connection is gone, and the watches with it. */
	(void)xs_unwatch(xs->h, name, token);
	(void)xs_unwatch(xs->h, connected, token);
}

static struct xs_domain *domain_free(struct xs_domain *domain)
{
	free(domain->name);
	free(domain);
	return NULL;
}

static void forget_absent(struct xenstore *xs)
{
	for (struct xs_domain **p = &xs->domains; *p;) {
		struct xs_domain *domain = *p;

		if (domain->present) {
			p = &domain->next;
			continue;
		}
		*p = domain->next;
		unwatch_domain(xs, domain);
		domain_free(domain);
	}
}

static void add_domain(struct xenstore *xs, const struct hl_domain *row)
{
	struct xs_domain *domain = calloc(1, sizeof(*domain)), **p = &xs->domains;

	if (!domain) {
		log_error("domain %" PRIu32 ": out of memory", row->domid);
		return;
	}
	domain->domid = row->domid;
	domain->generation = row->generation;
	domain->present = true;
	domain->read_introduced = domain->read_connected = true;
	if (xs->h)
		read_name(xs, domain);
	while (*p)
		p = &(*p)->next;
	*p = domain;
}

/* One without a ring to xenstored has a place there all the same: a name, if nobody gave it one. */
static bool lacks_place(const struct xs_domain *domain, const struct hl_domain *row)
{
	if (row->store_port == 0)
		return !domain->name;
	return !domain->introduced;
}

/* Whether it is ours to introduce: an initial domain, but for ourselves and dom0, whom others see to. */
static bool wants_introduction(const struct xenstore *xs, const struct xs_domain *domain)
{
	const struct hl_domain *row;

	if (domain->tries >= MAX_TRIES)
		return false;
	row = row_of(xs, domain);
	return row && row->live && row->origin == HL_ORIGIN_BOOT && row->domid != 0 && row->domid != own_domid(xs) &&
	       row->state != HL_DOMAIN_DYING && lacks_place(domain, row);
}

static uint64_t wall_clock_usec(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return (uint64_t)ts.tv_sec * USEC_PER_SEC + (uint64_t)ts.tv_nsec / NSEC_PER_USEC;
}

static void fill_guest(const struct xenstore *xs, const struct hl_domain *row, const char *uuid, struct xs_guest *guest)
{
	uint32_t console = hl_table_summary(xs->table)->console_domid;

	*guest = (struct xs_guest){
		.domid = row->domid,
		.toolstack_domid = own_domid(xs),
		.console_domid = console == HL_NO_DOMID ? own_domid(xs) : console,
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

static bool is_nil(const uint8_t uuid[16])
{
	static const uint8_t nil[16];

	return memcmp(uuid, nil, sizeof(nil)) == 0;
}

/* Of nodes that an earlier run has written: the same again, as other nodes name it. */
static int written_uuid(const struct xenstore *xs, uint32_t domid, uint8_t uuid[16])
{
	_cleanup_(freep) char *vm = read_node(xs, domid, "vm");

	if (!vm || strncmp(vm, "/vm/", 4) != 0 || hl_uuid_from_text(vm + 4, uuid) < 0)
		return -ENOENT;
	return is_nil(uuid) ? -ENOENT : 0;
}

/* libxl takes Xen's handle for the UUID and needs one that is its own. */
static int choose_uuid(const struct xenstore *xs, struct xs_domain *domain)
{
	uint8_t uuid[16];
	int r = written_uuid(xs, domain->domid, uuid);

	if (r < 0)
		r = domain_handle_random(uuid);
	if (r == 0 && xs->config.set_handles)
		r = domain_handle_set(domain->domid, uuid);
	if (r == 0)
		hl_uuid_to_text(uuid, domain->uuid);
	return r;
}

static void write_libxl_config(struct xenstore *xs, const struct xs_guest *guest)
{
	int r = xs->config.set_handles ? libxl_config_write(LIBXL_CONFIG_DIR, guest) : 0;

	if (r >= 0 || (r == -ENOENT && xs->told_no_libxl))
		return;
	if (r == -ENOENT)
		xs->told_no_libxl = true;
	log_info("domain %" PRIu32 ": no configuration for xl: %s: %s", guest->domid, LIBXL_CONFIG_DIR, strerror(-r));
}

/* What toolstacks are to know of it: a UUID, and libxl's configuration. */
static int configure(struct xenstore *xs, struct xs_domain *domain, const struct hl_domain *row, struct xs_guest *guest)
{
	bool has_handle = !is_nil(row->handle);
	const char *field;
	int r = has_handle || domain->uuid[0] != '\0' ? 0 : choose_uuid(xs, domain);

	domain->configured = true;
	if (r < 0)
		return r;
	fill_guest(xs, row, has_handle ? row->handle_text : domain->uuid, guest);
	r = xs_guest_check(guest, &field);
	if (r < 0) {
		log_error("domain %" PRIu32 ": its %s cannot stand in xenstore", row->domid, field);
		return r;
	}
	write_libxl_config(xs, guest);
	return 0;
}

static int introduce(struct xenstore *xs, struct xs_domain *domain, const struct hl_domain *row)
{
	struct xs_guest guest;
	int r = configure(xs, domain, row, &guest);

	return r < 0 ? r : xs_guest_introduce(&xs_ops_real, xs->h, &guest);
}

static void introduction_failed(struct xenstore *xs, struct xs_domain *domain, int error)
{
	uint64_t delay = RETRY_MIN << domain->tries;

	domain->tries++;
	if (error == -EINVAL)
		domain->tries = MAX_TRIES;
	if (domain->tries == MAX_TRIES) {
		log_error("domain %" PRIu32 ": not introduced to xenstored: %s", domain->domid, strerror(-error));
		return;
	}
	if (domain->tries == 1)
		log_warning("domain %" PRIu32 ": cannot introduce it to xenstored, will try again: %s", domain->domid,
			    strerror(-error));
	delay = delay < RETRY_MAX ? delay : RETRY_MAX;
	domain->next_try = loop_now() + delay;
	if (!evtimer_pending(xs->retry, NULL))
		loop_timer_set(xs->retry, delay);
}

static void introduce_domain(struct xenstore *xs, struct xs_domain *domain)
{
	const struct hl_domain *row = row_of(xs, domain);
	int r = row ? introduce(xs, domain, row) : -ENOENT;

	if (r < 0) {
		introduction_failed(xs, domain, r);
		return;
	}
	if (r > 0)
		log_info("domain %" PRIu32 " (%s): %s", row->domid, row->name,
			 row->store_port ? "introduced to xenstored" : "named in xenstore; it has no ring there");
	domain->introduced = row->store_port != 0;
	domain->tries = 0;
	domain->read_name = domain->read_connected = true;
	xs->dirty = true;
}

/* Who was introduced where xenstored runs (hldom) could get no UUID from Xen there: it takes a control domain. */
static bool wants_config(const struct xenstore *xs, const struct xs_domain *domain)
{
	const struct hl_domain *row = row_of(xs, domain);

	return !domain->configured && xs->config.set_handles && row && row->live && row->origin == HL_ORIGIN_BOOT &&
	       row->domid != 0 && row->state != HL_DOMAIN_DYING && !lacks_place(domain, row);
}

static void configure_domain(struct xenstore *xs, struct xs_domain *domain)
{
	const struct hl_domain *row = row_of(xs, domain);
	struct xs_guest guest;
	int r = row ? configure(xs, domain, row, &guest) : -ENOENT;

	if (r < 0)
		log_warning("domain %" PRIu32 ": no UUID for toolstacks: %s", domain->domid, strerror(-r));
}

/* libxl's own doing where there is a domain 0; initial domains are introduced with the right permissions. */
static bool wants_access(const struct xenstore *xs, const struct xs_domain *domain)
{
	const struct hl_domain *row;

	if (domain->opened || !domain->introduced || own_domid(xs) == 0)
		return false;
	row = row_of(xs, domain);
	return row && row->live && row->origin == HL_ORIGIN_POST_BOOT && row->state != HL_DOMAIN_DYING;
}

static void open_access(struct xenstore *xs, struct xs_domain *domain)
{
	int r = xs_access_open(xs->h, own_domid(xs), domain->domid);

	domain->opened = true;
	if (r < 0)
		log_warning("domain %" PRIu32 ": cannot let it read its own nodes in xenstore: %s", domain->domid,
			    strerror(-r));
	else if (r > 0)
		log_info("domain %" PRIu32 ": may read its own nodes in xenstore now", domain->domid);
}

/* The first piece of work for a domain; false: there is none. */
static bool work_on(struct xenstore *xs, struct xs_domain *domain)
{
	if (!domain->watched)
		watch_domain(xs, domain);
	else if (domain->read_introduced)
		read_introduced(xs, domain);
	else if (domain->read_name)
		read_name(xs, domain);
	else if (domain->read_connected)
		read_connected(xs, domain);
	else if (wants_introduction(xs, domain) && domain->next_try <= loop_now())
		introduce_domain(xs, domain);
	else if (wants_config(xs, domain))
		configure_domain(xs, domain);
	else if (wants_access(xs, domain))
		open_access(xs, domain);
	else
		return false;
	return true;
}

static void on_step(void *userdata)
{
	struct xenstore *xs = userdata;
	bool worked = false;

	if (!xs->h)
		return;
	for (struct xs_domain *d = xs->domains; d && !worked; d = d->next)
		worked = work_on(xs, d);
	if (worked) {
		deferred_request(xs->step);
		return;
	}
	if (xs->dirty) {
		xs->dirty = false;
		xs->config.changed(xs->config.userdata);
	}
}

static void on_retry(evutil_socket_t fd, short what, void *userdata)
{
	struct xenstore *xs = userdata;
	uint64_t now = loop_now(), soonest = UINT64_MAX;

	xenstore_check(xs);
	for (struct xs_domain *d = xs->domains; d; d = d->next)
		if (wants_introduction(xs, d) && d->next_try > now && d->next_try < soonest)
			soonest = d->next_try;
	if (soonest != UINT64_MAX)
		loop_timer_set(xs->retry, soonest - now);
	deferred_request(xs->step);
}

/* The watches of one domain share a token: what they are about is read again. */
static void domain_fired(struct xenstore *xs, const char *token)
{
	char *end;
	unsigned long domid = strtoul(token, &end, 10);

	if (end == token || *end != '\0')
		return;
	for (struct xs_domain *d = xs->domains; d; d = d->next)
		if (d->domid == domid)
			d->read_name = d->read_connected = true;
	deferred_request(xs->step);
}

/* Someone was introduced or released: which one is not told. */
static void roll_call(struct xenstore *xs)
{
	for (struct xs_domain *d = xs->domains; d; d = d->next)
		d->read_introduced = !d->introduced;
	xs->dirty = true;
	deferred_request(xs->step);
}

static void close_connection(struct xenstore *xs)
{
	if (xs->watch_event)
		event_free(steal(&xs->watch_event));
	if (xs->h)
		xs_close(steal(&xs->h));
}

static void lost(struct xenstore *xs)
{
	log_warning("the connection to xenstored is lost; waiting for it");
	close_connection(xs);
	for (struct xs_domain *d = xs->domains; d; d = d->next) {
		d->watched = d->introduced = d->connected = d->opened = false;
		d->read_name = d->read_connected = d->read_introduced = true;
		d->tries = 0;
		d->next_try = 0;
	}
	xs_connect_start(xs->connect);
	xs->config.changed(xs->config.userdata);
}

static void drain_watches(void *userdata)
{
	struct xenstore *xs = userdata;

	if (!xs->h)
		return;
	for (int n = 0; n < BURST; n++) {
		_cleanup_(freep) char **event = xs_check_watch(xs->h);

		if (!event) {
			if (errno != EAGAIN)
				lost(xs);
			return;
		}
		if (event[XS_WATCH_PATH][0] == '@')
			roll_call(xs);
		else
			domain_fired(xs, event[XS_WATCH_TOKEN]);
	}
	/* The descriptor need not stay readable for the rest. */
	deferred_request(xs->drain);
}

static void on_watch(evutil_socket_t fd, short what, void *userdata)
{
	drain_watches(userdata);
}

static int start_watches(struct xenstore *xs)
{
	int fd = xs_fileno(xs->h);

	if (fd < 0)
		return -EIO;
	xs->watch_event = event_new(loop_base(xs->loop), fd, EV_READ | EV_PERSIST, on_watch, xs);
	if (!xs->watch_event || event_add(xs->watch_event, NULL) < 0)
		return -ENOMEM;
	if (!xs_watch(xs->h, "@introduceDomain", "@") || !xs_watch(xs->h, "@releaseDomain", "@"))
		return errno > 0 ? -errno : -EIO;
	return 0;
}

static void on_connected(void *userdata, struct xs_handle *h)
{
	struct xenstore *xs = userdata;
	int r;

	xs->h = h;
	r = start_watches(xs);
	if (r < 0) {
		log_warning("xenstored lets us watch nothing, will try again: %s", strerror(-r));
		close_connection(xs);
		xs_connect_later(xs->connect);
		return;
	}
	if (xs->told_missing)
		log_notice("xenstored is there");
	xs->told_missing = false;
	for (struct xs_domain *d = xs->domains; d; d = d->next)
		read_name(xs, d);
	xs->dirty = true;
	deferred_request(xs->step);
}

/* The end of a connection is noticed by libxenstore's thread, perhaps a moment after its cause. */
static void on_suspect(void *userdata)
{
	struct xenstore *xs = userdata;

	xenstore_check(xs);
	if (xs->h && !evtimer_pending(xs->retry, NULL))
		loop_timer_set(xs->retry, RETRY_MIN);
}

static void on_missing(void *userdata, int error)
{
	struct xenstore *xs = userdata;

	if (!xs->told_missing)
		log_notice("xenstored is not there yet (%s); domains get their place in xenstore when it comes",
			   strerror(error));
	xs->told_missing = true;
}

static const struct xs_connect_events connect_events = {
	.connected = on_connected,
	.missing = on_missing,
	.suspect = on_suspect,
};

static int set_up(struct xenstore *xs)
{
	int r = deferred_new(xs->loop, on_step, xs, &xs->step);

	if (r == 0)
		r = deferred_new(xs->loop, drain_watches, xs, &xs->drain);
	if (r < 0)
		return r;
	xs->retry = evtimer_new(loop_base(xs->loop), on_retry, xs);
	if (!xs->retry)
		return -ENOMEM;
	r = xs_connect_new(xs->loop, &connect_events, xs, &xs->connect);
	if (r == 0)
		xs_connect_start(xs->connect);
	return r;
}

int xenstore_new(struct loop *loop, const struct xenstore_config *config, struct xenstore **ret_xs)
{
	struct xenstore *xs = calloc(1, sizeof(*xs));
	int r;

	if (!xs)
		return -ENOMEM;
	xs->loop = loop;
	xs->config = *config;
	r = set_up(xs);
	if (r < 0) {
		xenstore_free(xs);
		return r;
	}
	*ret_xs = xs;
	return 0;
}

struct xenstore *xenstore_free(struct xenstore *xs)
{
	if (!xs)
		return NULL;
	xs_connect_free(xs->connect);
	deferred_free(xs->step);
	deferred_free(xs->drain);
	if (xs->retry)
		event_free(xs->retry);
	close_connection(xs);
	while (xs->domains) {
		struct xs_domain *next = xs->domains->next;

		domain_free(xs->domains);
		xs->domains = next;
	}
	hl_table_unref(xs->table);
	free(xs);
	return NULL;
}

void xenstore_sync(struct xenstore *xs, struct hl_table *table)
{
	uint32_t server;

	if (!xs)
		return;
	hl_table_unref(xs->table);
	xs->table = hl_table_ref(table);
	server = hl_table_summary(table)->xenstore_domid;
	xs_connect_allow_device(xs->connect, server != HL_NO_DOMID && server != 0);
	for (struct xs_domain *d = xs->domains; d; d = d->next)
		d->present = false;
	for (uint32_t i = 0; i < hl_table_nr_domains(table); i++) {
		const struct hl_domain *row = hl_table_get(table, i);
		struct xs_domain *domain = find(xs, row->domid, row->generation);

		if (!row->live)
			continue;
		if (domain)
			domain->present = true;
		else
			add_domain(xs, row);
	}
	forget_absent(xs);
	deferred_request(xs->step);
}

void xenstore_check(struct xenstore *xs)
{
	if (xs)
		drain_watches(xs);
}

bool xenstore_is_connected(const struct xenstore *xs)
{
	return xs && xs->h;
}

const char *xenstore_name(const struct xenstore *xs, const struct hl_domain *domain)
{
	const struct xs_domain *d = xs ? find(xs, domain->domid, domain->generation) : NULL;

	if (!d || !d->name || d->name[0] == '\0')
		return NULL;
	if (d->domid == 0 && domain->origin == HL_ORIGIN_BOOT && strcmp(d->name, DOM0_DEFAULT_NAME) == 0)
		return NULL;
	return d->name;
}

enum xs_domain_state xenstore_domain_state(const struct xenstore *xs, const struct hl_domain *domain)
{
	const struct xs_domain *d = xs ? find(xs, domain->domid, domain->generation) : NULL;

	if (d && d->introduced)
		return d->connected ? XS_DOMAIN_CONNECTED : XS_DOMAIN_INTRODUCED;
	if (domain->live && domain->store_port != 0 && domain->store_gfn != HL_NO_GFN)
		return XS_DOMAIN_PAGE_READY;
	return XS_DOMAIN_NONE;
}
