/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Arenas, growing text, numbers: what each file of libhl may use. */
#ifndef LIBHL_UTIL_H
#define LIBHL_UTIL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <hyperlaunch/hl.h>

#include "cleanup.h"

#define HL_EXPORT __attribute__((visibility("default")))

/*
 * Memory that is freed all at once.  An arena starts as all zero.  Its functions return
 * NULL without memory and record that, so that one test of `failed` at the end is
 * enough.  Memory is zeroed and aligned for any type.
 */
struct arena {
	struct arena_chunk *chunks;
	bool failed; /* an allocation has failed */
};

void *arena_alloc(struct arena *arena, size_t nr, size_t size);
/* For a string of at most `length` bytes; these need no alignment. */
char *arena_text(struct arena *arena, size_t length);
char *arena_strdup(struct arena *arena, const char *text);
char *arena_printf(struct arena *arena, const char *format, ...) HL_PRINTF(2, 3);
void arena_free(struct arena *arena);

/* Text that grows; starts as all zero.  strbuf_take() reports a failed allocation. */
struct strbuf {
	char *text; /* NULL while empty */
	size_t length, size;
	bool failed;
};

void strbuf_add(struct strbuf *buf, const char *text);
void strbuf_addf(struct strbuf *buf, const char *format, ...) HL_PRINTF(2, 3);
/* Returns 0 and the text, for the caller to free(), or -ENOMEM.  Empties buf. */
int strbuf_take(struct strbuf *buf, char **ret_text);

/* Saturates at UINT64_MAX. */
static inline uint64_t kib_to_bytes(uint64_t kib)
{
	return kib > UINT64_MAX >> 10 ? UINT64_MAX : kib << 10;
}

/* Whether all of size bytes are zero. */
bool all_zero(const void *data, size_t size);

/*
 * Parses all of text as a decimal number, or with 0x as a hexadecimal one.
 * Returns 0, -EINVAL: not a number; or -ERANGE: larger than max.
 */
int parse_u64(const char *text, uint64_t max, uint64_t *ret_value);

#endif /* LIBHL_UTIL_H */
