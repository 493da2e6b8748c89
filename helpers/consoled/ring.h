/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A guest's console ring.  Pure: it knows only the shared page.
 *
 * The guest may write any part of the page at any moment.  So each index of the guest's is
 * read once, and our own two indices are kept here and only written to the page.
 */
#ifndef CONSOLED_RING_H
#define CONSOLED_RING_H

#include <stdint.h>
#include <xen/io/console.h>

#define RING_OUT_SIZE 2048u /* guest to us */
#define RING_IN_SIZE  1024u /* us to guest */

struct ring {
	struct xencons_interface *page;
	uint32_t out_cons; /* what we have consumed, published or not */
	uint32_t in_prod;  /* what we have produced, published or not */
};

/* Begins with the indices that the page has. */
void ring_start(struct ring *ring, void *page);

/* Goes on with indices that an earlier process recorded, and publishes them. */
void ring_resume(struct ring *ring, void *page, uint32_t out_cons, uint32_t in_prod);

/*
 * Copies all pending output to `data`, without consuming it.
 * Returns the number of bytes, or -EBADMSG: the guest's index is invalid.
 */
int ring_peek(struct ring *ring, uint8_t data[RING_OUT_SIZE]);

/* Consumes output; the guest learns of it by ring_publish_output(). */
void ring_consume(struct ring *ring, uint32_t size);
void ring_publish_output(struct ring *ring);

/* Room for input in bytes; 0 where the guest's index is invalid, too. */
uint32_t ring_room(const struct ring *ring);

/* Puts input of at most ring_room() bytes into the page; published by ring_publish_input(). */
void ring_put(struct ring *ring, const uint8_t *data, uint32_t size);
void ring_publish_input(struct ring *ring);

#endif
