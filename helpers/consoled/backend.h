/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The back end of consoles: event channels and granted pages.  Each console with pending output has
 * a turn of at most one ring's content, one after the other; its port stays masked until it has
 * none left, so that a guest's events cost nothing meanwhile.  A guest that prints, or sends
 * events, beyond a budget waits for the end of a period.
 */
#ifndef CONSOLED_BACKEND_H
#define CONSOLED_BACKEND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ops.h"

struct backend;
struct channel;
struct event_base;

struct channel_ops {
	/* Output, and the ring's index after it: recorded when it returns, as that is published
	 * then. */
	void (*output)(void *userdata, const uint8_t *data, size_t size, uint32_t out_cons);
	/* The guest has sent an event: there may be more output or room.  It may close the channel.
	 */
	void (*progress)(void *userdata, bool output);
	/* The ring is invalid; there are no more turns.  It may close the channel. */
	void (*broken)(void *userdata);
};

/*
 * @fd: the event channels of an earlier process, taken over on success; -1: none
 * A port that it has and nobody adopts is unbound when it has an event, and stray() is called.
 */
int backend_new(struct event_base *base, const struct xen_ops *ops, int fd,
		void (*stray)(void *userdata), void *userdata, struct backend **ret_backend);
struct backend *backend_free(struct backend *backend);

/* The descriptor of all event channels. */
int backend_fd(const struct backend *backend);

/* A port of an earlier process that no console adopts. */
void backend_unbind(struct backend *backend, uint32_t port);

/*
 * Maps grant 0 of the domain, and binds to its port.  Returns 0, or -errno: -EINVAL: the port is
 * not for us, or another process has it; others: no grant.
 */
int channel_open(struct backend *backend, uint32_t domid, uint32_t remote_port,
		 const struct channel_ops *ops, void *userdata, struct channel **ret_channel);

/* The same with a port that an earlier process has bound, and the indices that it recorded. */
int channel_adopt(struct backend *backend, uint32_t domid, uint32_t local_port, uint32_t out_cons,
		  uint32_t in_prod, const struct channel_ops *ops, void *userdata,
		  struct channel **ret_channel);

/* Unbinds and unmaps. */
struct channel *channel_close(struct channel *channel);

/* Unmaps only: the next process adopts the port. */
struct channel *channel_leave(struct channel *channel);

/* Takes what output there is, `limit` bytes or a little more at most.  False: it is broken. */
bool channel_drain(struct channel *channel, size_t limit);

uint32_t channel_port(const struct channel *channel);
void channel_indices(const struct channel *channel, uint32_t *ret_out_cons, uint32_t *ret_in_prod);

/* Room for input; what is put there reaches the guest by channel_publish_input(). */
uint32_t channel_room(const struct channel *channel);
uint32_t channel_put(struct channel *channel, const uint8_t *data, uint32_t size);
void channel_publish_input(struct channel *channel);

#endif
