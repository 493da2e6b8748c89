// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What guests and clients give to hyperlaunch-consoled, under libFuzzer.  The first byte says
 * which: r: a ring, as a program of what a guest writes and what we do; f: output for the log; p: a
 * packet of a client, for a server with a console.
 */
#include <errno.h>
#include <event2/event.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "fake-xen.h"
#include "filter.h"
#include "requests.h"
#include "ring.h"
#include "serve.h"

#define GUEST 5u

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct serve serve;

static void clean_up(void)
{
	serve_end(&serve);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	/* As main() does: a reader of a log may be gone. */
	signal(SIGPIPE, SIG_IGN);
	serve_begin(&serve);
	serve_start(&serve, 1u << 20);
	serve_add(&serve, GUEST, UUID_A);
	atexit(clean_up);
	return 0;
}

static void require(bool condition)
{
	if (!condition)
		abort();
}

static void take_output(struct ring *ring)
{
	uint8_t data[RING_OUT_SIZE];
	int size = ring_peek(ring, data);

	require(size == -EBADMSG || (size >= 0 && size <= (int)RING_OUT_SIZE));
	if (size > 0)
		ring_consume(ring, (uint32_t)size);
	ring_publish_output(ring);
	require(ring->page->out_cons == ring->out_cons);
}

static void put_input(struct ring *ring, uint32_t size)
{
	uint8_t data[RING_IN_SIZE] = {0};
	uint32_t room = ring_room(ring), before = ring->in_prod;

	require(room <= RING_IN_SIZE);
	size = size > room ? room : size;
	ring_put(ring, data, size);
	ring_publish_input(ring);
	require(ring->in_prod == before + size && ring->page->in_prod == ring->in_prod);
}

/* A step is a byte that says what, and four bytes. */
static void run_ring(const uint8_t *data, size_t size)
{
	/* Of its own size, so that a byte beyond it is seen. */
	struct xencons_interface *page = calloc(1, sizeof(*page));
	struct ring ring;

	require(page);
	ring_start(&ring, page);
	for (; size >= 5; data += 5, size -= 5) {
		uint32_t *const indices[] = {&page->in_cons, &page->in_prod, &page->out_cons,
					     &page->out_prod};
		uint32_t value;

		memcpy(&value, data + 1, sizeof(value));
		if (data[0] % 8 < 4)
			*indices[data[0] % 8] = value;
		else if (data[0] % 8 == 4)
			put_input(&ring, value % (RING_IN_SIZE + 1));
		else if (data[0] % 8 == 5)
			ring_resume(&ring, page, value, ring.in_prod);
		else
			take_output(&ring);
	}
	free(page);
}

static void run_filter(const uint8_t *data, size_t size)
{
	char *out = calloc(1, size * FILTER_GROWTH + 1);
	size_t written;

	require(out);
	written = filter(data, size, out);
	require(written >= size && written <= size * FILTER_GROWTH);
	for (size_t i = 0; i < written; i++)
		require((uint8_t)out[i] >= ' ' || strchr("\t\r\n", out[i]));
	/* What was let through is let through again. */
	require(filter((const uint8_t *)out, written, out) == written);
	free(out);
}

static void run_packet(const uint8_t *data, size_t size)
{
	struct requests requests = {.server = serve.server};
	struct peer_ops ops = requests_ops(&requests);
	struct json_object *packet = peer_parse((const char *)data, size), *name;
	struct peer_answer answer = {.fd = -1};
	const char *id;

	if (!packet)
		return;
	id = peer_request_id(packet);
	if (id && json_object_object_get_ex(packet, "request", &name) &&
	    json_object_is_type(name, json_type_string)) {
		require(strlen(id) < PEER_ID_SIZE);
		ops.request(ops.userdata, id, json_object_get_string(name), packet, &answer);
		require(!answer.error || answer.fd < 0);
		json_object_put(answer.result);
		if (answer.fd >= 0)
			close(answer.fd);
		json_object_put(ops.event(ops.userdata, GUEST));
		event_base_loop(serve.base, EVLOOP_NONBLOCK);
	}
	json_object_put(packet);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0)
		return 0;
	switch (data[0]) {
	case 'r':
		run_ring(data + 1, size - 1);
		break;
	case 'f':
		run_filter(data + 1, size - 1);
		break;
	case 'p':
		run_packet(data + 1, size - 1);
		break;
	}
	return 0;
}
