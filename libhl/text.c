// SPDX-License-Identifier: LGPL-2.1-or-later
/* UUIDs and digests as text, and text as valid UTF-8. */
#include "text.h"

#include <errno.h>
#include <string.h>

static const char hex_digits[] = "0123456789abcdef";

/* Whether a dash precedes this byte of a UUID. */
static bool uuid_dash_before(unsigned int byte)
{
	return byte == 4 || byte == 6 || byte == 8 || byte == 10;
}

HL_EXPORT void hl_uuid_to_text(const uint8_t uuid[16], char text[HL_UUID_TEXT_SIZE])
{
	for (unsigned int i = 0; i < 16; i++) {
		if (uuid_dash_before(i))
			*text++ = '-';
		*text++ = hex_digits[uuid[i] >> 4];
		*text++ = hex_digits[uuid[i] & 15];
	}
	*text = '\0';
}

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

HL_EXPORT int hl_uuid_from_text(const char *text, uint8_t ret_uuid[16])
{
	uint8_t uuid[16];

	for (unsigned int i = 0; i < 16; i++) {
		int high, low;

		if (uuid_dash_before(i) && *text++ != '-')
			return -EINVAL;
		high = hex_value(text[0]);
		if (high < 0)
			return -EINVAL;
		low = hex_value(text[1]);
		if (low < 0)
			return -EINVAL;
		uuid[i] = (uint8_t)(high << 4 | low);
		text += 2;
	}
	if (*text)
		return -EINVAL;
	memcpy(ret_uuid, uuid, sizeof(uuid));
	return 0;
}

HL_EXPORT void hl_sha256_to_text(const uint8_t sha256[HL_SHA256_SIZE],
				 char text[HL_SHA256_TEXT_SIZE])
{
	if (!all_zero(sha256, HL_SHA256_SIZE)) {
		for (unsigned int i = 0; i < HL_SHA256_SIZE; i++) {
			*text++ = hex_digits[sha256[i] >> 4];
			*text++ = hex_digits[sha256[i] & 15];
		}
	}
	*text = '\0';
}

/*
 * Decodes the UTF-8 sequence at s, which ends with a NUL at the latest.  Returns its
 * length and sets *ret_code; 0: invalid.
 */
static unsigned int utf8_decode(const unsigned char *s, uint32_t *ret_code)
{
	static const struct {
		unsigned char mask, lead;
		uint32_t min;
	} forms[] = {
		{0x80, 0x00, 0}, {0xe0, 0xc0, 0x80}, {0xf0, 0xe0, 0x800}, {0xf8, 0xf0, 0x10000}};

	for (unsigned int i = 0; i < ARRAY_SIZE(forms); i++) {
		uint32_t code;

		if ((s[0] & forms[i].mask) != forms[i].lead)
			continue;
		code = s[0] & (unsigned char)~forms[i].mask;
		for (unsigned int k = 1; k <= i; k++) {
			if ((s[k] & 0xc0) != 0x80)
				return 0;
			code = code << 6 | (s[k] & 0x3f);
		}
		if (code < forms[i].min || code > 0x10ffff || (code >= 0xd800 && code < 0xe000))
			return 0;
		*ret_code = code;
		return i + 1;
	}
	return 0;
}

/*
 * Whether a code point is safe for D-Bus, terminals and logs: not a control character
 * (C0, DEL, C1), a line separator, a mark that changes the direction of text, or one of
 * Unicode's noncharacters, which sd-bus rejects.
 */
static bool is_plain(uint32_t code)
{
	static const struct {
		uint32_t first, last;
	} others[] = {{0x00, 0x1f},	{0x7f, 0x9f},	  {0x061c, 0x061c}, {0x200e, 0x200f},
		      {0x2028, 0x202e}, {0x2066, 0x2069}, {0xfdd0, 0xfdef}};

	for (unsigned int i = 0; i < ARRAY_SIZE(others); i++)
		if (code >= others[i].first && code <= others[i].last)
			return false;
	return (code & 0xfffe) != 0xfffe;
}

/* Copies text to out, which has room for strlen(text) + 1 bytes: the copy is never longer. */
static void copy_clean(const char *text, char *out)
{
	const unsigned char *s = (const unsigned char *)text;

	while (*s) {
		uint32_t code;
		unsigned int length;

		if (*s >= ' ' && *s <= '~') {
			*out++ = (char)*s++;
			continue;
		}
		length = utf8_decode(s, &code);
		if (!length || !is_plain(code)) {
			*out++ = '?';
			s += length ? length : 1;
			continue;
		}
		memcpy(out, s, length);
		out += length;
		s += length;
	}
	*out = '\0';
}

HL_EXPORT char *hl_utf8_dup(const char *text)
{
	char *copy = malloc(strlen(text) + 1);

	if (copy)
		copy_clean(text, copy);
	return copy;
}

char *arena_utf8(struct arena *arena, const char *text)
{
	char *copy = arena_text(arena, strlen(text));

	if (copy)
		copy_clean(text, copy);
	return copy;
}

HL_EXPORT const char *hl_version(void)
{
	return HL_VERSION;
}
