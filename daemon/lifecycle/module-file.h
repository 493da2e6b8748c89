/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Files of this host that have the very bytes of a boot module.  Slow: for a thread.
 *
 * What the boot loader has passed on to Xen is a file as it is, or, as GRUB unpacks gzip files
 * unless it is told otherwise, the content of one.
 */
#ifndef HYPERLAUNCHD_LIFECYCLE_MODULE_FILE_H
#define HYPERLAUNCHD_LIFECYCLE_MODULE_FILE_H

#include <hyperlaunch/hl.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MODULE_FILE_MAX (UINT64_C(512) << 20) /* bytes, as they are and unpacked; vmd's limit */

struct module_file {
	/* What is looked for. */
	uint64_t size; /* 0: not known */
	uint8_t sha256[HL_SHA256_SIZE];
	/* What was found. */
	int fd;		/* a sealed copy; -1: none */
	bool unpacked;	/* it is what is in the file */
	char path[512]; /* cut off */
};

/*
 * Looks for each module whose fd is -1.  No link is followed, and files and directories count that
 * root or this user owns only.
 * @path: directories, separated by colons; those that do not exist are left out
 * @cancelled: becomes true where nobody waits any more
 * Returns 0, also where nothing is found; -ECANCELED; or a lack of memory or descriptors.
 */
int module_file_find(const char *path, const atomic_bool *cancelled, struct module_file *modules,
		     size_t nr);

#endif
