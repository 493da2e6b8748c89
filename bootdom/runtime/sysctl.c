// SPDX-License-Identifier: LGPL-2.1-or-later
/* XEN_SYSCTL_hyperlaunch, and simple domctls. */
#include "sysctl.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "hypercall.h"
#include "xen/decode.h"

#include <xen/domctl.h>
#include <xen/sysctl.h>

#define LAUNCH_MAX_EVENTS 16

static_assert(sizeof(struct xen_sysctl_hyperlaunch) <= sizeof(((struct xen_sysctl *)0)->u),
	      "union");

int launch_call(struct xen_sysctl_hyperlaunch *payload)
{
	struct xen_sysctl sysctl = {
		.cmd = XEN_SYSCTL_hyperlaunch,
		.interface_version = XEN_SYSCTL_INTERFACE_VERSION,
	};
	int r;

	memcpy(&sysctl.u, payload, sizeof(*payload));
	r = (int)hypercall1(__HYPERVISOR_sysctl, &sysctl);
	memcpy(payload, &sysctl.u, sizeof(*payload));
	return r;
}

int launch_command(uint32_t op, uint32_t index, uint64_t offset)
{
	struct xen_sysctl_hyperlaunch payload = {.op = op, .index = index, .offset = offset};

	return launch_call(&payload);
}

/* Reads a record; another size than expected is -EPROTO. */
static int get_record(uint32_t op, uint32_t index, void *record, uint32_t size)
{
	struct xen_sysctl_hyperlaunch payload = {.op = op, .index = index, .size = size};
	int r;

	set_xen_guest_handle(payload.buffer, record);
	r = launch_call(&payload);
	if (!r && payload.size != size)
		return -EPROTO;
	return r;
}

int launch_info(struct hl_launch *ret_launch)
{
	struct xen_hyperlaunch_info record;
	const int r = get_record(XEN_HYPERLAUNCH_GET_INFO, 0, &record, sizeof(record));

	return r ? r : decode_launch(&record, ret_launch);
}

int launch_domain(uint32_t index, struct hl_launch_domain *ret_domain)
{
	struct xen_hyperlaunch_domain record;
	const int r = get_record(XEN_HYPERLAUNCH_GET_DOMAIN, index, &record, sizeof(record));

	return r ? r : decode_domain(&record, index, ret_domain);
}

int launch_module(uint32_t index, struct hl_launch_module *ret_module)
{
	struct xen_hyperlaunch_module record;
	const int r = get_record(XEN_HYPERLAUNCH_GET_MODULE, index, &record, sizeof(record));

	return r ? r : decode_module(&record, index, ret_module);
}

int launch_events(uint32_t *seq, struct hl_event *ret_events, size_t max, size_t *ret_nr)
{
	struct xen_hyperlaunch_event records[LAUNCH_MAX_EVENTS];
	const size_t room = max < LAUNCH_MAX_EVENTS ? max : LAUNCH_MAX_EVENTS;
	struct xen_sysctl_hyperlaunch payload = {
		.op = XEN_HYPERLAUNCH_GET_EVENTS,
		.index = *seq,
		.size = (uint32_t)(room * sizeof(records[0])),
	};
	int r;

	set_xen_guest_handle(payload.buffer, (void *)records);
	r = launch_call(&payload);
	if (r)
		return r;
	if (payload.size > room * sizeof(records[0]) || payload.size % sizeof(records[0]))
		return -EPROTO;
	*ret_nr = payload.size / sizeof(records[0]);
	for (size_t i = 0; !r && i < *ret_nr; i++)
		r = decode_event(&records[i], &ret_events[i]);
	if (!r && *ret_nr)
		*seq = ret_events[*ret_nr - 1].seq + 1;
	return r;
}

int launch_console(uint32_t domid, uint32_t offset, struct xen_hyperlaunch_console *ret_console)
{
	struct xen_sysctl_hyperlaunch payload = {
		.op = XEN_HYPERLAUNCH_READ_CONSOLE,
		.index = domid,
		.offset = offset,
		.size = sizeof(*ret_console),
	};
	int r;

	set_xen_guest_handle(payload.buffer, ret_console);
	r = launch_call(&payload);
	if (!r && payload.size != sizeof(*ret_console))
		return -EPROTO;
	return r ? r : check_console(ret_console, offset);
}

int launch_lcm(void *buf, uint32_t size)
{
	struct xen_sysctl_hyperlaunch payload;
	uint32_t have = 0;
	int r;

	while (have < size) {
		payload = (struct xen_sysctl_hyperlaunch){
			.op = XEN_HYPERLAUNCH_READ_LCM,
			.offset = have,
			.size = size - have,
		};
		set_xen_guest_handle(payload.buffer, (void *)((char *)buf + have));
		r = launch_call(&payload);
		if (r)
			return r;
		if (!payload.size || payload.size > size - have)
			return -EPROTO;
		have += payload.size;
	}
	return 0;
}

int domain_command(uint32_t cmd, uint16_t domid)
{
	struct xen_domctl domctl = {
		.cmd = cmd,
		.interface_version = XEN_DOMCTL_INTERFACE_VERSION,
		.domain = domid,
	};

	return (int)hypercall1(__HYPERVISOR_domctl, &domctl);
}
