// SPDX-License-Identifier: LGPL-2.1-or-later
/* Escapes what a terminal must not get from a log. */
#include "filter.h"

#include <stdbool.h>
#include <string.h>

static bool is_plain(uint8_t c)
{
	return (c >= ' ' && c < 0x7f) || c == '\n' || c == '\r' || c == '\t';
}

/* Marks and overrides that change the order in which a terminal shows text. */
static bool changes_direction(uint32_t c)
{
	return c == 0x61c || c == 0x200e || c == 0x200f || (c >= 0x202a && c <= 0x202e) ||
	       (c >= 0x2066 && c <= 0x2069);
}

static bool is_shown(uint32_t c, size_t length)
{
	static const uint32_t least[] = {0, 0, 0xa0, 0x800, 0x10000};

	return c >= least[length] && c <= 0x10ffff && !(c >= 0xd800 && c <= 0xdfff) &&
	       c != 0x2028 && c != 0x2029 && !changes_direction(c);
}

/* Returns the length of the character at `in` that may be shown, or 0. */
static size_t character(const uint8_t *in, size_t size)
{
	size_t length = in[0] >> 5 == 6 ? 2 : in[0] >> 4 == 14 ? 3 : in[0] >> 3 == 30 ? 4 : 0;
	uint32_t c;

	if (length == 0 || length > size)
		return 0;
	c = in[0] & (0x7fu >> length);
	for (size_t i = 1; i < length; i++) {
		if (in[i] >> 6 != 2)
			return 0;
		c = c << 6 | (in[i] & 0x3fu);
	}
	return is_shown(c, length) ? length : 0;
}

size_t filter(const uint8_t *in, size_t size, char *out)
{
	static const char digits[] = "0123456789abcdef";
	size_t written = 0, i = 0;

	while (i < size) {
		size_t length = is_plain(in[i]) ? 1 : character(in + i, size - i);

		if (length == 0) {
			out[written++] = '\\';
			out[written++] = 'x';
			out[written++] = digits[in[i] >> 4];
			out[written++] = digits[in[i] & 15];
			i++;
			continue;
		}
		memcpy(out + written, in + i, length);
		written += length;
		i += length;
	}
	return written;
}
