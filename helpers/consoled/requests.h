/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Kind `console` of docs/dev/peers.md: requests and events about consoles. */
#ifndef CONSOLED_REQUESTS_H
#define CONSOLED_REQUESTS_H

#include "peer.h"

struct server;

#define PEER_KIND "console"

/* The operations of a peer, on the consoles of that server. */
struct peer_ops requests_ops(struct server *server);

#endif
