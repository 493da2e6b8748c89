/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* UUIDs, digests and UTF-8 as text, and the version of the library. */
#ifndef HYPERLAUNCH_TEXT_H
#define HYPERLAUNCH_TEXT_H

#include <stddef.h>
#include <stdint.h>

#include "base.h"

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Formats a UUID: 8-4-4-4-12 lower-case hex digits.  The nil UUID, all zero, which
 * means none, is formatted as any other.
 * Since: 0.1
 */
void hl_uuid_to_text(const uint8_t uuid[16], char text[HL_UUID_TEXT_SIZE]);

/*
 * Parses a UUID in that form, in lower or upper case.
 * Returns 0, or -EINVAL: not a UUID.
 * Since: 0.1
 */
int hl_uuid_from_text(const char *text, uint8_t ret_uuid[16]) HL_MUST_CHECK;

/*
 * Formats a digest: 64 lower-case hex digits; "" if all bytes are zero, which means
 * not known.
 * Since: 0.1
 */
void hl_sha256_to_text(const uint8_t sha256[HL_SHA256_SIZE], char text[HL_SHA256_TEXT_SIZE]);

/*
 * Returns a copy of text in valid UTF-8, for the caller to free(); NULL: no memory.
 * Each of these is replaced by '?': a byte that is not part of valid UTF-8, a
 * control character, a line separator, a mark that changes the direction of text, a
 * noncharacter.
 * Since: 0.1
 */
char *hl_utf8_dup(const char *text) HL_MUST_CHECK;

/*
 * Returns the version of the library: "0.1.0".
 * Since: 0.1
 */
const char *hl_version(void);

#ifdef __cplusplus
}
#endif

#endif /* HYPERLAUNCH_TEXT_H */
