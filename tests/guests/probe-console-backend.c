// SPDX-License-Identifier: LGPL-2.1-or-later
/* A console back end, which prints the output of one domain. */
#include <errno.h>

#include "probe.h"
#include "runtime/console.h"
#include "runtime/errname.h"
#include "runtime/event.h"
#include "runtime/hypercall.h"

#include <xen/event_channel.h>
#include <xen/grant_table.h>
#include <xen/io/console.h>

#define TRY_MS	  50
#define LINE_ROOM 256

static long map_ring(uint16_t domid, grant_handle_t *ret_handle)
{
	struct gnttab_map_grant_ref map = {
		.host_addr = (uintptr_t)probe_window(),
		.flags = GNTMAP_host_map,
		.ref = GNTTAB_RESERVED_CONSOLE,
		.dom = domid,
	};
	const long r = hypercall(__HYPERVISOR_grant_table_op, GNTTABOP_map_grant_ref,
				 (uintptr_t)&map, 1, 0, 0);

	*ret_handle = map.handle;
	return r ? r : map.status == GNTST_okay ? 0 : -EPERM;
}

static void unmap_ring(grant_handle_t handle)
{
	struct gnttab_unmap_grant_ref unmap = {
		.host_addr = (uintptr_t)probe_window(),
		.handle = handle,
	};

	hypercall(__HYPERVISOR_grant_table_op, GNTTABOP_unmap_grant_ref, (uintptr_t)&unmap, 1, 0,
		  0);
}

long probe_bind(uint16_t domid, uint32_t remote_port, uint32_t *ret_port)
{
	struct evtchn_bind_interdomain bind = {.remote_dom = domid, .remote_port = remote_port};
	const long r = hypercall2(__HYPERVISOR_event_channel_op, EVTCHNOP_bind_interdomain, &bind);

	*ret_port = bind.local_port;
	return r;
}

/* Retries both steps until Xen permits them. */
static uint32_t attach(uint16_t domid, uint32_t remote_port, grant_handle_t *ret_handle)
{
	uint32_t port;

	while (map_ring(domid, ret_handle))
		sleep_ms(TRY_MS);
	while (probe_bind(domid, remote_port, &port))
		sleep_ms(TRY_MS);
	return port;
}

static void print(char c)
{
	static char line[LINE_ROOM];
	static size_t length;

	if (c != '\n' && length < sizeof(line)) {
		line[length++] = c;
		return;
	}
	log("served is %.*s", (int)length, line);
	length = 0;
}

static void take_output(struct xencons_interface *ring)
{
	XENCONS_RING_IDX cons = ring->out_cons;

	while (cons != __atomic_load_n(&ring->out_prod, __ATOMIC_ACQUIRE))
		print(ring->out[MASK_XENCONS_IDX(cons++, ring->out)]);
	__atomic_store_n(&ring->out_cons, cons, __ATOMIC_RELEASE);
}

void serve_console(uint16_t domid, uint32_t remote_port, uint64_t ms)
{
	grant_handle_t handle;
	const uint32_t port = attach(domid, remote_port, &handle);
	const uint64_t end = ms ? clock_ns() + ms * NS_PER_MS : NEVER;

	log("serve = ok");
	while (clock_ns() < end) {
		event_take(port);
		take_output(probe_window());
		event_send(port);
		event_wait(port, clock_ns() + TRY_MS * NS_PER_MS);
	}
	event_close(port);
	unmap_ring(handle);
}
