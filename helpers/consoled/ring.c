// SPDX-License-Identifier: LGPL-2.1-or-later
/* A guest's console ring. */
#include "ring.h"

#include <errno.h>
#include <string.h>

static uint32_t load(const uint32_t *index)
{
	return __atomic_load_n(index, __ATOMIC_ACQUIRE);
}

static void store(uint32_t *index, uint32_t value)
{
	__atomic_store_n(index, value, __ATOMIC_RELEASE);
}

void ring_start(struct ring *ring, void *page)
{
	ring->page = page;
	ring->out_cons = load(&ring->page->out_cons);
	ring->in_prod = load(&ring->page->in_prod);
}

void ring_resume(struct ring *ring, void *page, uint32_t out_cons, uint32_t in_prod)
{
	ring->page = page;
	ring->out_cons = out_cons;
	ring->in_prod = in_prod;
	ring_publish_output(ring);
	ring_publish_input(ring);
}

int ring_peek(struct ring *ring, uint8_t data[RING_OUT_SIZE])
{
	uint32_t prod = load(&ring->page->out_prod);
	uint32_t size = prod - ring->out_cons, offset, first;

	if (size > RING_OUT_SIZE) {
		/* A driver may have begun again, with both indices at 0. */
		ring->out_cons = load(&ring->page->out_cons);
		size = prod - ring->out_cons;
		if (size > RING_OUT_SIZE)
			return -EBADMSG;
	}
	offset = ring->out_cons % RING_OUT_SIZE;
	first = RING_OUT_SIZE - offset < size ? RING_OUT_SIZE - offset : size;
	memcpy(data, ring->page->out + offset, first);
	memcpy(data + first, ring->page->out, size - first);
	return (int)size;
}

void ring_consume(struct ring *ring, uint32_t size)
{
	ring->out_cons += size;
}

void ring_publish_output(struct ring *ring)
{
	/* The bytes have been read before the guest may overwrite them. */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	store(&ring->page->out_cons, ring->out_cons);
}

uint32_t ring_room(const struct ring *ring)
{
	uint32_t used = ring->in_prod - load(&ring->page->in_cons);

	return used > RING_IN_SIZE ? 0 : RING_IN_SIZE - used;
}

void ring_put(struct ring *ring, const uint8_t *data, uint32_t size)
{
	uint32_t offset = ring->in_prod % RING_IN_SIZE;
	uint32_t first = RING_IN_SIZE - offset < size ? RING_IN_SIZE - offset : size;

	/* The guest has read what was there before it is overwritten. */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	memcpy(ring->page->in + offset, data, first);
	memcpy(ring->page->in, data + first, size - first);
	ring->in_prod += size;
}

void ring_publish_input(struct ring *ring)
{
	store(&ring->page->in_prod, ring->in_prod);
}
