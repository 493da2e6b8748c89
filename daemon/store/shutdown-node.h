/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The node by which a guest is asked to shut down: control/shutdown, which the guest
 * empties when it has read it.  The guest may write there whatever it likes, and as often.
 */
#ifndef HYPERLAUNCHD_STORE_SHUTDOWN_NODE_H
#define HYPERLAUNCHD_STORE_SHUTDOWN_NODE_H

#include <stdbool.h>
#include <stdint.h>

struct store;

#define SHUTDOWN_WORD_SIZE  16
#define SHUTDOWN_TOKEN_SIZE 32

enum shutdown_op {
	SHUTDOWN_ASK, /* watches the node, and writes the word, unless the guest does not watch */
	SHUTDOWN_FOLLOW,    /* watches the node, and reads it */
	SHUTDOWN_LOOK,	    /* reads the node */
	SHUTDOWN_TAKE_BACK, /* empties the node where it has the word still */
	SHUTDOWN_UNWATCH,
};

enum shutdown_request {
	SHUTDOWN_NOT_READ,
	SHUTDOWN_NOWHERE, /* the domain has no node "control" */
	SHUTDOWN_EMPTY,	  /* nothing is asked of it, or it has read what was */
	SHUTDOWN_OURS,
	SHUTDOWN_OTHER, /* the node has another word than ours */
};

enum shutdown_feature {
	SHUTDOWN_UNKNOWN,     /* it has not said yet whether it watches, or never does */
	SHUTDOWN_WATCHED,     /* its kernel has written that it does */
	SHUTDOWN_NOT_WATCHED, /* that it does not */
};

struct shutdown_found {
	enum shutdown_request request;
	enum shutdown_feature feature;
};

/* Strings are copied. */
struct shutdown_task {
	enum shutdown_op op;
	uint32_t domid;
	const char *word;  /* "poweroff", which has the node control/feature-poweroff; "reboot" */
	const char *token; /* of the watch */
	uint32_t id;	   /* done()'s */
	/*
	 * result: 0; -EACCES: this domain may not write there; -EAGAIN: the nodes change all the
	 * time; or another negative errno.  Not called where the connection ends first.  NULL: not
	 * waited for.
	 */
	void (*done)(void *userdata, uint32_t id, enum shutdown_op op, int result,
		     const struct shutdown_found *found);
	void *userdata;
};

/* As store_submit(). */
int shutdown_submit(struct store *store, const struct shutdown_task *task);

#endif
