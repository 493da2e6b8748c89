/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The files of a launch, in the order in which a boot loader loads them. */
#ifndef LCMTOOL_CHAIN_H
#define LCMTOOL_CHAIN_H

#include <sys/types.h>

#include <hyperlaunch/hl.h>

#include "tool.h"

struct chain_file {
	char *path; /* absolute; the last component is as given */
	dev_t device;
	ino_t inode;
	uint64_t size;
	uint8_t sha256[HL_SHA256_SIZE];
	const char *packed; /* see grub_unpacks() */
};

/* Starts as all zero. */
struct chain {
	struct chain_file files[MAX_CHAIN]; /* files[0] is module 1 */
	unsigned int nr;
};

void chain_free(struct chain *chain);

/*
 * Finds the module number of a file, from 1, and adds the file to the chain unless it
 * is there already, under this or another name.
 * Returns 0, -EFBIG: the chain is full; -EISDIR: not a regular file; or another errno.
 */
int chain_add(struct chain *chain, const char *path, unsigned int *ret_index);

/*
 * Finds the file that a name refers to: itself if absolute, else in the first directory
 * that has it.  The caller has to free(*ret_path).
 * Returns 0, -ENOENT: in none of them; or -ENOMEM.
 */
int chain_find(const char *name, char *const *dirs, size_t nr_dirs, char **ret_path);

/*
 * Reads size, digest and compression of a file; *ret_file has no path.
 * Returns 0, -EISDIR: not a regular file; or another errno.
 */
int digest_file(const char *path, struct chain_file *ret_file);

#endif /* LCMTOOL_CHAIN_H */
