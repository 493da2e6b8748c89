/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Base64 of RFC 4648, with padding.  Pure. */
#ifndef COMMON_BASE64_H
#define COMMON_BASE64_H

#include <stddef.h>
#include <stdint.h>

#define BASE64_SIZE(size) (((size) + 2) / 3 * 4 + 1)

/* text: BASE64_SIZE(size) bytes, its zero byte included. */
void base64_encode(const uint8_t *data, size_t size, char *text);

/* Returns 0; -EINVAL: no Base64; or -E2BIG: more than `max` bytes. */
int base64_decode(const char *text, uint8_t *data, size_t max, size_t *ret_size);

#endif /* COMMON_BASE64_H */
