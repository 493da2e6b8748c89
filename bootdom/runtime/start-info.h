/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The start info of a PVH guest, with each address and count checked before it is used.
 * Pure: the caller passes the memory that addresses refer to.
 */
#ifndef BOOTDOM_START_INFO_H
#define BOOTDOM_START_INFO_H

#include <stddef.h>
#include <stdint.h>

#define PVH_MAX_MODULES 8
#define PVH_MAX_RANGES	64

/* Guest-physical memory: address 0 is at base. */
struct memory {
	uintptr_t base;
	uint64_t size;
};

struct pvh_module {
	const void *data;
	size_t size;	     /* bytes */
	const char *cmdline; /* "": none */
};

struct pvh_range {
	uint64_t address, size;
	uint32_t type; /* XEN_HVM_MEMMAP_TYPE_* */
};

struct pvh_info {
	uint32_t version, flags; /* SIF_* */
	uint64_t rsdp;		 /* address; 0: none */
	const char *cmdline;	 /* "": none */
	unsigned int nr_modules, nr_ranges;
	struct pvh_module modules[PVH_MAX_MODULES];
	struct pvh_range ranges[PVH_MAX_RANGES]; /* none before version 1 */
};

/*
 * Reads the start info; strings and modules of *ret_info point into memory.
 * Returns NULL, or the text of an error.
 */
const char *pvh_info_read(const struct memory *memory, uint64_t address, struct pvh_info *ret_info);

/* Returns the number of bytes of RAM in the ranges. */
uint64_t pvh_info_ram(const struct pvh_info *info);

#endif /* BOOTDOM_START_INFO_H */
