/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The definition of a domain, in a file of the user's. */
#ifndef HLCTL_DEFINITION_H
#define HLCTL_DEFINITION_H

#include <stddef.h>
#include <stdint.h>

#include "hlctl.h"

/* As much as hyperlaunchd takes, and a byte that says that it is more. */
#define DEFINITION_MAX (64u << 10)

/* As it goes to hyperlaunchd: a device tree, or JSON. */
struct definition_blob {
	uint8_t data[DEFINITION_MAX + 2]; /* the last one stays zero */
	size_t size;
};

/* By its name: JSON is no device-tree source, and the other way round. */
bool definition_is_json(const char *file);

/* Into a blob that is empty; reports what is wrong. */
enum exit_code definition_read(const char *file, struct definition_blob *blob);

/* The domain's, for the job; "": hyperlaunchd says what is wrong with the definition. */
char *definition_name_in_json(const struct definition_blob *blob);

#endif /* HLCTL_DEFINITION_H */
