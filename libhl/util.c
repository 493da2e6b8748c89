// SPDX-License-Identifier: LGPL-2.1-or-later
/* Arenas, growing text, numbers: what every file of libhl may use. */
#include "util.h"

#include <ctype.h>
#include <errno.h>
#include <stdalign.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

struct arena_chunk {
	struct arena_chunk *next;
	size_t size, used; /* bytes of data */
	max_align_t data[];
};

#ifdef __has_feature
#if __has_feature(address_sanitizer)
/* It sees the bounds of an allocation only if that has a chunk of its own. */
#define SHARED_CHUNK 0u
#endif
#endif
#ifndef SHARED_CHUNK
#define SHARED_CHUNK 16384u
#endif

/* Chunks are filled in turn; what is large has a chunk of its own behind the first. */
static struct arena_chunk *new_chunk(struct arena *arena, size_t bytes)
{
	bool shared = bytes <= SHARED_CHUNK / 4;
	size_t size = shared ? SHARED_CHUNK : bytes, total;
	struct arena_chunk *chunk = NULL, **place = &arena->chunks;

	if (!__builtin_add_overflow(size, sizeof(*chunk), &total))
		chunk = calloc(1, total);
	if (!chunk)
		return NULL;
	chunk->size = size;
	if (!shared && *place)
		place = &(*place)->next;
	chunk->next = *place;
	*place = chunk;
	return chunk;
}

/* Zeroed.  align: a power of two, at most that of max_align_t. */
static void *take(struct arena *arena, size_t bytes, size_t align)
{
	struct arena_chunk *chunk = arena->chunks;
	size_t start = chunk ? (chunk->used + align - 1) & ~(align - 1) : 0;

	if (!chunk || start > chunk->size || bytes > chunk->size - start) {
		chunk = new_chunk(arena, bytes);
		start = 0;
	}
	if (!chunk) {
		arena->failed = true;
		return NULL;
	}
	chunk->used = start + bytes;
	return (char *)chunk->data + start;
}

void *arena_alloc(struct arena *arena, size_t nr, size_t size)
{
	size_t bytes;

	if (__builtin_mul_overflow(nr, size, &bytes)) {
		arena->failed = true;
		return NULL;
	}
	return take(arena, bytes, alignof(max_align_t));
}

char *arena_text(struct arena *arena, size_t length)
{
	return take(arena, length + 1, 1);
}

char *arena_strdup(struct arena *arena, const char *text)
{
	size_t length = strlen(text);
	char *copy = arena_text(arena, length);

	return copy ? memcpy(copy, text, length + 1) : NULL;
}

char *arena_printf(struct arena *arena, const char *format, ...)
{
	char *text = NULL, *copy = NULL;
	va_list ap;

	va_start(ap, format);
	if (vasprintf(&text, format, ap) < 0)
		text = NULL;
	va_end(ap);
	if (text)
		copy = arena_strdup(arena, text);
	else
		arena->failed = true;
	free(text);
	return copy;
}

void arena_free(struct arena *arena)
{
	struct arena_chunk *chunk = arena->chunks, *next;

	for (; chunk; chunk = next) {
		next = chunk->next;
		free(chunk);
	}
	arena->chunks = NULL;
}

static bool strbuf_reserve(struct strbuf *buf, size_t more)
{
	size_t want = buf->length + more + 1;
	char *text;

	if (buf->failed)
		return false;
	if (want <= buf->size)
		return true;
	want = want < 256 ? 256 : want + want / 2;
	text = realloc(buf->text, want);
	if (!text) {
		buf->failed = true;
		return false;
	}
	buf->text = text;
	buf->size = want;
	return true;
}

void strbuf_add(struct strbuf *buf, const char *text)
{
	size_t length = strlen(text);

	if (!strbuf_reserve(buf, length))
		return;
	memcpy(buf->text + buf->length, text, length + 1);
	buf->length += length;
}

void strbuf_addf(struct strbuf *buf, const char *format, ...)
{
	_cleanup_(freep) char *text = NULL;
	va_list ap;

	va_start(ap, format);
	if (vasprintf(&text, format, ap) < 0) {
		text = NULL;
		buf->failed = true;
	}
	va_end(ap);
	if (text)
		strbuf_add(buf, text);
}

int strbuf_take(struct strbuf *buf, char **ret_text)
{
	strbuf_add(buf, "");
	if (buf->failed) {
		free(buf->text);
		*buf = (struct strbuf){0};
		return -ENOMEM;
	}
	*ret_text = buf->text;
	*buf = (struct strbuf){0};
	return 0;
}

bool all_zero(const void *data, size_t size)
{
	const uint8_t *bytes = data;

	for (size_t i = 0; i < size; i++)
		if (bytes[i])
			return false;
	return true;
}

int parse_u64(const char *text, uint64_t max, uint64_t *ret_value)
{
	bool hex = text[0] == '0' && (text[1] == 'x' || text[1] == 'X');
	const char *digits = hex ? text + 2 : text;
	unsigned long long value;
	char *end;

	if (!isxdigit((unsigned char)digits[0]))
		return -EINVAL;
	errno = 0;
	value = strtoull(digits, &end, hex ? 16 : 10);
	if (*end || end == digits)
		return -EINVAL;
	if (errno || value > max)
		return -ERANGE;
	*ret_value = value;
	return 0;
}
