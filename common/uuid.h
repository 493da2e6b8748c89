/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* UUIDs as 16 bytes; <hyperlaunch/text.h> converts them to text and back. */
#ifndef COMMON_UUID_H
#define COMMON_UUID_H

#include <stdbool.h>
#include <stdint.h>

/* Returns whether it is the nil UUID, which means none. */
bool uuid_is_nil(const uint8_t uuid[16]);

/* Makes a random (version 4) UUID.  Returns 0, or the negative errno of getrandom(2). */
int uuid_make_random(uint8_t ret_uuid[16]);

#endif /* COMMON_UUID_H */
