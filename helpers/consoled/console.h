/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A console that this process serves.  Output goes to the log, the replay, the terminal for
 * xenconsole and the attached clients; none of these stops it.
 */
#ifndef CONSOLED_CONSOLE_H
#define CONSOLED_CONSOLE_H

#include <stdbool.h>
#include <stdint.h>

#include "discovery.h"
#include "log.h"

#define CONSOLE_CLIENTS 64 /* of one console; as many followers of its log */

struct backend;
struct console;
struct early_part;
struct event_base;
struct fdstore;

enum console_state {
	CONSOLE_WAITING, /* no port or no grant yet, or another process has it */
	CONSOLE_SERVING,
	CONSOLE_BROKEN, /* the guest's ring is invalid */
	CONSOLE_RELEASED,
};

struct console_env {
	struct event_base *base;
	struct backend *backend;
	struct log_dir log_dir;
	const char *marks; /* directory of mark.h */
	/* What is told of the console has changed. */
	void (*changed)(void *userdata, struct console *console);
	void *userdata;
};

struct console_status {
	uint32_t domid;
	const char *uuid, *tty;
	enum console_state state;
	unsigned int attached;
	bool writer;
	uint64_t dropped;
	bool early; /* its first output was given to us */
};

struct attach_options {
	bool read_only, exclusive;
	uint32_t replay;
};

/*
 * @log: the name of its log
 * Serves nothing yet.
 */
int console_new(struct console_env *env, const struct console_facts *facts, const char *log,
		struct console **ret_console);

/*
 * One of an earlier process, from what the service manager holds of it under that name.
 * -ENOENT: the terminal is missing; -EBADMSG: of another version; others: see channel_adopt().
 */
int console_restore(struct console_env *env, struct fdstore *store, const char *name,
		    struct console **ret_console);

/* Takes what output is left, and ends its clients. */
struct console *console_free(struct console *console);

/* The same where the next process goes on with it. */
struct console *console_leave(struct console *console);

void console_get_status(const struct console *console, struct console_status *ret_status);
const char *console_log_name(const struct console *console);

/* False: another domain, or another ring of the same domain; the console must be made again. */
bool console_is_same(const struct console *console, const struct console_facts *facts);

/* Handed to us before xenstore says so; false once it has. */
bool console_is_expected(const struct console *console);
void console_set_expected(struct console *console, bool expected);

/* What xenstore has, or is to have, of it. */
void console_get_ring(const struct console *console, uint32_t *ret_port, uint64_t *ret_ring_ref);

/* Waiting: binds and maps.  Returns 0, or -errno of channel_open(). */
int console_serve(struct console *console);

/* -EBUSY: exclusive, and there is a writer; -EMFILE: too many clients.  The caller gets the slave.
 */
int console_attach(struct console *console, const struct attach_options *options, int *ret_fd,
		   bool *ret_writer);

/* The log as follower_new() has it.  -EMFILE. */
int console_follow(struct console *console, bool follow, int *ret_fd, uint64_t *ret_size);

/*
 * A part of what it printed before it had a back end; the last one puts all of it into the log,
 * once.  Errors as of early_add() and insert_prepare(); what cannot be at its place any more is
 * counted as dropped, which is no error.
 */
int console_early(struct console *console, const struct early_part *part);

/*
 * Stops, unbinds and unmaps, for another back end.  `id` is the job's: with the same one it
 * returns the same again.  input: what was not in the ring, SAVED_INPUT_SIZE bytes at most. -EBUSY:
 * it is released by another request; -EAGAIN: it is not being served.
 */
int console_release(struct console *console, const char *id, uint8_t *ret_input, size_t *ret_size);

/* Serves it again, and puts that input first.  -EEXIST: it is being served; else as
 * console_serve(). */
int console_take(struct console *console, const char *id, const uint8_t *input, size_t size);

#endif
