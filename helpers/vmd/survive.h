/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Whether libxl took all that a configuration has: it leaves out in silence what it does not know.
 */
#ifndef VMD_SURVIVE_H
#define VMD_SURVIVE_H

#include <stddef.h>

struct json_object;

/*
 * Looks for each value of `given` in `taken`, libxl's own text of what it has read.  Empty objects
 * and lists count as nothing.
 * 0; -ENOENT: one is not there, or is another one: its path, such as "b_info.max_vcpus", is in
 * `path`, cut off where it does not fit.
 */
int survive_check(struct json_object *given, struct json_object *taken, char *path, size_t size);

/* The same of two texts.  -EINVAL: either is NULL or no JSON object. */
int survive_check_text(const char *given, const char *taken, char *path, size_t size);

#endif
