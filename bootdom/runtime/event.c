// SPDX-License-Identifier: LGPL-2.1-or-later
/* Event channels and time. */
#include "event.h"

#include <stddef.h>

#include "hypercall.h"
#include "pv.h"
#include "runtime.h"

#include <xen/event_channel.h>
#include <xen/memory.h>
#include <xen/sched.h>

#define BITS_PER_WORD 64

/* In entry.S. */
extern struct shared_info shared_info_page;

static struct shared_info *shared(void)
{
	return &shared_info_page;
}

static long map_shared_page(void)
{
	const struct xen_add_to_physmap map = {
		.domid = DOMID_SELF,
		.space = XENMAPSPACE_shared_info,
		.gpfn = (uintptr_t)shared() / 4096,
	};

	if (pv_guest())
		return pv_map_shared_info(shared());
	return hypercall2(__HYPERVISOR_memory_op, XENMEM_add_to_physmap, &map);
}

void events_init(void)
{
	const long r = map_shared_page();

	if (r)
		panic("cannot map the shared info page: %ld", r);
	for (size_t i = 0; i < BITS_PER_WORD; i++)
		shared()->evtchn_mask[i] = ~0UL;
}

static uint64_t read_tsc(void)
{
	uint32_t low, high;

	__asm__ volatile("lfence; rdtsc" : "=a"(low), "=d"(high));
	return (uint64_t)high << 32 | low;
}

static uint64_t scaled(uint64_t ticks, int shift, uint32_t factor)
{
	ticks = shift < 0 ? ticks >> -shift : ticks << shift;
	return (uint64_t)(((unsigned __int128)ticks * factor) >> 32);
}

/* The version is odd while Xen updates the record. */
uint64_t clock_ns(void)
{
	const volatile struct vcpu_time_info *time = &shared()->vcpu_info[0].time;
	uint32_t version;
	uint64_t now;

	do {
		version = time->version;
		__asm__ volatile("" : : : "memory");
		now = time->system_time + scaled(read_tsc() - time->tsc_timestamp, time->tsc_shift,
						 time->tsc_to_system_mul);
		__asm__ volatile("" : : : "memory");
	} while (version & 1 || version != time->version);
	return now;
}

int event_bind_virq(uint32_t virq, uint32_t *ret_port)
{
	struct evtchn_bind_virq bind = {.virq = virq};
	const int r = (int)hypercall2(__HYPERVISOR_event_channel_op, EVTCHNOP_bind_virq, &bind);

	if (!r)
		*ret_port = bind.port;
	return r;
}

void event_send(uint32_t port)
{
	const struct evtchn_send send = {.port = port};

	/* Fails only if the port is not connected. */
	(void)hypercall2(__HYPERVISOR_event_channel_op, EVTCHNOP_send, &send);
}

void event_close(uint32_t port)
{
	const struct evtchn_close close = {.port = port};

	if (hypercall2(__HYPERVISOR_event_channel_op, EVTCHNOP_close, &close))
		panic("cannot close port %u", port);
}

bool event_is_bound(uint32_t port)
{
	struct evtchn_status status = {.dom = DOMID_SELF, .port = port};

	return !hypercall2(__HYPERVISOR_event_channel_op, EVTCHNOP_status, &status) &&
	       status.status == EVTCHNSTAT_interdomain;
}

bool event_take(uint32_t port)
{
	volatile unsigned long *word = &shared()->evtchn_pending[port / BITS_PER_WORD];
	const unsigned long bit = 1UL << port % BITS_PER_WORD;

	return port && __atomic_fetch_and(word, ~bit, __ATOMIC_ACQ_REL) & bit;
}

void event_wait(uint32_t port, uint64_t until_ns)
{
	struct sched_poll poll = {.nr_ports = port ? 1 : 0,
				  .timeout = until_ns == NEVER ? 0 : until_ns};
	long r;

	/* Nothing would end this. */
	if (!port && until_ns == NEVER)
		panic("wait without port and timeout");
	set_xen_guest_handle(poll.ports, &port);
	r = hypercall2(__HYPERVISOR_sched_op, SCHEDOP_poll, &poll);
	if (r)
		panic("cannot wait for port %u: %ld", port, r);
}

void sleep_ms(uint64_t ms)
{
	const uint64_t end = clock_ns() + ms * NS_PER_MS;

	while (clock_ns() < end)
		event_wait(0, end);
}
