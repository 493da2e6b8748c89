// SPDX-License-Identifier: LGPL-2.1-or-later
/* Consoles as xenstore lists them, in a thread of its own. */
#include "discovery.h"

#include <errno.h>
#include <event2/event.h>
#include <inttypes.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/queue.h>

#include "message.h"
#include "ops.h"

#define PATH_SIZE	  128
#define TOKEN_BACKEND	  "backend"
#define TOKEN_SELF	  "self"
#define TOKEN_DOMAIN	  "domain-"
#define RETRY_MS	  1000
#define END_SECONDS	  2
#define MAX_DOMID	  0x7fefu
#define TRANSACTION_TRIES 16

enum note_kind { NOTE_FOUND, NOTE_GONE, NOTE_LISTED, NOTE_LOST, NOTE_PUBLISH, NOTE_RELAY };

/* From the thread to the loop, or a request of the loop's to the thread. */
struct note {
	TAILQ_ENTRY(note) link;
	enum note_kind kind;
	struct console_facts facts;
};

TAILQ_HEAD(note_list, note);

/* A domain that backend/console lists: the thread's. */
struct known {
	TAILQ_ENTRY(known) link;
	uint32_t domid;
	bool listed;		    /* in the last listing */
	bool found;		    /* it has a console, and the loop knows */
	struct console_facts facts; /* what the loop knows */
};

struct discovery {
	const struct store_ops *ops;
	struct discovery_events events;
	struct event *notes_ready;
	pthread_t thread;
	bool started;

	pthread_mutex_t mutex; /* of what follows */
	struct note_list notes, requests;
	bool ending;
	int notes_fd, requests_fd; /* eventfds */

	/* The thread's. */
	void *store;
	TAILQ_HEAD(known_list, known) known;
	bool complained;
};

static void wake(int fd)
{
	if (eventfd_write(fd, 1) < 0)
		message(LOG_ERR, "cannot wake a thread: %m");
}

static void post(struct discovery *d, enum note_kind kind, const struct console_facts *facts)
{
	bool is_request = kind == NOTE_PUBLISH || kind == NOTE_RELAY;
	struct note *note = calloc(1, sizeof(*note));

	if (!note) {
		message(LOG_ERR, "no memory for what is known of domain %" PRIu32, facts->domid);
		return;
	}
	note->kind = kind;
	note->facts = *facts;
	pthread_mutex_lock(&d->mutex);
	TAILQ_INSERT_TAIL(is_request ? &d->requests : &d->notes, note, link);
	pthread_mutex_unlock(&d->mutex);
	wake(is_request ? d->requests_fd : d->notes_fd);
}

static struct note *next(struct discovery *d, struct note_list *list)
{
	struct note *note;

	pthread_mutex_lock(&d->mutex);
	note = TAILQ_FIRST(list);
	if (note)
		TAILQ_REMOVE(list, note, link);
	pthread_mutex_unlock(&d->mutex);
	return note;
}

static bool is_ending(struct discovery *d)
{
	bool ending;

	pthread_mutex_lock(&d->mutex);
	ending = d->ending;
	pthread_mutex_unlock(&d->mutex);
	return ending;
}

/* All of `text` as a decimal number. */
static bool parse_number(const char *text, uint64_t max, uint64_t *ret_number)
{
	char *end;

	if (!text || text[0] < '0' || text[0] > '9')
		return false;
	errno = 0;
	*ret_number = strtoull(text, &end, 10);
	return errno == 0 && *end == '\0' && *ret_number <= max;
}

static bool is_uuid(const char *text)
{
	bool zero = true;

	if (strlen(text) != UUID_SIZE - 1)
		return false;
	for (size_t i = 0; i < UUID_SIZE - 1; i++) {
		bool dash = i == 8 || i == 13 || i == 18 || i == 23;

		if (dash ? text[i] != '-' : !strchr("0123456789abcdef", text[i]))
			return false;
		zero = zero && (dash || text[i] == '0');
	}
	return !zero;
}

void uuid_from_path(const char *path, char uuid[UUID_SIZE])
{
	uuid[0] = '\0';
	if (strncmp(path, "/vm/", 4) == 0 && is_uuid(path + 4))
		snprintf(uuid, UUID_SIZE, "%s", path + 4);
}

/* A node of a domain; NULL: not there, or not readable. */
static char *read_node(struct discovery *d, uint32_t t, uint32_t domid, const char *node)
{
	char path[PATH_SIZE];

	snprintf(path, sizeof(path), "/local/domain/%" PRIu32 "/%s", domid, node);
	return d->ops->read(d->store, t, path);
}

static void copy_node(struct discovery *d, uint32_t domid, const char *node, char *text,
		      size_t size)
{
	_cleanup_(freep) char *value = read_node(d, 0, domid, node);

	snprintf(text, size, "%s", value && strlen(value) < size ? value : "");
}

/* 0: it has a console; -ENOENT: not, or not any more; else -errno. */
static int read_facts(struct discovery *d, uint32_t domid, struct console_facts *facts)
{
	_cleanup_(freep) char *port = NULL;
	_cleanup_(freep) char *ring_ref = NULL;
	char vm[PATH_SIZE];
	uint64_t number;

	*facts = (struct console_facts){.domid = domid};
	errno = 0;
	port = read_node(d, 0, domid, "console/port");
	if (!port)
		return errno == EACCES ? -ENOENT : -errno;
	ring_ref = read_node(d, 0, domid, "console/ring-ref");
	if (!ring_ref)
		return errno == EACCES ? -ENOENT : -errno;
	if (!parse_number(port, UINT32_MAX, &number) || number == 0 ||
	    !parse_number(ring_ref, UINT64_MAX, &facts->ring_ref))
		return -ENOENT;
	facts->remote_port = (uint32_t)number;
	copy_node(d, domid, "console/type", facts->type, sizeof(facts->type));
	copy_node(d, domid, "console/tty", facts->tty, sizeof(facts->tty));
	copy_node(d, domid, "vm", vm, sizeof(vm));
	uuid_from_path(vm, facts->uuid);
	return 0;
}

static bool is_same(const struct console_facts *a, const struct console_facts *b)
{
	return a->remote_port == b->remote_port && a->ring_ref == b->ring_ref &&
	       strcmp(a->uuid, b->uuid) == 0 && strcmp(a->type, b->type) == 0 &&
	       strcmp(a->tty, b->tty) == 0;
}

static int look_at(struct discovery *d, struct known *known)
{
	struct console_facts facts;
	int r = read_facts(d, known->domid, &facts);

	if (r < 0 && r != -ENOENT)
		return r;
	if (r < 0 && known->found)
		post(d, NOTE_GONE, &facts);
	else if (r == 0 && (!known->found || !is_same(&facts, &known->facts)))
		post(d, NOTE_FOUND, &facts);
	known->found = r == 0;
	known->facts = facts;
	return 0;
}

static struct known *find_known(struct discovery *d, uint32_t domid)
{
	struct known *known;

	for (known = TAILQ_FIRST(&d->known); known; known = TAILQ_NEXT(known, link))
		if (known->domid == domid)
			return known;
	return NULL;
}

static void watch_names(uint32_t domid, char path[PATH_SIZE], char token[PATH_SIZE])
{
	snprintf(path, PATH_SIZE, "/local/domain/%" PRIu32 "/console", domid);
	snprintf(token, PATH_SIZE, TOKEN_DOMAIN "%" PRIu32, domid);
}

/* The watch fires once by itself, and then it is looked at. */
static int add_known(struct discovery *d, uint32_t domid)
{
	char path[PATH_SIZE], token[PATH_SIZE];
	struct known *known = calloc(1, sizeof(*known));

	if (!known)
		return -ENOMEM;
	known->domid = domid;
	known->listed = true;
	TAILQ_INSERT_TAIL(&d->known, known, link);
	watch_names(domid, path, token);
	if (!d->ops->watch(d->store, path, token))
		return -errno;
	return look_at(d, known);
}

static int remove_unlisted(struct discovery *d)
{
	char path[PATH_SIZE], token[PATH_SIZE];
	struct known *known, *following;
	int r = 0;

	for (known = TAILQ_FIRST(&d->known); known && r == 0; known = following) {
		following = TAILQ_NEXT(known, link);
		if (known->listed)
			continue;
		if (known->found)
			post(d, NOTE_GONE, &(struct console_facts){.domid = known->domid});
		watch_names(known->domid, path, token);
		if (!d->ops->unwatch(d->store, path, token) && errno != ENOENT)
			r = -errno;
		TAILQ_REMOVE(&d->known, known, link);
		free(known);
	}
	return r;
}

/* The domids are the names of nodes in our own home, which no guest can write. */
static int list_backends(struct discovery *d)
{
	unsigned int nr = 0;
	_cleanup_(freep) char **names = NULL;
	struct known *known;
	uint64_t domid;
	int r = 0;

	errno = 0;
	names = d->ops->directory(d->store, "backend/console", &nr);
	if (!names && errno != ENOENT)
		return -errno;
	for (known = TAILQ_FIRST(&d->known); known; known = TAILQ_NEXT(known, link))
		known->listed = false;
	for (unsigned int i = 0; names && i < nr && r == 0; i++) {
		if (!parse_number(names[i], MAX_DOMID, &domid))
			continue;
		known = find_known(d, (uint32_t)domid);
		if (known)
			known->listed = true;
		else
			r = add_known(d, (uint32_t)domid);
	}
	return r < 0 ? r : remove_unlisted(d);
}

/* Our own domid is known once the toolstack has written it. */
static int tell_listed(struct discovery *d)
{
	_cleanup_(freep) char *text = NULL;
	uint64_t self;

	errno = 0;
	text = d->ops->read(d->store, 0, "domid");
	if (!text)
		return errno == ENOENT ? 0 : -errno;
	if (parse_number(text, MAX_DOMID, &self))
		post(d, NOTE_LISTED, &(struct console_facts){.domid = (uint32_t)self});
	return 0;
}

/* Of the console's nodes the guest may write some, as often as it likes: these tell us nothing. */
static bool matters(const char *path)
{
	static const char *const nodes[] = {"port", "ring-ref", "type", "tty", "console"};
	const char *name = strrchr(path, '/');

	for (size_t i = 0; name && i < ARRAY_SIZE(nodes); i++)
		if (strcmp(name + 1, nodes[i]) == 0)
			return true;
	return false;
}

static int on_watch(struct discovery *d, const char *path, const char *token)
{
	struct known *known;
	uint64_t domid;

	if (strcmp(token, TOKEN_BACKEND) == 0)
		return list_backends(d);
	if (strcmp(token, TOKEN_SELF) == 0)
		return tell_listed(d);
	if (strncmp(token, TOKEN_DOMAIN, strlen(TOKEN_DOMAIN)) != 0 ||
	    !parse_number(token + strlen(TOKEN_DOMAIN), MAX_DOMID, &domid))
		return 0;
	known = find_known(d, (uint32_t)domid);
	return known && matters(path) ? look_at(d, known) : 0;
}

static bool write_node(struct discovery *d, uint32_t t, uint32_t domid, const char *node,
		       const char *value)
{
	char path[PATH_SIZE];

	snprintf(path, sizeof(path), "/local/domain/%" PRIu32 "/%s", domid, node);
	return d->ops->write(d->store, t, path, value);
}

/* 0, -EAGAIN: again; -ESTALE: that console is another one now; else -errno. */
static int try_publish(struct discovery *d, enum note_kind kind, const struct console_facts *facts)
{
	const char *node = kind == NOTE_RELAY ? "console/backend-id" : "console/port";
	uint32_t wanted = kind == NOTE_RELAY ? facts->backend : facts->remote_port;
	_cleanup_(freep) char *value = NULL;
	uint64_t number;
	uint32_t t = d->ops->transaction_start(d->store);
	bool same, written;
	int error;

	if (t == 0)
		return -errno;
	value = read_node(d, t, facts->domid, node);
	same = parse_number(value, UINT32_MAX, &number) && number == wanted;
	written = same &&
		  (facts->other_tty || write_node(d, t, facts->domid, "console/tty", facts->tty));
	if (kind == NOTE_PUBLISH)
		written = written && write_node(d, t, facts->domid, "console/type", facts->type);
	error = errno;
	if (!d->ops->transaction_end(d->store, t, !written))
		return -errno;
	return written ? 0 : same ? -error : -ESTALE;
}

static int publish(struct discovery *d, enum note_kind kind, const struct console_facts *facts)
{
	int r = -EAGAIN;

	for (int i = 0; i < TRANSACTION_TRIES && r == -EAGAIN; i++)
		r = try_publish(d, kind, facts);
	if (r == 0 || r == -ESTALE)
		return 0;
	if (r == -EACCES || r == -EAGAIN || r == -ENOSPC || r == -EPERM) {
		message(LOG_WARNING, "cannot write the console nodes of domain %" PRIu32 ": %s",
			facts->domid, strerror(-r));
		return 0;
	}
	return r;
}

static int connect_store(struct discovery *d)
{
	d->store = d->ops->open();
	if (!d->store)
		return -errno;
	if (!d->ops->watch(d->store, "backend/console", TOKEN_BACKEND) ||
	    !d->ops->watch(d->store, "domid", TOKEN_SELF))
		return -errno;
	return 0;
}

/* What is found on the next connection is compared with what the loop has. */
static void disconnect_store(struct discovery *d, int error)
{
	struct known *known;

	if (!d->complained && error != -ECANCELED)
		message(LOG_WARNING, "no connection to xenstored: %s; consoles go on",
			strerror(-error));
	d->complained = true;
	while ((known = TAILQ_FIRST(&d->known))) {
		TAILQ_REMOVE(&d->known, known, link);
		free(known);
	}
	if (d->store) {
		d->ops->close(d->store);
		post(d, NOTE_LOST, &(struct console_facts){.domid = 0});
	}
	d->store = NULL;
}

static int process_watches(struct discovery *d)
{
	int r = 0;

	while (r == 0) {
		char **event = d->ops->check_watch(d->store);

		if (!event)
			return errno == EAGAIN || errno == EWOULDBLOCK ? 0 : -errno;
		r = on_watch(d, event[0], event[1]);
		free(event);
	}
	return r;
}

static int process_requests(struct discovery *d)
{
	eventfd_t count;
	int r = 0;

	(void)eventfd_read(d->requests_fd, &count);
	while (r == 0) {
		struct note *note = next(d, &d->requests);

		if (!note)
			break;
		r = publish(d, note->kind, &note->facts);
		free(note);
	}
	return r;
}

/* Waits for watches and requests; after a failure for a while, or the end. */
static void wait_for_work(struct discovery *d)
{
	struct pollfd fds[] = {
		{.fd = d->requests_fd, .events = POLLIN},
		{.fd = d->store ? d->ops->fileno(d->store) : -1, .events = POLLIN},
	};

	if (poll(fds, ARRAY_SIZE(fds), d->store ? -1 : RETRY_MS) < 0 && errno != EINTR)
		message(LOG_ERR, "cannot wait for xenstore: %m");
}

static void *run(void *userdata)
{
	struct discovery *d = userdata;
	bool ending;

	do {
		int r = 0;

		ending = is_ending(d);
		if (!d->store)
			r = connect_store(d);
		if (r == 0)
			r = process_requests(d);
		if (r == 0)
			r = process_watches(d);
		if (r < 0)
			disconnect_store(d, r);
		else
			d->complained = false;
		if (!ending && !is_ending(d))
			wait_for_work(d);
	} while (!ending);
	disconnect_store(d, -ECANCELED);
	return NULL;
}

static void on_notes(evutil_socket_t fd, short what, void *userdata)
{
	struct discovery *d = userdata;
	struct note *note;
	eventfd_t count;

	(void)eventfd_read(fd, &count);
	while ((note = next(d, &d->notes))) {
		if (note->kind == NOTE_FOUND)
			d->events.found(d->events.userdata, &note->facts);
		else if (note->kind == NOTE_GONE)
			d->events.gone(d->events.userdata, note->facts.domid);
		else if (note->kind == NOTE_LOST)
			d->events.lost(d->events.userdata);
		else
			d->events.listed(d->events.userdata, note->facts.domid);
		free(note);
	}
}

int discovery_new(struct event_base *base, const struct store_ops *ops,
		  const struct discovery_events *events, struct discovery **ret_discovery)
{
	struct discovery *d = calloc(1, sizeof(*d));

	if (!d)
		return -ENOMEM;
	d->ops = ops;
	d->events = *events;
	TAILQ_INIT(&d->notes);
	TAILQ_INIT(&d->requests);
	TAILQ_INIT(&d->known);
	pthread_mutex_init(&d->mutex, NULL);
	d->notes_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	d->requests_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (d->notes_fd >= 0)
		d->notes_ready = event_new(base, d->notes_fd, EV_READ | EV_PERSIST, on_notes, d);
	if (d->requests_fd < 0 || !d->notes_ready || event_add(d->notes_ready, NULL) < 0) {
		discovery_free(d);
		return -ENOMEM;
	}
	d->started = pthread_create(&d->thread, NULL, run, d) == 0;
	if (!d->started) {
		discovery_free(d);
		return -EAGAIN;
	}
	*ret_discovery = d;
	return 0;
}

static void free_notes(struct note_list *list)
{
	struct note *note;

	while ((note = TAILQ_FIRST(list))) {
		TAILQ_REMOVE(list, note, link);
		free(note);
	}
}

struct discovery *discovery_free(struct discovery *d)
{
	struct timespec deadline;

	if (!d)
		return NULL;
	if (d->started) {
		pthread_mutex_lock(&d->mutex);
		d->ending = true;
		pthread_mutex_unlock(&d->mutex);
		wake(d->requests_fd);
		clock_gettime(CLOCK_REALTIME, &deadline);
		deadline.tv_sec += END_SECONDS;
		if (pthread_timedjoin_np(d->thread, NULL, &deadline) != 0) {
			message(LOG_WARNING, "xenstored does not answer: left");
			return NULL;
		}
	}
	if (d->notes_ready)
		event_free(d->notes_ready);
	closep(&d->notes_fd);
	closep(&d->requests_fd);
	free_notes(&d->notes);
	free_notes(&d->requests);
	pthread_mutex_destroy(&d->mutex);
	free(d);
	return NULL;
}

void discovery_publish(struct discovery *d, uint32_t domid, uint32_t remote_port, const char *tty,
		       const char *type)
{
	struct console_facts facts = {
		.domid = domid, .remote_port = remote_port, .other_tty = tty == NULL};

	snprintf(facts.tty, sizeof(facts.tty), "%s", tty ? tty : "");
	snprintf(facts.type, sizeof(facts.type), "%s", type);
	post(d, NOTE_PUBLISH, &facts);
}

void discovery_publish_relay(struct discovery *d, uint32_t domid, uint32_t backend, const char *tty)
{
	struct console_facts facts = {.domid = domid, .backend = backend};

	snprintf(facts.tty, sizeof(facts.tty), "%s", tty);
	post(d, NOTE_RELAY, &facts);
}
