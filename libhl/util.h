/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What every file of libhl uses, and no other program. */
#ifndef LIBHL_UTIL_H
#define LIBHL_UTIL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "hl.h"

#define HL_EXPORT __attribute__((visibility("default")))
#define CLEANUP(func) __attribute__((cleanup(func)))
#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

static inline void freep(void *p)
{
	free(*(void **)p);
}

static inline void *steal_pointer(void *p)
{
	void **pp = p, *mine = *pp;

	*pp = NULL;
	return mine;
}

#define STEAL(p) ((__typeof__(p))steal_pointer(&(p)))

/* Memory that is freed all at once.  Zeroed; aligned for any type. */
struct arena {
	struct arena_chunk *chunks;
	bool failed;		/* some call gave NULL since arena_init() */
};

void *arena_alloc(struct arena *arena, size_t nr, size_t size);
char *arena_strdup(struct arena *arena, const char *text);
char *arena_printf(struct arena *arena, const char *format, ...) HL_PRINTF(2, 3);
/* A copy as hl_utf8_dup() makes it. */
char *arena_utf8(struct arena *arena, const char *text);
void arena_free(struct arena *arena);

/* Text that grows.  A failed allocation sticks: test once, at the end. */
struct strbuf {
	char *text;		/* NULL while empty */
	size_t length, size;
	bool failed;
};

void strbuf_add(struct strbuf *buf, const char *text);
void strbuf_addf(struct strbuf *buf, const char *format, ...) HL_PRINTF(2, 3);
/* 0 with the text, or -ENOMEM; buf is empty afterwards. */
int strbuf_take(struct strbuf *buf, char **ret_text);

static inline uint64_t kib_to_bytes(uint64_t kib)
{
	return kib > UINT64_MAX >> 10 ? UINT64_MAX : kib << 10;
}

bool all_zero(const void *data, size_t size);

/* Decimal, or hexadecimal with 0x; the whole text; at most max.  -EINVAL, -ERANGE. */
int parse_u64(const char *text, uint64_t max, uint64_t *ret_value);

#endif /* LIBHL_UTIL_H */
