/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A client in another domain, by nodes of xenstore: hyperlaunchd of a control domain, which makes
 * their directories.  A thread calls libxenstore.
 */
#ifndef CONSOLED_PEER_REMOTE_H
#define CONSOLED_PEER_REMOTE_H

#include <stdint.h>

#include "carrier.h"

struct event_base;
struct remote_listener;
struct store_ops;

/* @self: our own domid */
int remote_listener_new(struct event_base *base, const struct store_ops *ops, uint32_t self,
			const char *kind, carrier_accept_t accept, void *userdata,
			struct remote_listener **ret_listener);
/* After its connection is freed.  Tells the client, but waits for xenstored no more than shortly.
 */
struct remote_listener *remote_listener_free(struct remote_listener *listener);

#endif
