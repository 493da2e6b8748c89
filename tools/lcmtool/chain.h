/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The modules of a launch as files, in the order in which a boot loader loads them. */
#ifndef LCMTOOL_CHAIN_H
#define LCMTOOL_CHAIN_H

#include <sys/types.h>

#include <hl.h>

#include "tool.h"

struct chain_file {
	char *path;		/* absolute; its own name as it was given */
	dev_t device;
	ino_t inode;
	uint64_t size;
	uint8_t sha256[HL_SHA256_SIZE];
};

struct chain {
	struct chain_file files[MAX_CHAIN];	/* files[0] is module 1 */
	unsigned int nr;
};

void chain_free(struct chain *chain);

/*
 * The module number of a file, which is added where the chain has not got it
 * under this or another name.  -errno; -EFBIG: the chain is full.
 */
int chain_add(struct chain *chain, const char *path, unsigned int *ret_index);

/*
 * The file that a name means: itself if absolute, else the first in the folders.
 * -ENOENT: in none of them.
 */
int chain_find(const char *name, char *const *dirs, size_t nr_dirs, char **ret_path);

/* Size and digest of a regular file.  -errno; -EISDIR: not a regular file. */
int digest_file(const char *path, struct chain_file *ret_file);

#endif /* LCMTOOL_CHAIN_H */
