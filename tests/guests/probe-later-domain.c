// SPDX-License-Identifier: LGPL-2.1-or-later
/* Domains that are made after boot, as far as their rings: they have neither kernels nor vCPUs. */
#include <errno.h>

#include "probe.h"
#include "runtime/hypercall.h"

#include <xen/event_channel.h>
#include <xen/grant_table.h>
#include <xen/hvm/hvm_op.h>
#include <xen/hvm/params.h>
#include <xen/memory.h>

#define GRANT_GFN 0x100 /* where it has its grant table */
#define RING_GFN  0x101 /* no page is there */

static long alloc_port(uint16_t domid, uint16_t backend, uint32_t *ret_port)
{
	struct evtchn_alloc_unbound alloc = {.dom = domid, .remote_dom = backend};
	const long r = hypercall2(__HYPERVISOR_event_channel_op, EVTCHNOP_alloc_unbound, &alloc);

	*ret_port = alloc.port;
	return r;
}

static long set_parameter(uint16_t domid, uint32_t index, uint64_t value)
{
	struct xen_hvm_param param = {.domid = domid, .index = index, .value = value};

	return hypercall2(__HYPERVISOR_hvm_op, HVMOP_set_param, &param);
}

long probe_name_console(uint16_t domid, uint32_t port)
{
	return set_parameter(domid, HVM_PARAM_CONSOLE_EVTCHN, port);
}

static struct grant_entry_v1 *grants(void)
{
	return probe_window();
}

/* Puts its grant table into its memory, and maps that page here. */
static long map_grants(uint16_t domid)
{
	const struct xen_add_to_physmap add = {
		.domid = domid,
		.space = XENMAPSPACE_grant_table,
		.gpfn = GRANT_GFN,
	};
	const long r = hypercall2(__HYPERVISOR_memory_op, XENMEM_add_to_physmap, &add);

	return r ? r : probe_map_frame(domid, GRANT_GFN);
}

static void grant(uint32_t ref, uint16_t backend)
{
	grants()[ref].domid = backend;
	grants()[ref].frame = RING_GFN;
	__atomic_store_n(&grants()[ref].flags, GTF_permit_access, __ATOMIC_RELEASE);
}

long probe_grant_console(uint16_t backend)
{
	grants()[GNTTAB_RESERVED_CONSOLE].domid = backend;
	return 0;
}

long probe_make_pv(uint16_t domid, uint16_t backend)
{
	uint32_t store, console;
	long r = probe_create(domid, true);

	if (!r)
		r = alloc_port(domid, backend, &store);
	return r ? r : alloc_port(domid, backend, &console);
}

long probe_make(uint16_t domid, uint16_t backend)
{
	uint32_t store, console;
	long r = probe_create(domid, false);

	if (!r)
		r = alloc_port(domid, backend, &store);
	if (!r)
		r = alloc_port(domid, backend, &console);
	if (!r)
		r = set_parameter(domid, HVM_PARAM_STORE_EVTCHN, store);
	if (!r)
		r = probe_name_console(domid, console);
	if (!r)
		r = set_parameter(domid, HVM_PARAM_STORE_PFN, RING_GFN);
	if (!r)
		r = set_parameter(domid, HVM_PARAM_CONSOLE_PFN, RING_GFN);
	if (!r)
		r = map_grants(domid);
	if (r)
		return r;
	grant(GNTTAB_RESERVED_XENSTORE, backend);
	grant(GNTTAB_RESERVED_CONSOLE, backend);
	return 0;
}
