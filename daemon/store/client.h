/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The connection to xenstored.  libxenstore waits for each answer without a
 * deadline, so its calls run in a thread of their own, as tasks.  A xenstored that
 * leaves a task unanswered for too long is unresponsive: the connection is given
 * up and another one made when it answers again.
 */
#ifndef HYPERLAUNCHD_STORE_CLIENT_H
#define HYPERLAUNCHD_STORE_CLIENT_H

#include <stdbool.h>
#include <stdint.h>
#include <xenstore.h>

struct loop;
struct store;
struct store_task;

enum store_state {
	STORE_UNAVAILABLE,  /* no xenstored has been found yet, or it has ended */
	STORE_UNRESPONSIVE, /* it is there and does not answer */
	STORE_CONNECTED,
};

struct store_events {
	/* The state has changed.  With each connection all watches and tasks begin again. */
	void (*state)(void *userdata);
	/* A watch has fired. */
	void (*fired)(void *userdata, const char *path, const char *token);
	void *userdata;
};

/* Watches of others than the store's owner, by their token. */
struct store_listener {
	const char *token; /* which no other watch has */
	/* As those of struct store_events, which come before them. */
	void (*state)(void *userdata);
	void (*fired)(void *userdata);
	void *userdata;
	struct store_listener *next; /* the store's */
};

struct store_task_type {
	/*
	 * In the thread: calls libxenstore, and uses the task's own memory only.  The
	 * result is done()'s.
	 */
	int (*run)(struct store_task *task, struct xs_handle *h);
	/* In the loop; NULL: nothing to do.  Never called for a task of a connection that has
	 * ended. */
	void (*done)(struct store_task *task, void *userdata, int result);
	/* In the loop after done(), otherwise in either thread; NULL: free(). */
	void (*free)(struct store_task *task);
};

/* At the beginning of the caller's own structure. */
struct store_task {
	const struct store_task_type *type;
	void *userdata; /* done()'s */
};

/* Begins to look for xenstored at once.  `events` is copied. */
int store_new(struct loop *loop, const struct store_events *events, struct store **ret_store);
struct store *store_free(struct store *store);

enum store_state store_state(const struct store *store);

/* Number of the present connection or, without one, of the last; from 1. */
uint64_t store_connection(const struct store *store);

/* Until store_unlisten(), also from within its own calls; the memory stays the caller's. */
void store_listen(struct store *store, struct store_listener *listener);
void store_unlisten(struct store *store, struct store_listener *listener);

/* Whether the kernel's device may be used: another domain serves xenstore. */
void store_allow_device(struct store *store, bool allow);

/*
 * Takes `task` over, also on failure.  Tasks run in the order in which they come.
 * -ENOTCONN: there is no connection; -ENOMEM.
 */
int store_submit(struct store *store, struct store_task *task);

/* Gives the present connection up, as it is of no use, and makes another one after a while. */
void store_reconnect(struct store *store);

/* From time to time: a request, so that a xenstored that hangs is noticed while nothing else is
 * asked. */
void store_check(struct store *store);

/* -errno of libxenstore's last call, in the thread. */
int store_last_error(void);

#endif
