// SPDX-License-Identifier: LGPL-2.1-or-later
/* UUIDs, digests and names as text. */
#include <errno.h>
#include <string.h>

#include "util.h"

static const char hex_digits[] = "0123456789abcdef";

/* A dash stands before each of these bytes of a UUID. */
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

/* Bytes of the UTF-8 sequence at s, 0 if there is none; at most 4 are looked at. */
static unsigned int utf8_length(const unsigned char *s)
{
	static const struct {
		unsigned char mask, lead;
		uint32_t min;
	} forms[] = { { 0x80, 0x00, 0 }, { 0xe0, 0xc0, 0x80 },
		      { 0xf0, 0xe0, 0x800 }, { 0xf8, 0xf0, 0x10000 } };

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
		if (code < forms[i].min || code > 0x10ffff ||
		    (code >= 0xd800 && code < 0xe000))
			return 0;
		return i + 1;
	}
	return 0;
}

/* C0, DEL and C1. */
static bool is_control(const unsigned char *s)
{
	return s[0] < 0x20 || s[0] == 0x7f || (s[0] == 0xc2 && s[1] < 0xa0);
}

HL_EXPORT char *hl_utf8_dup(const char *text)
{
	const unsigned char *s = (const unsigned char *)text;
	char *copy = malloc(strlen(text) + 1), *out = copy;

	if (!copy)
		return NULL;
	while (*s) {
		unsigned int length = utf8_length(s);

		if (!length || is_control(s)) {
			*out++ = '?';
			s += length ? length : 1;
			continue;
		}
		memcpy(out, s, length);
		out += length;
		s += length;
	}
	*out = '\0';
	return copy;
}

HL_EXPORT const char *hl_version(void)
{
	return HL_VERSION;
}
