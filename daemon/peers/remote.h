/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The way to a helper in another domain: packets as nodes of xenstore, without descriptors.  The
 * work is in tasks of the store, so nothing here waits.
 */
#ifndef HYPERLAUNCHD_PEERS_REMOTE_H
#define HYPERLAUNCHD_PEERS_REMOTE_H

#include <stdint.h>

#include "peers/carrier.h"

struct loop;
struct store;

/* @self: our own domid; kind: stays the caller's */
int remote_new(struct loop *loop, struct store *store, uint32_t self, uint32_t domid,
	       const char *kind, struct carrier **ret_carrier);

#endif
