// SPDX-License-Identifier: LGPL-2.1-or-later
/* All consoles: found, served, gone, restored. */
#include "server.h"

#include <errno.h>
#include <event2/event.h>
#include <inttypes.h>
#include <string.h>
#include <sys/queue.h>

#include "backend.h"
#include "fdstore.h"
#include "follow.h"
#include "message.h"
#include "ops.h"

#define CALLBACKS_AT_ONCE 32
#define RETRY_FIRST	  1 /* seconds */
#define RETRY_LAST	  30
#define EXPECT_USEC	  (30 * USEC_PER_SEC)
#define TIDY_DELAY	  1  /* seconds */
#define OLD_LOGS	  32 /* of domains that are gone, read at a time */

struct old_log {
	TAILQ_ENTRY(old_log) link;
	struct follower *follower;
};

struct server {
	struct event_base *base;
	struct console_env env;
	struct discovery *discovery;
	TAILQ_HEAD(entry_list, entry) consoles;
	TAILQ_HEAD(old_log_list, old_log) old_logs;
	unsigned int nr_old_logs;
	struct event *retry;
	int retry_seconds;
	struct event *expiry; /* of what is expected */
	uint64_t expect_usec;
	struct event *tidy; /* looks for logs to be removed */
	struct keep_limits keep;
	bool no_tty;
	int self;
	struct server_observer observer;
};

/* A console, and what xenstore had of it last. */
struct entry {
	TAILQ_ENTRY(entry) link;
	struct console *console;
	struct console_facts facts; /* valid if seen */
	uint32_t domid;
	bool seen;	/* on this connection to xenstored */
	uint64_t since; /* when it was added */
};

static struct entry *find(struct server *server, uint32_t domid)
{
	struct entry *entry;

	for (entry = TAILQ_FIRST(&server->consoles); entry; entry = TAILQ_NEXT(entry, link))
		if (entry->domid == domid)
			return entry;
	return NULL;
}

/* By rising domid. */
static struct entry *add(struct server *server, uint32_t domid)
{
	struct entry *entry = calloc(1, sizeof(*entry)), *next;

	if (!entry)
		return NULL;
	entry->domid = domid;
	entry->since = now_usec();
	for (next = TAILQ_FIRST(&server->consoles); next; next = TAILQ_NEXT(next, link))
		if (next->domid > domid)
			break;
	if (next)
		TAILQ_INSERT_BEFORE(next, entry, link);
	else
		TAILQ_INSERT_TAIL(&server->consoles, entry, link);
	return entry;
}

static void drop(struct server *server, struct entry *entry)
{
	TAILQ_REMOVE(&server->consoles, entry, link);
	free(entry);
}

static void on_changed(void *userdata, struct console *console)
{
	const struct server *server = userdata;

	if (server->observer.changed)
		server->observer.changed(server->observer.userdata, console);
}

/* Two domains with one uuid must not share a file. */
static void choose_log(struct server *server, const struct console_facts *facts,
		       char name[LOG_NAME_SIZE])
{
	struct entry *entry;

	log_name(facts->uuid, facts->domid, name);
	for (entry = TAILQ_FIRST(&server->consoles); entry; entry = TAILQ_NEXT(entry, link)) {
		if (entry->console && strcmp(console_log_name(entry->console), name) == 0) {
			log_name("", facts->domid, name);
			return;
		}
	}
}

static bool is_ours(const struct console_facts *facts)
{
	return facts->type[0] == '\0' || strcmp(facts->type, CONSOLE_TYPE) == 0 ||
	       strcmp(facts->type, CONSOLE_TYPE_XENCONSOLED) == 0;
}

static void retry_later(struct server *server)
{
	struct timeval delay = {.tv_sec = server->retry_seconds};

	if (event_pending(server->retry, EV_TIMEOUT, NULL))
		return;
	if (event_add(server->retry, &delay) < 0)
		message(LOG_ERR, "no memory for a timer");
	server->retry_seconds =
		server->retry_seconds * 2 > RETRY_LAST ? RETRY_LAST : server->retry_seconds * 2;
}

/* What xl and virsh look for; once it is served, as who opens it before that waits for nothing. */
static void publish(struct server *server, const struct entry *entry)
{
	struct console_status status;
	const char *tty;

	console_get_status(entry->console, &status);
	tty = server->no_tty ? NULL : status.tty;
	if ((!tty || strcmp(entry->facts.tty, tty) == 0) &&
	    strcmp(entry->facts.type, CONSOLE_TYPE) == 0)
		return;
	discovery_publish(server->discovery, entry->domid, entry->facts.remote_port, tty,
			  CONSOLE_TYPE);
}

static void serve(struct server *server, struct entry *entry)
{
	struct console_status status;

	console_get_status(entry->console, &status);
	if (!entry->seen || !is_ours(&entry->facts))
		return;
	if (status.state == CONSOLE_WAITING && console_serve(entry->console) < 0) {
		retry_later(server);
		return;
	}
	if (status.state == CONSOLE_WAITING || status.state == CONSOLE_SERVING)
		publish(server, entry);
}

/* A process that has had the port may have ended meanwhile; nothing announces that. */
static void on_retry(evutil_socket_t fd, short what, void *userdata)
{
	struct server *server = userdata;
	struct entry *entry;

	for (entry = TAILQ_FIRST(&server->consoles); entry; entry = TAILQ_NEXT(entry, link))
		serve(server, entry);
}

static void on_stray(void *userdata)
{
	struct server *server = userdata;

	server->retry_seconds = RETRY_FIRST;
	event_active(server->retry, EV_TIMEOUT, 0);
}

static bool is_log_used(void *userdata, const char *log)
{
	const struct server *server = userdata;
	const struct entry *entry;

	for (entry = TAILQ_FIRST(&server->consoles); entry; entry = TAILQ_NEXT(entry, link))
		if (entry->console && strcmp(console_log_name(entry->console), log) == 0)
			return true;
	return false;
}

static void on_tidy(evutil_socket_t fd, short what, void *userdata)
{
	struct server *server = userdata;

	keep_logs(&server->env.log_dir, &server->keep, is_log_used, server);
}

/* Many domains may end at a time.  Which ones are present is not known before all were listed. */
static void tidy_later(struct server *server)
{
	const struct timeval delay = {.tv_sec = TIDY_DELAY};

	if (server->self >= 0 && !event_pending(server->tidy, EV_TIMEOUT, NULL) &&
	    event_add(server->tidy, &delay) < 0)
		message(LOG_ERR, "no memory for a timer");
}

static void end_console(struct server *server, struct entry *entry)
{
	entry->console = console_free(entry->console);
	tidy_later(server);
	if (server->observer.gone)
		server->observer.gone(server->observer.userdata, entry->domid);
}

static int begin_console(struct server *server, struct entry *entry,
			 const struct console_facts *facts)
{
	char name[LOG_NAME_SIZE];
	int r;

	choose_log(server, facts, name);
	r = console_new(&server->env, facts, name, &entry->console);
	if (r < 0)
		message(LOG_ERR, "the console of domain %" PRIu32 " cannot be served: %s",
			facts->domid, strerror(-r));
	else
		on_changed(server, entry->console);
	return r;
}

static void arm_expiry(struct server *server, uint64_t usec)
{
	struct timeval delay = {.tv_sec = (time_t)(usec / USEC_PER_SEC),
				.tv_usec = (suseconds_t)(usec % USEC_PER_SEC)};

	if (!event_pending(server->expiry, EV_TIMEOUT, NULL) &&
	    event_add(server->expiry, &delay) < 0)
		message(LOG_ERR, "no memory for a timer");
}

/* Whoever handed them to us has not told xenstore, so their end would not be seen. */
static void on_expiry(evutil_socket_t fd, short what, void *userdata)
{
	struct server *server = userdata;
	uint64_t now = now_usec(), next_end = 0;
	struct entry *entry, *next;

	for (entry = TAILQ_FIRST(&server->consoles); entry; entry = next) {
		uint64_t end = entry->since + server->expect_usec;

		next = TAILQ_NEXT(entry, link);
		if (!console_is_expected(entry->console))
			continue;
		if (end > now) {
			next_end = next_end == 0 || end < next_end ? end : next_end;
			continue;
		}
		message(LOG_NOTICE,
			"the console of domain %" PRIu32
			" was handed to us, and is not by xenstore: "
			"left",
			entry->domid);
		end_console(server, entry);
		drop(server, entry);
	}
	if (next_end != 0)
		arm_expiry(server, next_end - now);
}

/* Of a console that was released: whether another one serves it is seen by its terminal. */
static void tell_released(struct server *server, const struct entry *entry)
{
	struct console_status status;

	console_get_status(entry->console, &status);
	if (status.state == CONSOLE_RELEASED)
		on_changed(server, entry->console);
}

static void on_found(void *userdata, const struct console_facts *facts)
{
	struct server *server = userdata;
	struct entry *entry = find(server, facts->domid);

	if (!entry && !is_ours(facts))
		return;
	if (!entry)
		entry = add(server, facts->domid);
	if (!entry) {
		message(LOG_ERR, "no memory for the console of domain %" PRIu32, facts->domid);
		return;
	}
	if (entry->console && !console_is_same(entry->console, facts))
		end_console(server, entry);
	if (!entry->console && begin_console(server, entry, facts) < 0) {
		drop(server, entry);
		return;
	}
	entry->facts = *facts;
	entry->seen = true;
	console_set_expected(entry->console, false);
	server->retry_seconds = RETRY_FIRST;
	serve(server, entry);
	tell_released(server, entry);
}

static void on_gone(void *userdata, uint32_t domid)
{
	struct server *server = userdata;
	struct entry *entry = find(server, domid);

	/* What was handed to us is not there yet. */
	if (!entry || console_is_expected(entry->console))
		return;
	end_console(server, entry);
	drop(server, entry);
}

static void on_listed(void *userdata, uint32_t self)
{
	struct server *server = userdata;
	struct entry *entry, *next;

	server->self = (int)self;
	for (entry = TAILQ_FIRST(&server->consoles); entry; entry = next) {
		next = TAILQ_NEXT(entry, link);
		if (!entry->seen && !console_is_expected(entry->console)) {
			end_console(server, entry);
			drop(server, entry);
		}
	}
	tidy_later(server);
	if (server->observer.listed)
		server->observer.listed(server->observer.userdata);
}

static void on_lost(void *userdata)
{
	struct server *server = userdata;
	struct entry *entry;

	for (entry = TAILQ_FIRST(&server->consoles); entry; entry = TAILQ_NEXT(entry, link))
		entry->seen = false;
}

static int restore_one(struct server *server, struct fdstore *store, const char *name)
{
	struct console_status status;
	struct console *console;
	struct entry *entry;
	int r = console_restore(&server->env, store, name, &console);

	if (r < 0)
		return r;
	console_get_status(console, &status);
	entry = find(server, status.domid) ? NULL : add(server, status.domid);
	if (!entry) {
		console_free(console);
		return -ENOMEM;
	}
	entry->console = console;
	if (console_is_expected(console))
		arm_expiry(server, server->expect_usec);
	return 0;
}

static void restore_all(struct server *server, struct fdstore *store)
{
	const char *name;
	unsigned int nr = 0;

	while ((name = fdstore_find(store, "saved-"))) {
		int r = restore_one(server, store, name);

		if (r < 0)
			message(LOG_NOTICE, "%s of an earlier process is of no use: %s", name,
				strerror(-r));
		else
			nr++;
	}
	if (nr > 0)
		message(LOG_INFO, "%u consoles go on", nr);
}

static int start_backend(struct server *server, const struct server_config *config,
			 struct fdstore *store)
{
	int fd = fdstore_take(store, "evtchn");
	int r = backend_new(server->base, config->xen, fd, on_stray, server, &server->env.backend);

	if (r < 0) {
		closep(&fd);
		return r;
	}
	if (fd < 0)
		fdstore_hold("evtchn", backend_fd(server->env.backend));
	return 0;
}

static int start(struct server *server, const struct server_config *config, struct fdstore *store)
{
	const struct discovery_events events = {
		.found = on_found,
		.gone = on_gone,
		.listed = on_listed,
		.lost = on_lost,
		.userdata = server,
	};
	int r;

	server->retry = event_new(server->base, -1, 0, on_retry, server);
	server->expiry = event_new(server->base, -1, 0, on_expiry, server);
	server->tidy = event_new(server->base, -1, 0, on_tidy, server);
	if (!server->retry || !server->expiry || !server->tidy)
		return -ENOMEM;
	r = start_backend(server, config, store);
	if (r < 0)
		return r;
	restore_all(server, store);
	return discovery_new(server->base, config->store, &events, &server->discovery);
}

struct event_base *server_base_new(void)
{
	struct event_config *config = event_config_new();
	struct event_base *base = NULL;

	/* Edges need epoll. */
	if (config &&
	    event_config_set_max_dispatch_interval(config, NULL, CALLBACKS_AT_ONCE, 0) == 0 &&
	    event_config_require_features(config, EV_FEATURE_ET) == 0)
		base = event_base_new_with_config(config);
	if (config)
		event_config_free(config);
	return base;
}

int server_new(struct event_base *base, const struct server_config *config, struct fdstore *store,
	       struct server **ret_server)
{
	struct server *server = calloc(1, sizeof(*server));
	int r;

	if (!server)
		return -ENOMEM;
	server->base = base;
	server->self = -1;
	server->retry_seconds = RETRY_FIRST;
	server->no_tty = config->no_tty;
	server->expect_usec = config->expect_usec ? config->expect_usec : EXPECT_USEC;
	TAILQ_INIT(&server->consoles);
	TAILQ_INIT(&server->old_logs);
	server->env.base = base;
	server->env.changed = on_changed;
	server->env.userdata = server;
	server->keep = config->keep;
	server->env.marks = config->runtime_dir;
	log_dir_open(&server->env.log_dir, config->log_dir, config->log_size);
	r = start(server, config, store);
	if (r < 0) {
		server_leave(server);
		return r;
	}
	*ret_server = server;
	return 0;
}

static void end_old_log(void *userdata, struct follower *follower)
{
	struct server *server = userdata;
	struct old_log *old;

	for (old = TAILQ_FIRST(&server->old_logs); old; old = TAILQ_NEXT(old, link))
		if (old->follower == follower)
			break;
	if (!old)
		return;
	TAILQ_REMOVE(&server->old_logs, old, link);
	server->nr_old_logs--;
	follower_free(follower);
	free(old);
}

struct server *server_leave(struct server *server)
{
	struct entry *entry, *next;
	struct old_log *old, *following;

	if (!server)
		return NULL;
	server->observer = (struct server_observer){.changed = NULL};
	discovery_free(server->discovery);
	for (entry = TAILQ_FIRST(&server->consoles); entry; entry = next) {
		next = TAILQ_NEXT(entry, link);
		console_leave(entry->console);
		drop(server, entry);
	}
	for (old = TAILQ_FIRST(&server->old_logs); old; old = following) {
		following = TAILQ_NEXT(old, link);
		follower_free(old->follower);
		free(old);
	}
	backend_free(server->env.backend);
	if (server->retry)
		event_free(server->retry);
	if (server->expiry)
		event_free(server->expiry);
	if (server->tidy)
		event_free(server->tidy);
	log_dir_close(&server->env.log_dir);
	free(server);
	return NULL;
}

struct server *server_hand_over(struct server *server)
{
	struct entry *entry, *next;

	for (entry = TAILQ_FIRST(&server->consoles); entry; entry = next) {
		next = TAILQ_NEXT(entry, link);
		entry->console = console_free(entry->console);
		if (entry->seen)
			discovery_publish(server->discovery, entry->domid, entry->facts.remote_port,
					  "", CONSOLE_TYPE_XENCONSOLED);
		drop(server, entry);
	}
	fdstore_forget("evtchn");
	return server_leave(server);
}

void server_observe(struct server *server, const struct server_observer *observer)
{
	server->observer = *observer;
}

int server_self(const struct server *server)
{
	return server->self;
}

struct console *server_find(struct server *server, uint32_t domid)
{
	const struct entry *entry = find(server, domid);

	return entry ? entry->console : NULL;
}

struct console *server_find_uuid(struct server *server, const char *uuid)
{
	struct console_status status;
	struct entry *entry;

	for (entry = TAILQ_FIRST(&server->consoles); entry; entry = TAILQ_NEXT(entry, link)) {
		console_get_status(entry->console, &status);
		if (uuid[0] != '\0' && strcmp(status.uuid, uuid) == 0)
			return entry->console;
	}
	return NULL;
}

struct console *server_next(struct server *server, int64_t domid)
{
	struct entry *entry;

	for (entry = TAILQ_FIRST(&server->consoles); entry; entry = TAILQ_NEXT(entry, link))
		if ((int64_t)entry->domid > domid)
			return entry->console;
	return NULL;
}

void server_get_status(struct server *server, const struct console *console,
		       struct console_status *ret_status)
{
	const struct entry *entry;

	console_get_status(console, ret_status);
	if (ret_status->state != CONSOLE_RELEASED)
		return;
	entry = find(server, ret_status->domid);
	/* Ours stays until xenconsoled writes its own. */
	ret_status->tty =
		entry && entry->seen && strcmp(entry->facts.type, CONSOLE_TYPE_XENCONSOLED) == 0 &&
				strcmp(entry->facts.tty, ret_status->tty) != 0
			? entry->facts.tty
			: "";
}

int server_release(struct server *server, struct console *console, const char *id, bool yield,
		   uint8_t *ret_input, size_t *ret_size)
{
	struct console_status before;
	const struct entry *entry;
	bool yielded;
	int r;

	console_get_status(console, &before);
	r = console_release(console, id, ret_input, ret_size);
	if (r < 0 || !yield)
		return r;
	entry = find(server, before.domid);
	/* Once: what xenconsoled has written since is its own.  The type of before our own first
	 * write, which may be all that is known yet, is xenconsoled's, too. */
	yielded = before.state == CONSOLE_RELEASED && entry &&
		  strcmp(entry->facts.type, CONSOLE_TYPE_XENCONSOLED) == 0;
	/* xl console ends where no terminal is named, and follows to another one. */
	if (entry && entry->seen && !yielded)
		discovery_publish(server->discovery, entry->domid, entry->facts.remote_port,
				  server->no_tty ? NULL : before.tty, CONSOLE_TYPE_XENCONSOLED);
	return 0;
}

/* A console that xenstore does not list as ours yet. */
static int expect(struct server *server, const struct console_facts *facts,
		  struct entry **ret_entry)
{
	struct entry *entry;
	int r;

	if (facts->remote_port == 0)
		return -ENOENT;
	entry = add(server, facts->domid);
	if (!entry)
		return -ENOMEM;
	r = begin_console(server, entry, facts);
	if (r < 0) {
		drop(server, entry);
		return r;
	}
	console_set_expected(entry->console, true);
	arm_expiry(server, server->expect_usec);
	*ret_entry = entry;
	return 0;
}

int server_take(struct server *server, const struct console_facts *facts, const char *id,
		const uint8_t *input, size_t size)
{
	struct entry *entry = find(server, facts->domid);
	bool known = entry != NULL;
	int r = known ? 0 : expect(server, facts, &entry);

	if (r < 0)
		return r;
	r = console_take(entry->console, id, input, size);
	if (r == 0 && entry->seen)
		publish(server, entry);
	if (r < 0 && !known) {
		end_console(server, entry);
		drop(server, entry);
	}
	return r;
}

int server_follow(struct server *server, const char *uuid, int *ret_fd, uint64_t *ret_size)
{
	struct old_log *old;
	char name[LOG_NAME_SIZE];
	int r;

	if (server->nr_old_logs >= OLD_LOGS)
		return -EMFILE;
	log_name(uuid, 0, name);
	if (!log_exists(&server->env.log_dir, name))
		return -ENOENT;
	old = calloc(1, sizeof(*old));
	if (!old)
		return -ENOMEM;
	r = follower_new(server->base, &server->env.log_dir, name, false, end_old_log, server,
			 &old->follower, ret_fd, ret_size);
	if (r < 0) {
		free(old);
		return r;
	}
	TAILQ_INSERT_TAIL(&server->old_logs, old, link);
	server->nr_old_logs++;
	return 0;
}

void server_publish_relay(struct server *server, uint32_t domid, uint32_t backend, const char *tty)
{
	discovery_publish_relay(server->discovery, domid, backend, tty);
}
