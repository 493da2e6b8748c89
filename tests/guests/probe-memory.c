// SPDX-License-Identifier: LGPL-2.1-or-later
/* Rows: operations on memory and grants of other domains. */
#include <errno.h>

#include "probe.h"
#include "runtime/hypercall.h"
#include "runtime/pv.h"

#include <xen/grant_table.h>
#include <xen/memory.h>

#define ABSURD_GFN (UINT64_C(1) << 40)
#define SOME_GFN   0x100
#define ABSURD_REF 0x7fffffff
#define ABSURD_MFN UINT64_C(0xffffffffff) /* the highest one in a page table entry */
#define PTE_DATA   UINT64_C(0x67)	  /* present, writable, user, accessed, dirty */

void *probe_window(void)
{
	static char page[4096] __attribute__((aligned(4096)));

	return pv_guest() ? page : (void *)(PROBE_FREE_GFN << 12);
}

static long maximum_reservation(const struct probe *probe)
{
	const domid_t domid = probe->other;

	return hypercall2(__HYPERVISOR_memory_op, XENMEM_maximum_reservation, &domid);
}

static long add_to_physmap(const struct probe *probe)
{
	const struct xen_add_to_physmap map = {
		.domid = probe->other,
		.space = XENMAPSPACE_grant_table,
		.idx = ABSURD_REF,
		.gpfn = PROBE_FREE_GFN,
	};

	return hypercall2(__HYPERVISOR_memory_op, XENMEM_add_to_physmap, &map);
}

/* For PV, which maps machine frames by its page tables; the last frame does not exist. */
static long map_machine_frame(uint16_t domid)
{
	return hypercall(__HYPERVISOR_update_va_mapping_otherdomain, (uintptr_t)probe_window(),
			 ABSURD_MFN << 12 | PTE_DATA, 0, domid, 0);
}

long probe_map_frame(uint16_t domid, xen_ulong_t from)
{
	xen_pfn_t to = PROBE_FREE_GFN;
	int error = 0;
	struct xen_add_to_physmap_batch map = {
		.domid = DOMID_SELF,
		.space = XENMAPSPACE_gmfn_foreign,
		.size = 1,
		.u.foreign_domid = domid,
	};
	long r;

	set_xen_guest_handle(map.idxs, &from);
	set_xen_guest_handle(map.gpfns, &to);
	set_xen_guest_handle(map.errs, &error);
	r = hypercall2(__HYPERVISOR_memory_op, XENMEM_add_to_physmap_batch, &map);
	return r ? r : error;
}

/* Maps a frame of the other domain. */
static long map_foreign(const struct probe *probe)
{
	return pv_guest() ? map_machine_frame(probe->other)
			  : probe_map_frame(probe->other, ABSURD_GFN);
}

/* The frame is one of the domain's kernel. */
long probe_keep_page(uint16_t domid)
{
	return probe_map_frame(domid, SOME_GFN);
}

static long remove_from_physmap(const struct probe *probe)
{
	const struct xen_remove_from_physmap remove = {.domid = probe->other, .gpfn = ABSURD_GFN};

	return hypercall2(__HYPERVISOR_memory_op, XENMEM_remove_from_physmap, &remove);
}

/* Only reads the size of the grant table: 0 frames are requested. */
static long acquire_resource(const struct probe *probe)
{
	struct xen_mem_acquire_resource resource = {
		.domid = probe->other,
		.type = XENMEM_resource_grant_table,
		.id = XENMEM_resource_grant_table_id_shared,
	};

	return hypercall2(__HYPERVISOR_memory_op, XENMEM_acquire_resource, &resource);
}

static long claim_pages(const struct probe *probe)
{
	const struct xen_memory_reservation none = {.domid = probe->self};

	return hypercall2(__HYPERVISOR_memory_op, XENMEM_claim_pages, &none);
}

static long mmuext(const struct probe *probe)
{
	const struct mmuext_op op = {.cmd = MMUEXT_UNPIN_TABLE, .arg1.mfn = ABSURD_GFN};

	return hypercall(__HYPERVISOR_mmuext_op, (uintptr_t)&op, 1, 0, probe->other, 0);
}

static long of_status(int status)
{
	switch (status) {
	case GNTST_okay:
		return 0;
	case GNTST_permission_denied:
		return -EPERM;
	case GNTST_bad_domain:
		return -ESRCH;
	case GNTST_bad_gntref:
		return -EINVAL;
	default:
		return -EIO;
	}
}

static long do_gnttab_op(unsigned int cmd, void *op, const int16_t *status)
{
	const long r = hypercall(__HYPERVISOR_grant_table_op, cmd, (uintptr_t)op, 1, 0, 0);

	return r ? r : of_status(*status);
}

static long gnttab_query_size(const struct probe *probe)
{
	struct gnttab_query_size query = {.dom = probe->other};

	return do_gnttab_op(GNTTABOP_query_size, &query, &query.status);
}

static long gnttab_get_version(const struct probe *probe)
{
	struct gnttab_get_version version = {.dom = probe->other};

	return hypercall(__HYPERVISOR_grant_table_op, GNTTABOP_get_version, (uintptr_t)&version, 1,
			 0, 0);
}

static long gnttab_map(const struct probe *probe)
{
	struct gnttab_map_grant_ref map = {
		.host_addr = (uintptr_t)probe_window(),
		.flags = GNTMAP_host_map,
		.ref = ABSURD_REF,
		.dom = probe->other,
	};

	return do_gnttab_op(GNTTABOP_map_grant_ref, &map, &map.status);
}

static const struct probe_row rows[] = {
	{"memory-maximum-reservation-other", maximum_reservation},
	{"memory-add-to-physmap-other", add_to_physmap},
	{"memory-map-foreign-other", map_foreign},
	{"memory-remove-from-physmap-other", remove_from_physmap},
	{"memory-acquire-resource-other", acquire_resource},
	{"memory-claim-self", claim_pages},
	{"mmuext-other", mmuext},
	{"gnttab-query-size-other", gnttab_query_size},
	{"gnttab-get-version-other", gnttab_get_version},
	{"gnttab-map-other", gnttab_map},
};

const struct probe_rows probe_memory_rows = PROBE_ROWS(rows);
