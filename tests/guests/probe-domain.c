// SPDX-License-Identifier: LGPL-2.1-or-later
/* Operations of a toolstack on a domain that have an effect, unlike rows of the table. */
#include <inttypes.h>

#include "probe.h"
#include "runtime/console.h"
#include "runtime/hypercall.h"
#include "runtime/sysctl.h"

#include <xen/domctl.h>

#define NR_PAGES 4096 /* of a domain, from the first, in the log */

static long do_domctl(struct xen_domctl *domctl, uint32_t cmd, uint16_t domid)
{
	domctl->cmd = cmd;
	domctl->interface_version = XEN_DOMCTL_INTERFACE_VERSION;
	domctl->domain = domid;
	return hypercall1(__HYPERVISOR_domctl, domctl);
}

long probe_insist(uint16_t domid)
{
	long r;

	do
		r = domain_command(XEN_DOMCTL_unpausedomain, domid);
	while (r);
	return r;
}

static long shadow_op(uint16_t domid, uint32_t op, void *bitmap)
{
	struct xen_domctl domctl = {.u.shadow_op = {.op = op, .pages = bitmap ? NR_PAGES : 0}};

	set_xen_guest_handle(domctl.u.shadow_op.dirty_bitmap, bitmap);
	return do_domctl(&domctl, XEN_DOMCTL_shadow_op, domid);
}

long probe_log_dirty(uint16_t domid)
{
	static uint8_t bitmap[NR_PAGES / 8] __attribute__((aligned(8)));
	long r = shadow_op(domid, XEN_DOMCTL_SHADOW_OP_ENABLE_LOGDIRTY, NULL);

	if (!r)
		r = shadow_op(domid, XEN_DOMCTL_SHADOW_OP_PEEK, bitmap);
	if (r >= 0)
		r = shadow_op(domid, XEN_DOMCTL_SHADOW_OP_CLEAN, bitmap);
	return r < 0 ? r : shadow_op(domid, XEN_DOMCTL_SHADOW_OP_OFF, NULL);
}

long probe_set_uuid(uint16_t domid, uint8_t last)
{
	struct xen_domctl domctl = {.u.setdomainhandle.handle = {[15] = last}};

	return do_domctl(&domctl, XEN_DOMCTL_setdomainhandle, domid);
}

long probe_affinity(uint16_t domid)
{
	uint64_t hard = 0, soft = 0;
	struct xen_domctl domctl = {
		.u.vcpuaffinity =
			{
				.flags = XEN_VCPUAFFINITY_HARD | XEN_VCPUAFFINITY_SOFT,
				.cpumap_hard.nr_bits = 64,
				.cpumap_soft.nr_bits = 64,
			},
	};
	long r;

	set_xen_guest_handle(domctl.u.vcpuaffinity.cpumap_hard.bitmap, (uint8_t *)&hard);
	set_xen_guest_handle(domctl.u.vcpuaffinity.cpumap_soft.bitmap, (uint8_t *)&soft);
	r = do_domctl(&domctl, XEN_DOMCTL_getvcpuaffinity, domid);
	if (!r)
		log("affinity of %u is hard 0x%" PRIx64 ", soft 0x%" PRIx64, domid, hard, soft);
	return r;
}
