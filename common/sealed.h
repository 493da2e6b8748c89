/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Memory files that are passed over the bus. */
#ifndef COMMON_SEALED_H
#define COMMON_SEALED_H

#include <stddef.h>

/*
 * A memory file with these bytes that nobody can change any more, read position
 * at its start.  The caller closes it.  -errno.
 */
int sealed_memfd(const char *name, const void *data, size_t size);

#endif
