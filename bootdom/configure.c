// SPDX-License-Identifier: LGPL-2.1-or-later
/* Domctls that configure a domain. */
#include "configure.h"

#include <errno.h>

#include "runtime/hypercall.h"

#include <xen/domctl.h>

static int do_domctl(struct xen_domctl *domctl, uint32_t cmd, uint16_t domid)
{
	domctl->cmd = cmd;
	domctl->interface_version = XEN_DOMCTL_INTERFACE_VERSION;
	domctl->domain = domid;
	return (int)hypercall1(__HYPERVISOR_domctl, domctl);
}

/* Xen writes the effective affinity to *cpus. */
static int set_affinity(uint16_t domid, uint32_t vcpu, uint32_t flags, struct cpus *cpus)
{
	struct xen_domctl domctl = {.u.vcpuaffinity = {.vcpu = vcpu, .flags = flags}};
	struct xen_domctl_vcpuaffinity *affinity = &domctl.u.vcpuaffinity;
	struct xenctl_bitmap *map =
		flags == XEN_VCPUAFFINITY_HARD ? &affinity->cpumap_hard : &affinity->cpumap_soft;

	map->nr_bits = CPUS_MAX;
	set_xen_guest_handle(map->bitmap, cpus->bytes);
	return do_domctl(&domctl, XEN_DOMCTL_setvcpuaffinity, domid);
}

int configure_hard_affinity(uint16_t domid, uint32_t vcpu, struct cpus *cpus)
{
	return set_affinity(domid, vcpu, XEN_VCPUAFFINITY_HARD, cpus);
}

int configure_soft_affinity(uint16_t domid, uint32_t vcpu, const struct cpus *cpus)
{
	struct cpus copy = *cpus;

	return set_affinity(domid, vcpu, XEN_VCPUAFFINITY_SOFT, &copy);
}

/*
 * Two schedulers have weights, and Xen rejects the domctl unless sched_id is that of the
 * one that runs.
 */
static int get_scheduling(uint16_t domid, struct xen_domctl *domctl)
{
	static const uint32_t schedulers[] = {XEN_SCHEDULER_CREDIT2, XEN_SCHEDULER_CREDIT};
	int r = -EINVAL;

	for (unsigned int i = 0; r == -EINVAL && i < sizeof(schedulers) / sizeof(schedulers[0]);
	     i++) {
		domctl->u.scheduler_op.sched_id = schedulers[i];
		domctl->u.scheduler_op.cmd = XEN_DOMCTL_SCHEDOP_getinfo;
		r = do_domctl(domctl, XEN_DOMCTL_scheduler_op, domid);
	}
	return r == -EINVAL ? -EOPNOTSUPP : r;
}

/* Sets weight and cap, or one of them: NULL leaves the other as it is. */
static int set_scheduling(uint16_t domid, const uint16_t *weight, const uint16_t *cap)
{
	struct xen_domctl domctl = {0};
	const int r = get_scheduling(domid, &domctl);
	struct xen_domctl_scheduler_op *op = &domctl.u.scheduler_op;
	const bool credit2 = op->sched_id == XEN_SCHEDULER_CREDIT2;

	if (r)
		return r;
	if (weight)
		*(credit2 ? &op->u.credit2.weight : &op->u.credit.weight) = *weight;
	if (cap)
		*(credit2 ? &op->u.credit2.cap : &op->u.credit.cap) = *cap;
	op->cmd = XEN_DOMCTL_SCHEDOP_putinfo;
	return do_domctl(&domctl, XEN_DOMCTL_scheduler_op, domid);
}

int configure_weight(uint16_t domid, uint16_t weight)
{
	return set_scheduling(domid, &weight, NULL);
}

int configure_cap(uint16_t domid, uint16_t cap)
{
	return set_scheduling(domid, NULL, &cap);
}

int configure_memory_limit(uint16_t domid, uint64_t kib)
{
	struct xen_domctl domctl = {.u.max_mem.max_memkb = kib};

	return do_domctl(&domctl, XEN_DOMCTL_max_mem, domid);
}
