/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Memory files that nobody can change any more. */
#ifndef COMMON_SEALED_H
#define COMMON_SEALED_H

#include <stdbool.h>
#include <stddef.h>

/*
 * A memory file with these bytes that nobody can change any more, read position
 * at its start.  The caller closes it.  -errno.
 */
int sealed_memfd(const char *name, const void *data, size_t size);

/* The same in two steps: an empty file, and what closes it to changes once it is filled. */
int sealable_memfd(const char *name);
int seal_memfd(int fd);

/* Whether the descriptor is of such a file. */
bool is_sealed(int fd);

#endif
