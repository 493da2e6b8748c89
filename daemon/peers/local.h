/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The way to a helper in our own domain: packets over a unix socket, with descriptors. */
#ifndef HYPERLAUNCHD_PEERS_LOCAL_H
#define HYPERLAUNCHD_PEERS_LOCAL_H

#include "peers/carrier.h"

struct loop;

/*
 * Its connect() fails as packet_connect() does.
 * @path: is copied
 */
int local_new(struct loop *loop, const char *path, struct carrier **ret_carrier);

#endif
