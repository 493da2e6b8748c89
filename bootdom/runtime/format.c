// SPDX-License-Identifier: LGPL-2.1-or-later
/* A subset of snprintf(). */
#include "format.h"

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

struct output {
	char *buf;
	size_t size, length;
};

struct spec {
	bool zero;
	unsigned int width, precision;
	unsigned int longs; /* 0: int; else 64 bits */
	char kind;
};

static void put(struct output *out, char c)
{
	if (out->length + 1 < out->size)
		out->buf[out->length] = c;
	out->length++;
}

static void pad(struct output *out, const struct spec *spec, size_t length, char c)
{
	for (; length < spec->width; length++)
		put(out, c);
}

static void put_text(struct output *out, const struct spec *spec, const char *text)
{
	size_t length = strnlen(text, spec->precision);

	pad(out, spec, length, ' ');
	for (size_t i = 0; i < length; i++)
		put(out, text[i]);
}

static void put_number(struct output *out, const struct spec *spec, uint64_t value, bool negative)
{
	const unsigned int base = spec->kind == 'x' ? 16 : 10;
	char digits[20];
	size_t nr = 0;

	do {
		digits[nr++] = "0123456789abcdef"[value % base];
		value /= base;
	} while (value);
	if (!spec->zero)
		pad(out, spec, nr + negative, ' ');
	if (negative)
		put(out, '-');
	if (spec->zero)
		pad(out, spec, nr + negative, '0');
	while (nr)
		put(out, digits[--nr]);
}

static unsigned int read_width(const char **text, unsigned int star)
{
	unsigned int value = 0;

	if (**text == '*') {
		++*text;
		return star;
	}
	while (**text >= '0' && **text <= '9')
		value = value * 10 + (unsigned int)(*(*text)++ - '0');
	return value;
}

/* Parses a conversion after its '%'.  Returns the text that follows. */
static const char *read_spec(const char *text, struct spec *ret_spec, va_list *args)
{
	struct spec spec = {.precision = UINT_MAX};

	if (*text == '0') {
		spec.zero = true;
		text++;
	}
	spec.width = read_width(&text, 0);
	if (*text == '.') {
		text++;
		spec.precision = read_width(&text, *text == '*' ? va_arg(*args, unsigned int) : 0);
	}
	for (; *text == 'l' || *text == 'z'; text++)
		spec.longs++;
	spec.kind = *text;
	*ret_spec = spec;
	return *text ? text + 1 : text;
}

static void put_signed(struct output *out, const struct spec *spec, int64_t value)
{
	put_number(out, spec, value < 0 ? -(uint64_t)value : (uint64_t)value, value < 0);
}

static bool convert(struct output *out, const struct spec *spec, va_list *args)
{
	switch (spec->kind) {
	case 'd':
		put_signed(out, spec, spec->longs ? va_arg(*args, int64_t) : va_arg(*args, int));
		return true;
	case 'u':
	case 'x':
		put_number(out, spec,
			   spec->longs ? va_arg(*args, uint64_t) : va_arg(*args, unsigned int),
			   false);
		return true;
	case 's':
		put_text(out, spec, va_arg(*args, const char *));
		return true;
	case 'c':
		put(out, (char)va_arg(*args, int));
		return true;
	case '%':
		put(out, '%');
		return true;
	default:
		return false;
	}
}

size_t vformat(char *buf, size_t size, const char *text, va_list args)
{
	struct output out = {.buf = buf, .size = size};
	struct spec spec;
	va_list rest;

	va_copy(rest, args);
	while (*text) {
		if (*text != '%') {
			put(&out, *text++);
			continue;
		}
		text = read_spec(text + 1, &spec, &rest);
		if (!convert(&out, &spec, &rest))
			break;
	}
	va_end(rest);
	if (size)
		buf[out.length < size ? out.length : size - 1] = '\0';
	return out.length;
}

size_t format(char *buf, size_t size, const char *text, ...)
{
	va_list args;
	size_t length;

	va_start(args, text);
	length = vformat(buf, size, text, args);
	va_end(args);
	return length;
}
