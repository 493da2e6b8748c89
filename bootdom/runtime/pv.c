// SPDX-License-Identifier: LGPL-2.1-or-later
/* What is different in a PV guest. */
#include "pv.h"

#include <stddef.h>

#include "hypercall.h"
#include "runtime.h"

#include <xen/arch-x86/hvm/start_info.h>
#include <xen/physdev.h>

#define PAGE_SHIFT 12
/* present, writable, user, accessed, dirty */
#define PTE_DATA UINT64_C(0x67)
/* The I/O privilege level with which Xen permits I/O ports to a PV kernel. */
#define KERNEL_IOPL 1

static const struct start_info *start;

bool pv_guest(void)
{
	return start;
}

void pv_init(const struct start_info *start_info)
{
	const struct physdev_set_iopl iopl = {.iopl = KERNEL_IOPL};

	start = start_info;
	if (hypercall2(__HYPERVISOR_physdev_op, PHYSDEVOP_set_iopl, &iopl))
		shut_down(SHUTDOWN_crash);
}

long pv_map_frame(void *page, uint64_t mfn)
{
	return hypercall(__HYPERVISOR_update_va_mapping, (uintptr_t)page,
			 mfn << PAGE_SHIFT | PTE_DATA, UVMF_INVLPG, 0, 0);
}

long pv_map_shared_info(void *page)
{
	return pv_map_frame(page, start->shared_info >> PAGE_SHIFT);
}

/* Returns the address of a machine frame in this domain; 0: not found. */
static uintptr_t address_of(uint64_t mfn)
{
	const unsigned long *frames = (const unsigned long *)start->mfn_list;

	for (unsigned long i = 1; i < start->nr_pages; i++)
		if (frames[i] == mfn)
			return i << PAGE_SHIFT;
	return 0;
}

/* In the hardware domain this field of start_info is about the video console. */
void *pv_console(uint32_t *ret_port)
{
	*ret_port = 0;
	if (start->flags & SIF_INITDOMAIN || !start->console.domU.mfn)
		return NULL;
	*ret_port = start->console.domU.evtchn;
	return (void *)address_of(start->console.domU.mfn);
}

void pv_info_read(struct pvh_info *ret_info)
{
	*ret_info = (struct pvh_info){
		.flags = start->flags,
		.cmdline = (const char *)start->cmd_line,
		.nr_ranges = 1,
		.ranges[0] = {0, (uint64_t)start->nr_pages << PAGE_SHIFT, XEN_HVM_MEMMAP_TYPE_RAM},
	};
	if (!start->mod_len)
		return;
	ret_info->nr_modules = 1;
	ret_info->modules[0] = (struct pvh_module){
		.data = (const void *)start->mod_start,
		.size = start->mod_len,
		.cmdline = "",
	};
}
