/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Clients in our own domain, at a unix socket. */
#ifndef CONSOLED_PEER_LOCAL_H
#define CONSOLED_PEER_LOCAL_H

#include "carrier.h"

struct event_base;
struct local_listener;

/* @fd: a listening socket of type SOCK_SEQPACKET, taken over on success */
int local_listener_new(struct event_base *base, int fd, carrier_accept_t accept, void *userdata,
		       struct local_listener **ret_listener);
/* Connections stay. */
struct local_listener *local_listener_free(struct local_listener *listener);

#endif
