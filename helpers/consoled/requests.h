/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Kind `console` of docs/dev/peers.md: requests and events about consoles. */
#ifndef CONSOLED_REQUESTS_H
#define CONSOLED_REQUESTS_H

#include "peer.h"

struct relays;
struct server;
struct streams;

#define PEER_KIND "console"

struct requests {
	struct server *server;
	struct streams *streams; /* NULL: to no other domain */
	struct relays *relays;	 /* NULL with that */
};

/* The operations of a peer, on what is the caller's. */
struct peer_ops requests_ops(struct requests *requests);

#endif
