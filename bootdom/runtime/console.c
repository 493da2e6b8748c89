// SPDX-License-Identifier: LGPL-2.1-or-later
/* Output to Xen's console, the console ring and the debug port. */
#include "console.h"

#include <stdbool.h>
#include <stdint.h>

#include "event.h"
#include "format.h"
#include "hypercall.h"
#include "pv.h"
#include "runtime.h"

#include <xen/hvm/hvm_op.h>
#include <xen/hvm/params.h>
#include <xen/io/console.h>

#define DEBUG_PORT 0xe9
/* Output is lost if the ring remains full for this time. */
#define RING_TIMEOUT_MS 200

static struct {
	struct xencons_interface *page;
	uint32_t port;
	bool stuck; /* it was not emptied in time: do not wait again */
} ring;

static uint64_t parameter(uint32_t index)
{
	struct xen_hvm_param param = {.domid = DOMID_SELF, .index = index};

	return hypercall2(__HYPERVISOR_hvm_op, HVMOP_get_param, &param) ? 0 : param.value;
}

void console_init(void)
{
	uint64_t gfn;

	if (pv_guest()) {
		ring.page = pv_console(&ring.port);
		return;
	}
	gfn = parameter(HVM_PARAM_CONSOLE_PFN);
	/* entry.S maps no more than 4 GiB. */
	if (!gfn || gfn >= 1 << 20)
		return;
	ring.page = (struct xencons_interface *)(uintptr_t)(gfn * 4096);
	ring.port = (uint32_t)parameter(HVM_PARAM_CONSOLE_EVTCHN);
}

static bool write_xen(const char *text, size_t length)
{
	return hypercall(__HYPERVISOR_console_io, CONSOLEIO_write, length, (uintptr_t)text, 0, 0) >=
	       0;
}

static void write_port(const char *text, size_t length)
{
	for (size_t i = 0; i < length; i++)
		__asm__ volatile("outb %%al, %%dx" : : "a"(text[i]), "d"(DEBUG_PORT));
}

static bool ring_full(void)
{
	const XENCONS_RING_IDX cons = __atomic_load_n(&ring.page->out_cons, __ATOMIC_ACQUIRE);

	return ring.page->out_prod - cons >= sizeof(ring.page->out);
}

/* Notifies the back end and waits until it has emptied the ring. */
static bool make_room(void)
{
	const uint64_t end = clock_ns() + RING_TIMEOUT_MS * NS_PER_MS;

	event_send(ring.port);
	while (ring_full() && !ring.stuck) {
		event_wait(ring.port, clock_ns() + NS_PER_MS);
		event_take(ring.port);
		ring.stuck = clock_ns() > end;
	}
	return !ring_full();
}

/*
 * Xen drains a ring without a back end, but leaves half of it.  NULs, which are not
 * printed, fill that half, so that Xen prints the line at once.
 */
static void push_out(void)
{
	const XENCONS_RING_IDX cons = __atomic_load_n(&ring.page->out_cons, __ATOMIC_ACQUIRE);
	XENCONS_RING_IDX prod = ring.page->out_prod;

	while (prod - cons <= sizeof(ring.page->out) / 2)
		ring.page->out[MASK_XENCONS_IDX(prod++, ring.page->out)] = '\0';
	__atomic_store_n(&ring.page->out_prod, prod, __ATOMIC_RELEASE);
	event_send(ring.port);
}

/*
 * Without a back end the ring keeps the beginning of the output for a later one, and Xen
 * is not notified: it has the same output from port 0xe9.  A PV guest has no such port.
 */
static void write_ring(const char *text, size_t length)
{
	const bool served = ring.page && event_is_bound(ring.port);

	if (!ring.page)
		return;
	for (size_t i = 0; i < length && (!ring_full() || (served && make_room())); i++) {
		const XENCONS_RING_IDX prod = ring.page->out_prod;

		ring.stuck = false;
		ring.page->out[MASK_XENCONS_IDX(prod, ring.page->out)] = text[i];
		__atomic_store_n(&ring.page->out_prod, prod + 1, __ATOMIC_RELEASE);
	}
	if (served)
		event_send(ring.port);
	else if (pv_guest())
		push_out();
}

void console_write(const char *text, size_t length)
{
	if (write_xen(text, length))
		return;
	write_port(text, length);
	write_ring(text, length);
}

void vlog(const char *text, va_list args)
{
	char line[LINE_SIZE];
	size_t length = format(line, sizeof(line), "%s: ", program_name);

	length += vformat(line + length, sizeof(line) - length, text, args);
	if (length > sizeof(line) - 2)
		length = sizeof(line) - 2;
	for (size_t i = 0; i < length; i++)
		if (line[i] < ' ' || line[i] > '~')
			line[i] = '?';
	line[length++] = '\n';
	console_write(line, length);
}

void log(const char *text, ...)
{
	va_list args;

	va_start(args, text);
	vlog(text, args);
	va_end(args);
}

long console_read(char *buf, size_t size)
{
	return hypercall(__HYPERVISOR_console_io, CONSOLEIO_read, size, (uintptr_t)buf, 0, 0);
}
