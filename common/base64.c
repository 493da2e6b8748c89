// SPDX-License-Identifier: LGPL-2.1-or-later
/* Base64 of RFC 4648. */
#include "common/base64.h"

#include <errno.h>
#include <string.h>

static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void base64_encode(const uint8_t *data, size_t size, char *text)
{
	for (size_t i = 0; i < size; i += 3) {
		uint32_t bits = (uint32_t)data[i] << 16;

		if (i + 1 < size)
			bits |= (uint32_t)data[i + 1] << 8;
		if (i + 2 < size)
			bits |= data[i + 2];
		*text++ = letters[bits >> 18];
		*text++ = letters[bits >> 12 & 63];
		*text++ = i + 1 < size ? letters[bits >> 6 & 63] : '=';
		*text++ = i + 2 < size ? letters[bits & 63] : '=';
	}
	*text = '\0';
}

/* Four letters.  Returns the number of bytes, or -EINVAL. */
static int decode_group(const char *text, uint8_t bytes[3])
{
	uint32_t bits = 0;
	int padding = 0;

	for (int i = 0; i < 4; i++) {
		const char *letter = text[i] == '=' ? NULL : strchr(letters, text[i]);

		if (text[i] == '=' && i >= 2)
			padding++;
		else if (!letter || padding)
			return -EINVAL;
		bits = bits << 6 | (letter ? (uint32_t)(letter - letters) : 0);
	}
	bytes[0] = (uint8_t)(bits >> 16);
	bytes[1] = (uint8_t)(bits >> 8);
	bytes[2] = (uint8_t)bits;
	return 3 - padding;
}

int base64_decode(const char *text, uint8_t *data, size_t max, size_t *ret_size)
{
	size_t length = strlen(text), size = 0;

	if (length % 4 != 0)
		return -EINVAL;
	for (size_t i = 0; i < length; i += 4) {
		uint8_t bytes[3];
		int nr = decode_group(text + i, bytes);

		if (nr < 0 || (nr < 3 && i + 4 < length))
			return -EINVAL;
		if (size + (size_t)nr > max)
			return -E2BIG;
		memcpy(data + size, bytes, (size_t)nr);
		size += (size_t)nr;
	}
	*ret_size = size;
	return 0;
}
