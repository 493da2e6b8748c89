// SPDX-License-Identifier: LGPL-2.1-or-later
/* Terminals, and the streams that they are connected to. */
#include "relay.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "fdstore.h"
#include "message.h"
#include "pty.h"
#include "stream.h"

#define MASTER "relay-master-"
#define SLAVE  "relay-slave-"

struct relay {
	TAILQ_ENTRY(relay) link;
	struct relays *relays;
	struct relay_config config; /* of the present or last stream */
	struct pty pty;
	struct stream *stream; /* NULL: none */
	bool connected;
};

struct relays {
	struct streams *streams;
	struct relay_events events;
	TAILQ_HEAD(relay_list, relay) list; /* by rising domid */
};

/* The service manager's name of a descriptor: with all that is to be known of it. */
static void name_of(const struct relay *relay, const char *what, char name[96])
{
	snprintf(name, 96, "%s%" PRIu32 "-%" PRIu32 "-%s", what, relay->config.domid,
		 relay->config.backend, relay->config.uuid);
}

static void hold(const struct relay *relay)
{
	char name[96];

	name_of(relay, MASTER, name);
	fdstore_hold(name, relay->pty.master);
	name_of(relay, SLAVE, name);
	fdstore_hold(name, relay->pty.slave);
}

static void forget(const struct relay *relay)
{
	char name[96];

	name_of(relay, MASTER, name);
	fdstore_forget(name);
	name_of(relay, SLAVE, name);
	fdstore_forget(name);
}

static struct relay *find(const struct relays *relays, uint32_t domid)
{
	struct relay *relay = TAILQ_FIRST(&relays->list);

	while (relay && relay->config.domid != domid)
		relay = TAILQ_NEXT(relay, link);
	return relay;
}

static struct relay *add(struct relays *relays, const struct relay_config *config)
{
	struct relay *relay = calloc(1, sizeof(*relay)), *next = TAILQ_FIRST(&relays->list);

	if (!relay)
		return NULL;
	relay->relays = relays;
	relay->config = *config;
	relay->pty = (struct pty){.master = -1, .slave = -1};
	while (next && next->config.domid < config->domid)
		next = TAILQ_NEXT(next, link);
	if (next)
		TAILQ_INSERT_BEFORE(next, relay, link);
	else
		TAILQ_INSERT_TAIL(&relays->list, relay, link);
	return relay;
}

static void drop(struct relay *relay)
{
	TAILQ_REMOVE(&relay->relays->list, relay, link);
	if (relay->stream)
		stream_end(relay->stream);
	pty_close(&relay->pty);
	free(relay);
}

static void changed(const struct relays *relays, uint32_t domid)
{
	relays->events.changed(relays->events.userdata, domid);
}

static void publish(const struct relay *relay, const char *tty)
{
	const struct relay_events *events = &relay->relays->events;

	events->publish(events->userdata, relay->config.domid, relay->config.backend, tty);
}

static void on_opened(void *userdata, int r, const char *path)
{
	struct relay *relay = userdata;

	relay->connected = r == 0;
	if (r == 0)
		publish(relay, relay->pty.path);
	else
		relay->stream = NULL;
	relay->config.opened(relay->config.userdata, r, path);
	changed(relay->relays, relay->config.domid);
}

static void on_ended(void *userdata)
{
	struct relay *relay = userdata;

	relay->connected = false;
	relay->stream = NULL;
	changed(relay->relays, relay->config.domid);
}

/* The stream has a descriptor of its own, so that the terminal outlives it. */
static int connect_stream(struct relay *relay)
{
	struct stream_config config = {
		.domid = relay->config.backend,
		.fd = fcntl(relay->pty.master, F_DUPFD_CLOEXEC, 3),
		.ways = STREAM_READS | STREAM_WRITES,
		.opened = on_opened,
		.ended = on_ended,
		.userdata = relay,
	};
	int r;

	if (config.fd < 0)
		return -errno;
	r = streams_serve(relay->relays->streams, relay->config.self, &config, &relay->stream);
	if (r < 0)
		close(config.fd);
	return r;
}

static int begin(struct relays *relays, const struct relay_config *config)
{
	struct relay *relay = add(relays, config);
	int r = relay ? pty_open(&relay->pty) : -ENOMEM;

	if (r == 0)
		r = connect_stream(relay);
	if (r == 0) {
		/* A process that was killed may have left one of the two. */
		forget(relay);
		hold(relay);
	} else if (relay) {
		drop(relay);
	}
	return r;
}

/* What it is known by to the next process may be another back end now. */
static int begin_again(struct relay *relay, const struct relay_config *config)
{
	forget(relay);
	relay->config = *config;
	hold(relay);
	return connect_stream(relay);
}

int relays_begin(struct relays *relays, const struct relay_config *config)
{
	struct relay *relay = find(relays, config->domid);

	if (relay && strcmp(relay->config.uuid, config->uuid) != 0) {
		relays_end(relays, config->domid, false);
		relay = NULL;
	}
	if (!relay)
		return begin(relays, config);
	return relay->stream ? -EEXIST : begin_again(relay, config);
}

bool relays_end(struct relays *relays, uint32_t domid, bool unpublish)
{
	struct relay *relay = find(relays, domid);

	if (!relay)
		return false;
	if (unpublish)
		publish(relay, "");
	forget(relay);
	/* Of one that is being opened, whoever waits is told. */
	if (relay->stream && !relay->connected)
		relay->config.opened(relay->config.userdata, -ECANCELED, "");
	drop(relay);
	changed(relays, domid);
	return true;
}

bool relays_get(const struct relays *relays, uint32_t domid, struct relay_status *ret_status)
{
	const struct relay *relay = find(relays, domid);

	if (relay)
		*ret_status = (struct relay_status){
			.domid = domid,
			.backend = relay->config.backend,
			.uuid = relay->config.uuid,
			.tty = relay->pty.path,
			.connected = relay->connected,
		};
	return relay;
}

int64_t relays_next(const struct relays *relays, int64_t domid)
{
	const struct relay *relay = TAILQ_FIRST(&relays->list);

	while (relay && (int64_t)relay->config.domid <= domid)
		relay = TAILQ_NEXT(relay, link);
	return relay ? (int64_t)relay->config.domid : -1;
}

/* What name_of() has made. */
static bool parse_name(const char *name, struct relay_config *config)
{
	char *end;

	config->domid = (uint32_t)strtoul(name + strlen(MASTER), &end, 10);
	if (*end != '-')
		return false;
	config->backend = (uint32_t)strtoul(end + 1, &end, 10);
	if (*end != '-' || strlen(end + 1) >= sizeof(config->uuid))
		return false;
	memcpy(config->uuid, end + 1, strlen(end + 1) + 1);
	return true;
}

static int restore_one(struct relays *relays, struct fdstore *store, const char *name)
{
	struct relay_config config = {.domid = 0};
	int master, slave, r = -EBADMSG;
	struct relay *relay = NULL;
	char other[96];

	if (parse_name(name, &config) && !find(relays, config.domid))
		relay = add(relays, &config);
	master = fdstore_take(store, name);
	if (relay)
		name_of(relay, SLAVE, other);
	slave = relay ? fdstore_take(store, other) : -1;
	if (slave >= 0)
		r = pty_adopt(master, slave, &relay->pty);
	else
		closep(&master);
	if (r < 0 && relay) {
		forget(relay);
		drop(relay);
	}
	return r;
}

int relays_new(struct streams *streams, const struct relay_events *events, struct fdstore *store,
	       struct relays **ret_relays)
{
	struct relays *relays = calloc(1, sizeof(*relays));
	const char *name;

	if (!relays)
		return -ENOMEM;
	relays->streams = streams;
	relays->events = *events;
	TAILQ_INIT(&relays->list);
	while ((name = fdstore_find(store, MASTER)))
		if (restore_one(relays, store, name) < 0)
			message(LOG_NOTICE, "a terminal of an earlier process is of no use");
	*ret_relays = relays;
	return 0;
}

struct relays *relays_leave(struct relays *relays)
{
	struct relay *relay, *next;

	if (!relays)
		return NULL;
	for (relay = TAILQ_FIRST(&relays->list); relay; relay = next) {
		next = TAILQ_NEXT(relay, link);
		if (relay->stream && !relay->connected)
			relay->config.opened(relay->config.userdata, -ECANCELED, "");
		drop(relay);
	}
	free(relays);
	return NULL;
}
