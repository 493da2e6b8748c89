// SPDX-License-Identifier: LGPL-2.1-or-later
/* The domains that exist: Xen's list, and what else is asked of each. */
#include "xen/live.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "affinity.h"
#include "bounds.h"
#include "util.h"
#include "xen/hypercall.h"

#define LIVE_BATCH 64

static_assert(LIVE_BATCH * sizeof(struct xen_domctl_getdomaininfo) <= XCALL_MAX_BYTES,
	      "a batch fits");

/* Xen keeps the maximum in 32 bits; all ones mean no limit. */
static uint64_t max_pages_to_bytes(uint64_t pages)
{
	return pages >= UINT32_MAX ? HL_UNLIMITED : pages << XEN_PAGE_SHIFT;
}

/* Returns whether *ret_bytes was set: Xen keeps these counts in 32 bits too. */
static bool pages_to_bytes(uint64_t pages, uint64_t *ret_bytes)
{
	if (pages > UINT32_MAX)
		return false;
	*ret_bytes = pages << XEN_PAGE_SHIFT;
	return true;
}

/* The ssidref is 0 without FLASK; one that FLASK cannot translate is no error. */
static void fill_label(struct xcall *x, struct hl_live_domain *live)
{
	struct xen_flask_op op = {.cmd = FLASK_SID_TO_CONTEXT};
	char *context = xcall_data(x);

	if (!live->ssidref)
		return;
	op.u.sid_context.sid = live->ssidref;
	op.u.sid_context.size = sizeof(live->label) - 1;
	set_xen_guest_handle_raw(op.u.sid_context.context, context);
	memset(context, 0, sizeof(live->label));
	if (xcall_flask(x, &op) == 0)
		memcpy(live->label, context, sizeof(live->label) - 1);
}

static bool fill_memory(const struct xen_domctl_getdomaininfo *info, struct hl_live_domain *live)
{
	live->memory_max = max_pages_to_bytes(info->max_pages);
	return pages_to_bytes(info->tot_pages, &live->memory_current) &&
	       pages_to_bytes(info->outstanding_pages, &live->memory_outstanding) &&
	       pages_to_bytes(info->shr_pages, &live->memory_shared) &&
	       pages_to_bytes(info->paged_pages, &live->memory_paged);
}

/* Returns 0, or -EBADMSG: a count is out of range. */
static int fill_live(const struct xen_domctl_getdomaininfo *info, struct hl_live_domain *live)
{
	*live = (struct hl_live_domain){
		.domid = info->domain,
		.hvm = info->flags & XEN_DOMINF_hvm_guest,
		.dying = info->flags & XEN_DOMINF_dying,
		.shutdown = info->flags & XEN_DOMINF_shutdown,
		.paused = info->flags & XEN_DOMINF_paused,
		.running = info->flags & XEN_DOMINF_running,
		.blocked = info->flags & XEN_DOMINF_blocked,
		.xenstore = info->flags & XEN_DOMINF_xs_domain,
		.vcpus_max =
			info->max_vcpu_id == XEN_INVALID_MAX_VCPU_ID ? 0 : info->max_vcpu_id + 1,
		.vcpus_online = info->nr_online_vcpus,
		.cpu_time_ns = info->cpu_time,
		.ssidref = info->ssidref,
	};
	if (live->shutdown)
		live->shutdown_code =
			info->flags >> XEN_DOMINF_shutdownshift & XEN_DOMINF_shutdownmask;
	memcpy(live->handle, info->handle, sizeof(live->handle));
	return fill_memory(info, live) && live->vcpus_online <= live->vcpus_max ? 0 : -EBADMSG;
}

static int get_info(struct xcall *x, uint32_t domid, uint32_t scheduler,
		    struct xen_domctl_scheduler_op *ret_op)
{
	struct xen_domctl domctl;
	int r;

	memset(&domctl, 0, sizeof(domctl));
	domctl.cmd = XEN_DOMCTL_scheduler_op;
	domctl.domain = (domid_t)domid;
	domctl.u.scheduler_op.sched_id = scheduler;
	domctl.u.scheduler_op.cmd = XEN_DOMCTL_SCHEDOP_getinfo;
	r = xcall_domctl(x, &domctl);
	if (!r)
		*ret_op = domctl.u.scheduler_op;
	return r;
}

/* Credit2 and credit are the schedulers that have weights; -EINVAL: another one runs. */
int xen_get_scheduling(struct xcall *x, uint32_t domid, struct hl_scheduling *ret)
{
	struct xen_domctl_scheduler_op op;
	int r = get_info(x, domid, XEN_SCHEDULER_CREDIT2, &op);

	if (!r) {
		ret->weight = op.u.credit2.weight;
		ret->cap = op.u.credit2.cap;
		return 0;
	}
	if (r != -EINVAL)
		return r;
	r = get_info(x, domid, XEN_SCHEDULER_CREDIT, &op);
	if (!r) {
		ret->weight = op.u.credit.weight;
		ret->cap = op.u.credit.cap;
	}
	return r == -EINVAL ? 0 : r;
}

static int get_affinity(struct xcall *x, uint32_t domid, uint32_t vcpu, uint32_t nr_cpus,
			size_t stride, uint8_t *hard, uint8_t *soft)
{
	uint8_t *hard_data = xcall_data(x), *soft_data = hard_data + stride;
	struct xen_domctl domctl;
	struct xen_domctl_vcpuaffinity *affinity = &domctl.u.vcpuaffinity;
	int r;

	memset(&domctl, 0, sizeof(domctl));
	domctl.cmd = XEN_DOMCTL_getvcpuaffinity;
	domctl.domain = (domid_t)domid;
	affinity->vcpu = vcpu;
	affinity->flags = XEN_VCPUAFFINITY_HARD | XEN_VCPUAFFINITY_SOFT;
	set_xen_guest_handle_raw(affinity->cpumap_hard.bitmap, hard_data);
	affinity->cpumap_hard.nr_bits = nr_cpus;
	set_xen_guest_handle_raw(affinity->cpumap_soft.bitmap, soft_data);
	affinity->cpumap_soft.nr_bits = nr_cpus;
	memset(hard_data, 0, 2 * stride);
	r = xcall_domctl(x, &domctl);
	if (r)
		return r;
	memcpy(hard, hard_data, stride);
	memcpy(soft, soft_data, stride);
	return 0;
}

/* Fails if a vCPU is gone, or this domain may not read its affinity. */
static int get_affinities(struct xcall *x, uint32_t domid, const struct affinities *affinities,
			  uint8_t *hard, uint8_t *soft)
{
	const size_t stride = affinities->stride;
	int r = 0;

	for (uint32_t i = 0; !r && i < affinities->nr_vcpus; i++)
		r = get_affinity(x, domid, i, affinities->nr_cpus, stride, hard + i * stride,
				 soft + i * stride);
	return r;
}

/* Returns the number of CPUs that the host may have, or an error. */
static int get_nr_cpus(struct xcall *x)
{
	struct xen_sysctl sysctl;
	int r;

	memset(&sysctl, 0, sizeof(sysctl));
	sysctl.cmd = XEN_SYSCTL_physinfo;
	r = xcall_sysctl(x, &sysctl);
	if (r)
		return r;
	/* Both bitmaps of a vCPU have room in the memory for answers. */
	return sysctl.u.physinfo.max_cpu_id < 4 * XCALL_MAX_BYTES
		       ? (int)sysctl.u.physinfo.max_cpu_id + 1
		       : -EBADMSG;
}

int xen_get_affinity(struct xcall *x, uint32_t domid, uint32_t nr_vcpus, struct hl_affinity *ret)
{
	int nr_cpus = get_nr_cpus(x), r;
	struct affinities affinities = {.nr_vcpus = nr_vcpus};
	uint8_t *maps;
	size_t size;

	if (nr_cpus < 0)
		return nr_cpus;
	if (!nr_vcpus)
		return 0;
	affinities.nr_cpus = (uint32_t)nr_cpus;
	affinities.stride = (affinities.nr_cpus + 7) / 8;
	size = nr_vcpus * affinities.stride;
	maps = calloc(2, size);
	if (!maps)
		return -ENOMEM;
	r = get_affinities(x, domid, &affinities, maps, maps + size);
	if (!r) {
		affinities.maps = maps;
		affinity_text(&affinities, ret->hard, sizeof(ret->hard));
		affinities.maps = maps + size;
		affinity_text(&affinities, ret->soft, sizeof(ret->soft));
	}
	free(maps);
	return r;
}

/* Returns 0, or -EBADMSG: what is a truth value is another number. */
static int fill_vcpu(const struct xen_domctl_getvcpuinfo *info, struct hl_vcpu *ret_vcpu)
{
	if (info->online > 1 || info->running > 1 || info->blocked > 1)
		return -EBADMSG;
	*ret_vcpu = (struct hl_vcpu){
		.online = info->online,
		.running = info->running,
		.blocked = info->blocked,
		.cpu = info->cpu,
		.cpu_time_ns = info->cpu_time,
	};
	return 0;
}

int xen_get_vcpu(struct xcall *x, uint32_t domid, uint32_t vcpu, struct hl_vcpu *ret_vcpu)
{
	struct xen_domctl domctl;
	int r;

	memset(&domctl, 0, sizeof(domctl));
	domctl.cmd = XEN_DOMCTL_getvcpuinfo;
	domctl.domain = (domid_t)domid;
	domctl.u.getvcpuinfo.vcpu = vcpu;
	r = xcall_domctl(x, &domctl);
	/* -EINVAL: beyond the last one that it can have. */
	if (r)
		return r == -EINVAL ? -ESRCH : r;
	return fill_vcpu(&domctl.u.getvcpuinfo, ret_vcpu);
}

static int add_live(struct xcall *x, const struct xen_domctl_getdomaininfo *infos, size_t count,
		    struct hl_live_domain **domains, size_t *nr)
{
	struct hl_live_domain *grown = reallocarray(*domains, *nr + count, sizeof(*grown));

	if (!grown)
		return -ENOMEM;
	*domains = grown;
	for (size_t i = 0; i < count; i++) {
		struct hl_live_domain *live = &grown[(*nr)++];
		int r = fill_live(&infos[i], live);

		if (r)
			return r;
		fill_label(x, live);
	}
	return 0;
}

/* Returns the number of domains, or an error. */
static int get_infos(struct xcall *x, uint32_t first,
		     struct xen_domctl_getdomaininfo infos[LIVE_BATCH])
{
	struct xen_domctl_getdomaininfo *data = xcall_data(x);
	struct xen_sysctl sysctl;
	uint32_t count;
	int r;

	memset(&sysctl, 0, sizeof(sysctl));
	sysctl.cmd = XEN_SYSCTL_getdomaininfolist;
	sysctl.u.getdomaininfolist.first_domain = (domid_t)first;
	sysctl.u.getdomaininfolist.max_domains = LIVE_BATCH;
	set_xen_guest_handle_raw(sysctl.u.getdomaininfolist.buffer, data);
	r = xcall_sysctl(x, &sysctl);
	if (r)
		return r;
	count = sysctl.u.getdomaininfolist.num_domains;
	if (count > LIVE_BATCH)
		return -EBADMSG;
	memcpy(infos, data, count * sizeof(*infos));
	return (int)count;
}

int xen_list_live(struct xcall *x, struct hl_live_domain **ret_domains, size_t *ret_nr)
{
	_cleanup_(freep) struct hl_live_domain *domains = NULL;
	struct xen_domctl_getdomaininfo infos[LIVE_BATCH] = {0};
	uint32_t first = 0;
	size_t nr = 0;
	int count, r;

	do {
		count = get_infos(x, first, infos);
		if (count < 0)
			return count;
		if (!count)
			break;
		if (nr > MAX_LIVE_DOMAINS || infos[count - 1].domain < first)
			return -EBADMSG;
		r = add_live(x, infos, (size_t)count, &domains, &nr);
		if (r)
			return r;
		first = infos[count - 1].domain + 1u;
	} while (count == LIVE_BATCH);
	*ret_nr = nr;
	*ret_domains = steal(&domains);
	return 0;
}
