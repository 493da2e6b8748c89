// SPDX-License-Identifier: LGPL-2.1-or-later
/* A console: where its output goes, and where its input comes from. */
#include "console.h"

#include <errno.h>
#include <event2/event.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/queue.h>

#include "backend.h"
#include "client.h"
#include "early.h"
#include "fdstore.h"
#include "follow.h"
#include "insert.h"
#include "mark.h"
#include "message.h"
#include "pty.h"
#include "ring.h"
#include "saved.h"

#define LAST_OUTPUT (64u * 1024) /* that is taken from a console that ends */

struct attached {
	TAILQ_ENTRY(attached) link;
	struct console *console;
	struct client *client;
	struct pty pty; /* its slave is the client's alone */
	uint64_t cursor;
	bool may_write, exclusive;
};

struct reader {
	TAILQ_ENTRY(reader) link;
	struct follower *follower;
};

struct console {
	struct console_env *env;
	struct saved *saved;
	int saved_fd;
	enum console_state state;
	struct channel *channel;
	struct console_log *log;
	char log_name[LOG_NAME_SIZE];
	unsigned int rotations;
	struct early *early; /* what was given so far; NULL: nothing */
	struct pty pty;
	struct client *terminal;		     /* on pty */
	TAILQ_HEAD(attached_list, attached) clients; /* in the order in which they came */
	TAILQ_HEAD(reader_list, reader) readers;
	unsigned int nr_clients, nr_readers;
	int error; /* that was reported, 0: none */
};

static void hold(const struct console *console, const char *what, int fd)
{
	char name[64];

	snprintf(name, sizeof(name), "%s-%" PRIu32, what, console->saved->domid);
	fdstore_hold(name, fd);
}

static void forget(const struct console *console, const char *what)
{
	char name[64];

	snprintf(name, sizeof(name), "%s-%" PRIu32, what, console->saved->domid);
	fdstore_forget(name);
}

static void changed(struct console *console)
{
	console->env->changed(console->env->userdata, console);
}

static struct attached *writer_of(const struct console *console)
{
	struct attached *attached;

	for (attached = TAILQ_FIRST(&console->clients); attached;
	     attached = TAILQ_NEXT(attached, link))
		if (attached->may_write)
			return attached;
	return NULL;
}

static bool is_exclusive(const struct console *console)
{
	struct attached *writer = writer_of(console);

	return writer && writer->exclusive;
}

/* Puts as much of the saved input into the ring as there is room for. */
static void push_input(struct console *console)
{
	struct saved *saved = console->saved;
	struct saved_slot slot = saved_get(saved);
	uint32_t left = slot.input_size - slot.input_taken, room;

	if (!console->channel || left == 0)
		return;
	room = channel_room(console->channel);
	if (room == 0)
		return;
	left = left < room ? left : room;
	slot.in_prod = channel_put(console->channel, saved->input + slot.input_taken, left);
	slot.input_taken += left;
	saved_commit(saved, &slot);
	channel_publish_input(console->channel);
}

static bool has_input(const struct console *console)
{
	struct saved_slot slot = saved_get(console->saved);

	return slot.input_taken < slot.input_size;
}

/* What was typed waits where it was typed until the ring has room. */
static int room_for(struct console *console)
{
	if (console->state != CONSOLE_SERVING || has_input(console))
		return 0;
	return (int)channel_room(console->channel);
}

static int terminal_room(void *userdata, struct client *client)
{
	struct console *console = userdata;

	return is_exclusive(console) ? 0 : room_for(console);
}

static int attached_room(void *userdata, struct client *client)
{
	struct attached *attached = userdata;

	return attached == writer_of(attached->console) ? room_for(attached->console)
							: CLIENT_DISCARD;
}

static void put_input(struct console *console, const uint8_t *data, size_t size)
{
	struct saved_slot slot = saved_get(console->saved);

	memcpy(console->saved->input, data, size);
	slot.input_size = (uint32_t)size;
	slot.input_taken = 0;
	saved_commit(console->saved, &slot);
	push_input(console);
}

static void terminal_input(void *userdata, const uint8_t *data, size_t size)
{
	put_input(userdata, data, size);
}

static void attached_input(void *userdata, const uint8_t *data, size_t size)
{
	const struct attached *attached = userdata;

	put_input(attached->console, data, size);
}

/* Cannot be while the slave is open; without a terminal the rest goes on. */
static void terminal_closed(void *userdata, struct client *client)
{
	struct console *console = userdata;

	message(LOG_WARNING, "the terminal of domain %" PRIu32 " has failed",
		console->saved->domid);
	console->terminal = client_free(console->terminal);
}

static void wake_clients(struct console *console)
{
	struct attached *attached;

	if (console->terminal)
		client_wake(console->terminal);
	for (attached = TAILQ_FIRST(&console->clients); attached;
	     attached = TAILQ_NEXT(attached, link))
		client_wake(attached->client);
}

static void detach(struct attached *attached)
{
	struct console *console = attached->console;

	TAILQ_REMOVE(&console->clients, attached, link);
	console->nr_clients--;
	client_free(attached->client);
	pty_close(&attached->pty);
	free(attached);
}

/* The next one that asked for it may type now. */
static void attached_closed(void *userdata, struct client *client)
{
	struct attached *attached = userdata;
	struct console *console = attached->console;

	detach(attached);
	wake_clients(console);
	changed(console);
}

static void on_output(void *userdata, const uint8_t *data, size_t size, uint32_t out_cons)
{
	struct console *console = userdata;
	struct saved_slot slot = saved_get(console->saved);

	/* Else the next process takes what is written and not recorded for an earlier console's. */
	if (slot.log_ino == 0 && log_begin(console->log, &slot) == 0)
		saved_commit(console->saved, &slot);
	replay_put(console->saved->replay, slot.total, data, size);
	slot.total += size;
	slot.out_cons = out_cons;
	log_append(console->log, data, size, &slot);
	saved_commit(console->saved, &slot);
}

static void poke_readers(struct console *console)
{
	unsigned int rotations = log_rotations(console->log);
	struct reader *reader;

	for (reader = TAILQ_FIRST(&console->readers); reader; reader = TAILQ_NEXT(reader, link))
		follower_poke(reader->follower, rotations != console->rotations);
	console->rotations = rotations;
}

static void on_progress(void *userdata, bool output)
{
	struct console *console = userdata;

	push_input(console);
	wake_clients(console);
	if (output)
		poke_readers(console);
}

static void on_broken(void *userdata)
{
	struct console *console = userdata;

	message(LOG_WARNING,
		"the console ring of domain %" PRIu32 " is invalid: not served any more",
		console->saved->domid);
	console->state = CONSOLE_BROKEN;
	changed(console);
}

static const struct channel_ops channel_events = {
	.output = on_output,
	.progress = on_progress,
	.broken = on_broken,
};

static int add_terminal(struct console *console)
{
	const struct client_ops ops = {
		.room = terminal_room,
		.input = terminal_input,
		.closed = terminal_closed,
		.userdata = console,
	};

	return client_new(console->env->base, console->pty.master, console->saved,
			  &console->saved->pty_cursor, &ops, &console->terminal);
}

static struct console *console_alloc(struct console_env *env)
{
	struct console *console = calloc(1, sizeof(*console));

	if (!console)
		return NULL;
	console->env = env;
	console->saved_fd = -1;
	console->pty = (struct pty){.master = -1, .slave = -1};
	TAILQ_INIT(&console->clients);
	TAILQ_INIT(&console->readers);
	return console;
}

static int open_log(struct console *console, const char *name)
{
	struct saved_slot slot = saved_get(console->saved);

	snprintf(console->log_name, sizeof(console->log_name), "%s", name);
	return log_new(&console->env->log_dir, name, &slot, &console->log);
}

/* What an earlier console of that name has printed is the beginning of the replay, not of the
 * terminal. */
static void fill_replay(struct console *console)
{
	struct saved_slot slot = saved_get(console->saved);

	slot.total = log_tail(&console->env->log_dir, console->log_name, console->saved->replay);
	console->saved->pty_cursor = slot.total;
	saved_commit(console->saved, &slot);
}

/* A process before this one, without a successor that has its state, may have had it. */
static void read_mark(struct console *console)
{
	struct saved_slot slot = saved_get(console->saved);

	slot.early_given =
		mark_is_set(console->env->marks, console->saved->log, console->saved->domid);
	saved_commit(console->saved, &slot);
}

static int set_up(struct console *console, const struct console_facts *facts, const char *log)
{
	int r = saved_new(facts->domid, facts->uuid, &console->saved, &console->saved_fd);

	if (r < 0)
		return r;
	console->saved->remote_port = facts->remote_port;
	console->saved->ring_ref = facts->ring_ref;
	snprintf(console->saved->log, sizeof(console->saved->log), "%s", log);
	read_mark(console);
	r = open_log(console, log);
	if (r < 0)
		return r;
	fill_replay(console);
	r = pty_open(&console->pty);
	return r < 0 ? r : add_terminal(console);
}

static void hold_all(const struct console *console)
{
	hold(console, "saved", console->saved_fd);
	hold(console, "master", console->pty.master);
	hold(console, "slave", console->pty.slave);
}

int console_new(struct console_env *env, const struct console_facts *facts, const char *log,
		struct console **ret_console)
{
	struct console *console = console_alloc(env);
	int r;

	if (!console)
		return -ENOMEM;
	r = set_up(console, facts, log);
	if (r < 0) {
		console_leave(console);
		return r;
	}
	hold_all(console);
	*ret_console = console;
	return 0;
}

static void set_mark(const struct console *console)
{
	mark_set(console->env->marks, console->saved->log, console->saved->domid);
}

/* What the last process had begun; it may have ended before it set the mark, too. */
static void finish_early(struct console *console)
{
	struct saved_slot slot = saved_get(console->saved);

	if (slot.early_ino != 0) {
		int r = insert_finish(&console->env->log_dir, console->saved->log, &slot);

		if (r < 0)
			message(LOG_WARNING,
				"the first output of domain %" PRIu32 " is not in its log: %s",
				console->saved->domid, strerror(-r));
		saved_commit(console->saved, &slot);
	}
	if (slot.early_given)
		set_mark(console);
}

/* The terminal's descriptors, by the domain of the saved state. */
static int take_terminal(struct console *console, struct fdstore *store)
{
	char name[64];
	int master, slave;

	snprintf(name, sizeof(name), "master-%" PRIu32, console->saved->domid);
	master = fdstore_take(store, name);
	snprintf(name, sizeof(name), "slave-%" PRIu32, console->saved->domid);
	slave = fdstore_take(store, name);
	if (master < 0 || slave < 0) {
		closep(&master);
		closep(&slave);
		return -ENOENT;
	}
	return pty_adopt(master, slave, &console->pty);
}

static int adopt_channel(struct console *console)
{
	struct saved *saved = console->saved;
	struct saved_slot slot = saved_get(saved);
	int r;

	if (saved->release_id[0] != '\0') {
		/* It may not have come to that. */
		if (saved->local_port != 0)
			backend_unbind(console->env->backend, saved->local_port);
		saved->local_port = 0;
		console->state = CONSOLE_RELEASED;
		return 0;
	}
	if (saved->local_port == 0)
		return 0;
	r = channel_adopt(console->env->backend, saved->domid, saved->local_port, slot.out_cons,
			  slot.in_prod, &channel_events, console, &console->channel);
	if (r == 0)
		console->state = CONSOLE_SERVING;
	else
		backend_unbind(console->env->backend, saved->local_port);
	return r;
}

static int restore(struct console *console, struct fdstore *store, const char *name)
{
	int r;

	console->saved_fd = fdstore_take(store, name);
	r = saved_open(console->saved_fd, &console->saved);
	if (r == 0)
		r = take_terminal(console, store);
	if (r < 0)
		return r;
	finish_early(console);
	r = open_log(console, console->saved->log);
	if (r == 0)
		r = adopt_channel(console);
	if (r == 0)
		r = add_terminal(console);
	if (r == 0)
		push_input(console);
	return r;
}

int console_restore(struct console_env *env, struct fdstore *store, const char *name,
		    struct console **ret_console)
{
	struct console *console = console_alloc(env);
	int r;

	if (!console)
		return -ENOMEM;
	r = restore(console, store, name);
	if (r < 0) {
		if (console->saved)
			console_free(console);
		else
			console_leave(console);
		return r;
	}
	*ret_console = console;
	return 0;
}

static void end_readers(struct console *console)
{
	struct reader *reader, *next;

	for (reader = TAILQ_FIRST(&console->readers); reader; reader = next) {
		next = TAILQ_NEXT(reader, link);
		TAILQ_REMOVE(&console->readers, reader, link);
		follower_free(reader->follower);
		free(reader);
	}
	console->nr_readers = 0;
}

static void end_clients(struct console *console)
{
	struct attached *attached, *next;

	for (attached = TAILQ_FIRST(&console->clients); attached; attached = next) {
		next = TAILQ_NEXT(attached, link);
		detach(attached);
	}
}

struct console *console_leave(struct console *console)
{
	if (!console)
		return NULL;
	end_readers(console);
	end_clients(console);
	client_free(console->terminal);
	channel_leave(console->channel);
	pty_close(&console->pty);
	log_free(console->log);
	free(console->early);
	saved_close(console->saved);
	closep(&console->saved_fd);
	free(console);
	return NULL;
}

static void close_channel(struct console *console)
{
	console->channel = channel_close(console->channel);
	console->saved->local_port = 0;
}

struct console *console_free(struct console *console)
{
	if (!console)
		return NULL;
	if (console->channel) {
		if (console->state == CONSOLE_SERVING)
			channel_drain(console->channel, LAST_OUTPUT);
		close_channel(console);
	}
	forget(console, "saved");
	forget(console, "master");
	forget(console, "slave");
	return console_leave(console);
}

void console_get_status(const struct console *console, struct console_status *ret_status)
{
	const struct saved_slot slot = saved_get(console->saved);

	*ret_status = (struct console_status){
		.domid = console->saved->domid,
		.uuid = console->saved->uuid,
		.tty = console->pty.path,
		.state = console->state,
		.attached = console->nr_clients,
		.writer = writer_of(console) != NULL,
		.dropped = slot.dropped + slot.early_dropped,
		.early = slot.early_given,
	};
}

const char *console_log_name(const struct console *console)
{
	return console->log_name;
}

bool console_is_same(const struct console *console, const struct console_facts *facts)
{
	const struct saved *saved = console->saved;

	return saved->remote_port == facts->remote_port && saved->ring_ref == facts->ring_ref &&
	       strcmp(saved->uuid, facts->uuid) == 0;
}

bool console_is_expected(const struct console *console)
{
	return console->saved->expected;
}

/* What it printed first is another back end's to log. */
void console_set_expected(struct console *console, bool expected)
{
	struct saved_slot slot = saved_get(console->saved);

	console->saved->expected = expected;
	if (!expected || slot.early_given)
		return;
	slot.early_given = true;
	saved_commit(console->saved, &slot);
}

void console_get_ring(const struct console *console, uint32_t *ret_port, uint64_t *ret_ring_ref)
{
	*ret_port = console->saved->remote_port;
	*ret_ring_ref = console->saved->ring_ref;
}

int console_serve(struct console *console)
{
	struct saved *saved = console->saved;
	struct saved_slot slot = saved_get(saved);
	int r = channel_open(console->env->backend, saved->domid, saved->remote_port,
			     &channel_events, console, &console->channel);

	if (r < 0) {
		if (console->error != r)
			message(LOG_NOTICE,
				"the console of domain %" PRIu32 " cannot be served yet: %s",
				saved->domid, strerror(-r));
		console->error = r;
		return r;
	}
	channel_indices(console->channel, &slot.out_cons, &slot.in_prod);
	saved_commit(saved, &slot);
	saved->local_port = channel_port(console->channel);
	console->state = CONSOLE_SERVING;
	console->error = 0;
	push_input(console);
	changed(console);
	return 0;
}

/* The slave, which goes to the client, is closed here; what is left of the output is in the replay.
 */
static int make_attached(struct console *console, const struct attach_options *options,
			 struct attached *attached)
{
	const struct client_ops ops = {
		.room = attached_room,
		.input = attached_input,
		.closed = attached_closed,
		.userdata = attached,
	};
	uint64_t total = saved_get(console->saved).total, oldest = replay_oldest(total);
	int r = pty_open(&attached->pty);

	if (r < 0)
		return r;
	attached->console = console;
	attached->may_write = !options->read_only;
	attached->exclusive = options->exclusive;
	attached->cursor = total - oldest > options->replay ? total - options->replay : oldest;
	r = client_new(console->env->base, attached->pty.master, console->saved, &attached->cursor,
		       &ops, &attached->client);
	if (r < 0)
		pty_close(&attached->pty);
	return r;
}

int console_attach(struct console *console, const struct attach_options *options, int *ret_fd,
		   bool *ret_writer)
{
	_cleanup_(freep) struct attached *attached = NULL;
	struct attach_options granted = *options;
	int r;

	if (options->exclusive && writer_of(console))
		return -EBUSY;
	if (console->nr_clients >= CONSOLE_CLIENTS)
		return -EMFILE;
	attached = calloc(1, sizeof(*attached));
	if (!attached)
		return -ENOMEM;
	/* One that is kept from typing by an exclusive one is never the next. */
	granted.read_only = options->read_only || is_exclusive(console);
	r = make_attached(console, &granted, attached);
	if (r < 0)
		return r;
	*ret_fd = steal_fd(&attached->pty.slave);
	TAILQ_INSERT_TAIL(&console->clients, attached, link);
	console->nr_clients++;
	*ret_writer = writer_of(console) == attached;
	client_wake(attached->client);
	attached = NULL;
	changed(console);
	return 0;
}

static void reader_ended(void *userdata, struct follower *follower)
{
	struct console *console = userdata;
	struct reader *reader;

	for (reader = TAILQ_FIRST(&console->readers); reader; reader = TAILQ_NEXT(reader, link))
		if (reader->follower == follower)
			break;
	if (!reader)
		return;
	TAILQ_REMOVE(&console->readers, reader, link);
	console->nr_readers--;
	follower_free(follower);
	free(reader);
}

int console_follow(struct console *console, bool follow, int *ret_fd, uint64_t *ret_size)
{
	struct reader *reader;
	int r;

	if (console->nr_readers >= CONSOLE_CLIENTS)
		return -EMFILE;
	reader = calloc(1, sizeof(*reader));
	if (!reader)
		return -ENOMEM;
	r = follower_new(console->env->base, &console->env->log_dir, console->log_name, follow,
			 reader_ended, console, &reader->follower, ret_fd, ret_size);
	if (r < 0) {
		free(reader);
		return r;
	}
	TAILQ_INSERT_TAIL(&console->readers, reader, link);
	console->nr_readers++;
	return 0;
}

static void follow_replaced(struct console *console, const struct saved_slot *before, size_t length)
{
	struct reader *reader;

	for (reader = TAILQ_FIRST(&console->readers); reader; reader = TAILQ_NEXT(reader, link))
		follower_replaced(reader->follower, before->begin_ino, before->begin, length);
}

/* Its part of the log was removed, or is too large to be moved. */
static void drop_early(struct saved_slot *slot, int r, uint64_t dropped)
{
	slot->early_given = true;
	if (r != -E2BIG)
		return;
	slot->early_dropped = dropped;
	slot->unmarked += dropped;
}

static int insert_early(struct console *console, uint64_t dropped)
{
	const struct early *early = console->early;
	struct saved_slot slot = saved_get(console->saved), before;
	size_t length = 0;
	int r = insert_prepare(console->log, early->data, early->size, dropped, &slot, &length);

	if (r == -ENOENT || r == -E2BIG) {
		drop_early(&slot, r, dropped + early->size);
		saved_commit(console->saved, &slot);
		return 0;
	}
	if (r < 0)
		return r;
	before = slot;
	saved_commit(console->saved, &slot);
	r = insert_finish(&console->env->log_dir, console->log_name, &slot);
	saved_commit(console->saved, &slot);
	if (r < 0)
		return r;
	log_replaced(console->log, &slot);
	follow_replaced(console, &before, length);
	poke_readers(console);
	return 0;
}

/* What is empty changes nothing in the log. */
static int take_early(struct console *console, uint64_t dropped)
{
	struct saved_slot slot = saved_get(console->saved);
	int r = 0;

	/* Since the last attempt the log's directory was not there. */
	if (slot.early_ino != 0) {
		finish_early(console);
		return saved_get(console->saved).early_given ? 0 : -EIO;
	}
	if (console->early->size > 0 || dropped > 0)
		r = insert_early(console, dropped);
	if (r < 0) {
		message(LOG_WARNING, "the first output of domain %" PRIu32 " is not in its log: %s",
			console->saved->domid, strerror(-r));
		/* Of the directory, not of the parts. */
		return r == -EAGAIN ? -EIO : r;
	}
	slot = saved_get(console->saved);
	slot.early_given = true;
	saved_commit(console->saved, &slot);
	set_mark(console);
	changed(console);
	return 0;
}

int console_early(struct console *console, const struct early_part *part)
{
	int r;

	if (saved_get(console->saved).early_given)
		return 0;
	if (!console->early)
		console->early = calloc(1, sizeof(*console->early));
	if (!console->early)
		return -ENOMEM;
	r = early_add(console->early, part);
	if (r <= 0)
		return r;
	r = take_early(console, part->dropped);
	free(console->early);
	console->early = NULL;
	return r;
}

int console_release(struct console *console, const char *id, uint8_t *ret_input, size_t *ret_size)
{
	struct saved *saved = console->saved;
	struct saved_slot slot = saved_get(saved);

	if (console->state == CONSOLE_RELEASED && strcmp(saved->release_id, id) != 0)
		return -EBUSY;
	if (console->state != CONSOLE_RELEASED) {
		if (console->state != CONSOLE_SERVING)
			return -EAGAIN;
		channel_drain(console->channel, LAST_OUTPUT);
		/* From here on a restart does not serve it; the port is unbound by whoever comes
		 * first. */
		snprintf(saved->release_id, sizeof(saved->release_id), "%s", id);
		close_channel(console);
		console->state = CONSOLE_RELEASED;
		wake_clients(console);
		poke_readers(console);
		changed(console);
		slot = saved_get(saved);
	}
	*ret_size = slot.input_size - slot.input_taken;
	memcpy(ret_input, saved->input + slot.input_taken, *ret_size);
	return 0;
}

int console_take(struct console *console, const char *id, const uint8_t *input, size_t size)
{
	struct saved *saved = console->saved;
	struct saved_slot slot = saved_get(saved);
	int r;

	if (console->state == CONSOLE_SERVING || console->state == CONSOLE_BROKEN)
		return strcmp(saved->take_id, id) == 0 ? 0 : -EEXIST;
	/* In the place of what was returned when it was released. */
	memcpy(saved->input, input, size);
	slot.input_size = (uint32_t)size;
	slot.input_taken = 0;
	saved_commit(saved, &slot);
	r = console_serve(console);
	if (r < 0)
		return r;
	saved->release_id[0] = '\0';
	snprintf(saved->take_id, sizeof(saved->take_id), "%s", id);
	wake_clients(console);
	return 0;
}
