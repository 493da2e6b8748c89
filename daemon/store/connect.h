/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Waits for xenstored without polling: for its socket by inotify, and then, as for
 * the kernel's device where another domain serves xenstore, by a request that is
 * answered once xenstored is there.  libxenstore itself would block in both.
 */
#ifndef HYPERLAUNCHD_STORE_CONNECT_H
#define HYPERLAUNCHD_STORE_CONNECT_H

#include <stdbool.h>
#include <xenstore.h>

struct loop;
struct xs_connect;

struct xs_connect_events {
	/*
	 * xenstored answers; takes over the handle, and a second descriptor of its socket (-1:
	 * there is none): shutdown() of that ends all calls that wait for an answer.
	 */
	void (*connected)(void *userdata, struct xs_handle *h, int socket);
	/*
	 * An attempt failed, for that errno; it goes on waiting.  ETIMEDOUT: xenstored is there and
	 * does not answer; EINPROGRESS: the device's answer is awaited, however long that takes.
	 */
	void (*missing)(void *userdata, int error);
	/* The xenstored behind the socket has ended since. */
	void (*gone)(void *userdata);
};

/*
 * Before the process has threads, and once in it: it takes over XENSTORED_PATH.
 * @events, @userdata: called from the loop, never from within these functions
 */
int xs_connect_new(struct loop *loop, const struct xs_connect_events *events, void *userdata,
		   struct xs_connect **ret_connect);
struct xs_connect *xs_connect_free(struct xs_connect *connect);

/* Begins to wait, or begins again after a lost connection. */
void xs_connect_start(struct xs_connect *connect);

/* The same for a xenstored that was there and then no good: after a while, each time a longer one.
 */
void xs_connect_later(struct xs_connect *connect);

/* Whether the kernel's device may be used: another domain serves xenstore. */
void xs_connect_allow_device(struct xs_connect *connect, bool allow);

#endif
