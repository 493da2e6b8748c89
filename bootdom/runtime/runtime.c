// SPDX-License-Identifier: LGPL-2.1-or-later
/* From entry.S to program(), and the ways to end the domain. */
#include "runtime.h"

#include <cpuid.h>

#include "console.h"
#include "event.h"
#include "hypercall.h"
#include "pv.h"

#include <xen/arch-x86/cpuid.h>
#include <xen/memory.h>
#include <xen/version.h>

/* The size of the identity mapping that entry.S makes. */
#define MAPPED (UINT64_C(4) << 30)

void runtime_start(uint32_t start_info);
void runtime_start_pv(const struct start_info *start_info);
noreturn void runtime_exception(uint64_t vector, uint64_t error, uint64_t rip, uint64_t address);
noreturn void __stack_chk_fail(void);

static uint32_t cpuid_base;

uint32_t xen_version(void)
{
	return (uint32_t)hypercall2(__HYPERVISOR_xen_version, XENVER_version, NULL);
}

/* PV guests have no CPUID leaf with the domid. */
uint32_t own_domid(void)
{
	uint32_t eax, ebx, ecx, edx;

	if (pv_guest())
		return XEN_HYPERLAUNCH_NO_DOMID;
	__cpuid(cpuid_base, eax, ebx, ecx, edx);
	if (eax < cpuid_base + 4)
		return XEN_HYPERLAUNCH_NO_DOMID;
	__cpuid_count(cpuid_base + 4, 0, eax, ebx, ecx, edx);
	return eax & XEN_HVM_CPUID_DOMID_PRESENT ? ecx : XEN_HYPERLAUNCH_NO_DOMID;
}

/* Xen's leaves begin at a multiple of 0x100. */
static void find_xen(void)
{
	uint32_t eax, ebx, ecx, edx;

	for (cpuid_base = XEN_CPUID_FIRST_LEAF; cpuid_base < XEN_CPUID_FIRST_LEAF + 0x10000;
	     cpuid_base += 0x100) {
		__cpuid(cpuid_base, eax, ebx, ecx, edx);
		if (ebx == XEN_CPUID_SIGNATURE_EBX && ecx == XEN_CPUID_SIGNATURE_ECX &&
		    edx == XEN_CPUID_SIGNATURE_EDX)
			return;
	}
	/* Without Xen there is no console, and no hypercall to shut down. */
	__builtin_trap();
}

static void make_hypercall_page(void)
{
	uint32_t eax, ebx, ecx, edx;
	const uintptr_t page = (uintptr_t)hypercall_page;

	__cpuid(cpuid_base + 2, eax, ebx, ecx, edx);
	__asm__ volatile("wrmsr"
			 :
			 : "c"(ebx), "a"((uint32_t)page), "d"((uint32_t)(page >> 32))
			 : "memory");
}

noreturn void shut_down(unsigned int reason)
{
	const struct sched_shutdown arg = {.reason = reason};

	for (;;)
		hypercall2(__HYPERVISOR_sched_op, SCHEDOP_shutdown, &arg);
}

noreturn void panic(const char *text, ...)
{
	va_list args;

	va_start(args, text);
	vlog(text, args);
	va_end(args);
	shut_down(SHUTDOWN_crash);
}

noreturn void runtime_exception(uint64_t vector, uint64_t error, uint64_t rip, uint64_t address)
{
	panic("exception %lu at 0x%lx, error code 0x%lx, address 0x%lx", vector, rip, error,
	      address);
}

noreturn void __stack_chk_fail(void)
{
	panic("stack corrupted");
}

/* The memory map by hypercall, for version 0 of the start info, which has none. */
static void ask_memory_map(struct pvh_info *info)
{
	static struct {
		uint64_t address, size;
		uint32_t type;
	} __attribute__((packed)) entries[PVH_MAX_RANGES];
	struct xen_memory_map map = {.nr_entries = PVH_MAX_RANGES};
	long r;

	set_xen_guest_handle(map.buffer, (void *)entries);
	r = hypercall2(__HYPERVISOR_memory_op, XENMEM_memory_map, &map);
	if (r || map.nr_entries > PVH_MAX_RANGES)
		panic("cannot read the memory map: %ld", r);
	for (; info->nr_ranges < map.nr_entries; info->nr_ranges++)
		info->ranges[info->nr_ranges] = (struct pvh_range){
			.address = entries[info->nr_ranges].address,
			.size = entries[info->nr_ranges].size,
			.type = entries[info->nr_ranges].type,
		};
}

void runtime_start(uint32_t address)
{
	static struct pvh_info info;
	const struct memory memory = {.size = MAPPED};
	const char *wrong;

	find_xen();
	make_hypercall_page();
	events_init();
	console_init();
	wrong = pvh_info_read(&memory, address, &info);
	if (wrong)
		panic("invalid start info from Xen: %s", wrong);
	if (!info.nr_ranges)
		ask_memory_map(&info);
	shut_down(program(&info) ? SHUTDOWN_crash : SHUTDOWN_poweroff);
}

void runtime_start_pv(const struct start_info *start_info)
{
	static struct pvh_info info;

	pv_init(start_info);
	events_init();
	console_init();
	pv_info_read(&info);
	shut_down(program(&info) ? SHUTDOWN_crash : SHUTDOWN_poweroff);
}
