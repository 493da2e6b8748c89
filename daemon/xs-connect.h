/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Waiting for xenstored, without polling it: for its socket by inotify, and, where
 * another domain serves xenstore, for the kernel's device by a request that is
 * answered once xenstored is there.  libxenstore itself would block in both.
 */
#ifndef HYPERLAUNCHD_XS_CONNECT_H
#define HYPERLAUNCHD_XS_CONNECT_H

#include <stdbool.h>
#include <xenstore.h>

struct loop;
struct xs_connect;

struct xs_connect_events {
	/* xenstored answers; takes over the handle. */
	void (*connected)(void *userdata, struct xs_handle *h);
	/* An attempt found nobody, for that errno; it goes on waiting. */
	void (*missing)(void *userdata, int error);
	/* The socket has changed though we are connected: look whether it is still alive. */
	void (*suspect)(void *userdata);
};

/*
 * @events, @userdata: called from the loop, never from within these functions
 */
int xs_connect_new(struct loop *loop, const struct xs_connect_events *events, void *userdata,
		   struct xs_connect **ret_connect);
struct xs_connect *xs_connect_free(struct xs_connect *connect);

/* Begins to wait, or begins again after a lost connection. */
void xs_connect_start(struct xs_connect *connect);

/* The same for a xenstored that was there and then no good: after a while, each time a longer one. */
void xs_connect_later(struct xs_connect *connect);

/* Whether the kernel's device may be used: another domain serves xenstore. */
void xs_connect_allow_device(struct xs_connect *connect, bool allow);

#endif
