// SPDX-License-Identifier: LGPL-2.1-or-later
/* Reads the start info of a PVH guest. */
#include "start-info.h"

#include <stdbool.h>
#include <string.h>

#include "xen-abi.h"

#include <xen/arch-x86/hvm/start_info.h>

/* Before version 1 the structure ends here. */
#define SIZE_V0 offsetof(struct hvm_start_info, memmap_paddr)

static const void *at(const struct memory *memory, uint64_t address, uint64_t size)
{
	if (!address || address > memory->size || size > memory->size - address)
		return NULL;
	return (const void *)(memory->base + address);
}

/* Tables are copied, since they may not be aligned. */
static bool copy(const struct memory *memory, uint64_t address, void *to, size_t size)
{
	const void *from = at(memory, address, size);

	if (from)
		memcpy(to, from, size);
	return from;
}

/* Returns NULL if the string is not terminated. */
static const char *string_at(const struct memory *memory, uint64_t address)
{
	const char *text;

	if (!address)
		return "";
	text = at(memory, address, 1);
	return text && memchr(text, '\0', memory->size - address) ? text : NULL;
}

static const char *read_module(const struct memory *memory, uint64_t address,
			       struct pvh_module *ret_module)
{
	struct hvm_modlist_entry entry;

	if (!copy(memory, address, &entry, sizeof(entry)))
		return "the list of modules is outside of memory";
	*ret_module = (struct pvh_module){
		.data = at(memory, entry.paddr, entry.size),
		.size = entry.size,
		.cmdline = string_at(memory, entry.cmdline_paddr),
	};
	if (!ret_module->data)
		return "a module is outside of memory";
	return ret_module->cmdline ? NULL : "a module's string is not terminated";
}

static const char *read_modules(const struct memory *memory, const struct hvm_start_info *raw,
				struct pvh_info *info)
{
	const char *wrong = NULL;

	if (raw->nr_modules > PVH_MAX_MODULES)
		return "too many modules";
	for (; !wrong && info->nr_modules < raw->nr_modules; info->nr_modules++)
		wrong = read_module(memory,
				    raw->modlist_paddr +
					    info->nr_modules * sizeof(struct hvm_modlist_entry),
				    &info->modules[info->nr_modules]);
	return wrong;
}

static const char *read_ranges(const struct memory *memory, const struct hvm_start_info *raw,
			       struct pvh_info *info)
{
	struct hvm_memmap_table_entry entry;

	if (raw->memmap_entries > PVH_MAX_RANGES)
		return "too many ranges in the memory map";
	for (; info->nr_ranges < raw->memmap_entries; info->nr_ranges++) {
		if (!copy(memory, raw->memmap_paddr + info->nr_ranges * sizeof(entry), &entry,
			  sizeof(entry)))
			return "the memory map is outside of memory";
		if (entry.addr + entry.size < entry.addr)
			return "a range of the memory map overflows";
		info->ranges[info->nr_ranges] =
			(struct pvh_range){entry.addr, entry.size, entry.type};
	}
	return NULL;
}

const char *pvh_info_read(const struct memory *memory, uint64_t address, struct pvh_info *ret_info)
{
	struct hvm_start_info raw = {0};
	const char *wrong;

	*ret_info = (struct pvh_info){0};
	if (!copy(memory, address, &raw, SIZE_V0))
		return "start_info is outside of memory";
	if (raw.magic != XEN_HVM_START_MAGIC_VALUE)
		return "start_info has an invalid magic number";
	if (raw.version && !copy(memory, address, &raw, sizeof(raw)))
		return "start_info is outside of memory";
	ret_info->version = raw.version;
	ret_info->flags = raw.flags;
	ret_info->rsdp = raw.rsdp_paddr;
	ret_info->cmdline = string_at(memory, raw.cmdline_paddr);
	if (!ret_info->cmdline)
		return "the command line is not terminated";
	wrong = read_modules(memory, &raw, ret_info);
	return wrong ? wrong : read_ranges(memory, &raw, ret_info);
}

uint64_t pvh_info_ram(const struct pvh_info *info)
{
	uint64_t bytes = 0;

	for (unsigned int i = 0; i < info->nr_ranges; i++)
		if (info->ranges[i].type == XEN_HVM_MEMMAP_TYPE_RAM)
			bytes += info->ranges[i].size;
	return bytes;
}
