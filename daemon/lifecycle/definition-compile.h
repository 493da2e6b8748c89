/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Device-tree source of a definition, compiled by lcmtool, as an LCM is. */
#ifndef HYPERLAUNCHD_LIFECYCLE_DEFINITION_COMPILE_H
#define HYPERLAUNCHD_LIFECYCLE_DEFINITION_COMPILE_H

#include <stddef.h>

struct definition_refusal;

/*
 * Waits for the program, so it is for a thread.  Returns 0; else a negative errno, and
 * `ret_refusal` has what the program says.
 * @ret_blob: for free()
 */
int definition_compile(const char *path, void **ret_blob, size_t *ret_size,
		       struct definition_refusal *ret_refusal);

#endif
