// SPDX-License-Identifier: LGPL-2.1-or-later
/* The domain's own console ring as Linux uses it, and what Xen has taken from such a ring. */
#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "probe.h"
#include "runtime/console.h"
#include "runtime/event.h"
#include "runtime/format.h"
#include "runtime/hypercall.h"
#include "runtime/sysctl.h"

#include <xen/hvm/hvm_op.h>
#include <xen/hvm/params.h>
#include <xen/io/console.h>

#define LINE_ROOM 32
#define POLL_MS	  1
#define NS_PER_US UINT64_C(1000)

static uint64_t parameter(uint32_t index)
{
	struct xen_hvm_param param = {.domid = DOMID_SELF, .index = index};

	return hypercall2(__HYPERVISOR_hvm_op, HVMOP_get_param, &param) ? 0 : param.value;
}

static size_t make_line(char line[LINE_ROOM], uint32_t nr)
{
	return format(line, LINE_ROOM, "flood %u\n", nr);
}

/* Prints how long that took, if it was as long as waits_ms, unless that is 0. */
static void wait_for_room(const struct xencons_interface *ring, uint64_t waits_ms)
{
	const uint64_t begin = clock_ns();
	uint64_t waited;

	do
		sleep_ms(POLL_MS);
	while (ring->out_prod - __atomic_load_n(&ring->out_cons, __ATOMIC_ACQUIRE) >=
	       sizeof(ring->out));
	waited = clock_ns() - begin;
	if (waits_ms && waited >= waits_ms * NS_PER_MS)
		log("waited %u us", (unsigned int)(waited / NS_PER_US));
}

/* Notifies only of bytes that it wrote: a full ring is not announced again. */
static void write_line(struct xencons_interface *ring, uint32_t port, const char *line,
		       size_t length, uint64_t waits_ms)
{
	size_t done = 0;

	while (done < length) {
		const XENCONS_RING_IDX cons = __atomic_load_n(&ring->out_cons, __ATOMIC_ACQUIRE);
		XENCONS_RING_IDX prod = ring->out_prod;
		const size_t before = done;

		while (done < length && prod - cons < sizeof(ring->out))
			ring->out[MASK_XENCONS_IDX(prod++, ring->out)] = line[done++];
		__atomic_store_n(&ring->out_prod, prod, __ATOMIC_RELEASE);
		if (done > before)
			event_send(port);
		else
			wait_for_room(ring, waits_ms);
	}
}

long probe_flood(uint32_t nr, uint64_t gap_ms, uint64_t waits_ms)
{
	const uint64_t gfn = parameter(HVM_PARAM_CONSOLE_PFN);
	const uint32_t port = (uint32_t)parameter(HVM_PARAM_CONSOLE_EVTCHN);
	struct xencons_interface *ring = (struct xencons_interface *)(uintptr_t)(gfn << 12);
	char line[LINE_ROOM];

	if (!gfn || !port)
		return -ENOENT;
	for (uint32_t i = 1; i <= nr; i++) {
		const size_t size = make_line(line, i);

		write_line(ring, port, line, size, waits_ms);
		if (gap_ms)
			sleep_ms(gap_ms);
	}
	return 0;
}

/* Reads all of it.  Returns the size, or a negative errno. */
static long read_all(uint16_t domid, char *text, uint64_t *ret_dropped)
{
	static struct xen_hyperlaunch_console part;
	uint32_t done = 0;
	long r;

	do {
		r = launch_console(domid, done, &part);
		if (r)
			return r;
		memcpy(text + done, part.data, part.size);
		done += part.size;
	} while (done < part.kept);
	*ret_dropped = part.dropped;
	return done;
}

/* Returns the place behind the line, or NULL if another one is there. */
static const char *skip_line(const char *at, const char *end, uint32_t nr)
{
	char line[LINE_ROOM];
	const size_t length = make_line(line, nr);

	return (size_t)(end - at) >= length && !memcmp(at, line, length) ? at + length : NULL;
}

/* Returns the last of the numbered lines, from the first on without a gap; 0: none. */
static uint32_t last_line(const char *text, size_t size)
{
	const char *end = text + size, *at = text, *next;
	uint32_t nr = 0;

	while (at < end && !skip_line(at, end, 1))
		at++;
	while (at < end && (next = skip_line(at, end, nr + 1))) {
		at = next;
		nr++;
	}
	/* Only one that is cut off may be left. */
	return end - at < LINE_ROOM ? nr : 0;
}

long probe_read_console(uint16_t domid)
{
	static char text[XEN_HYPERLAUNCH_CONSOLE_KEPT];
	uint64_t dropped = 0;
	const long size = read_all(domid, text, &dropped);

	if (size < 0)
		return size;
	log("console is %u kept, %u dropped, lines to %u", (unsigned int)size,
	    (unsigned int)dropped, last_line(text, (size_t)size));
	return 0;
}
