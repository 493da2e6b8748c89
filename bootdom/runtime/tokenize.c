// SPDX-License-Identifier: LGPL-2.1-or-later
/* Splits text into words and lines, and parses numbers. */
#include "tokenize.h"

#include <string.h>

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* An empty word may be NULL, and adding even 0 to NULL is undefined. */
static void skip(struct word *word, size_t length)
{
	if (!length)
		return;
	word->text += length;
	word->length -= length;
}

bool word_next(struct word *rest, struct word *ret_word)
{
	size_t length = 0;

	while (rest->length && is_blank(*rest->text))
		skip(rest, 1);
	while (length < rest->length && !is_blank(rest->text[length]))
		length++;
	*ret_word = (struct word){rest->text, length};
	skip(rest, length);
	return length;
}

bool word_line(struct word *rest, struct word *ret_line)
{
	if (!rest->length)
		return false;
	if (word_split(rest, '\n', ret_line, rest))
		return true;
	*ret_line = *rest;
	skip(rest, rest->length);
	return true;
}

bool word_is(const struct word *word, const char *text)
{
	return word->length == strlen(text) && !memcmp(word->text, text, word->length);
}

static int digit(char c, unsigned int base)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (base == 16 && c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (base == 16 && c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

bool word_number(const struct word *word, uint64_t max, uint64_t *ret_value)
{
	const bool hex = word->length > 2 && word->text[0] == '0' &&
			 (word->text[1] == 'x' || word->text[1] == 'X');
	const unsigned int base = hex ? 16 : 10;
	uint64_t value = 0;

	if (!word->length)
		return false;
	for (size_t i = hex ? 2 : 0; i < word->length; i++) {
		const int d = digit(word->text[i], base);

		if (d < 0 || (uint64_t)d > max || value > (max - (uint64_t)d) / base)
			return false;
		value = value * base + (uint64_t)d;
	}
	*ret_value = value;
	return true;
}

bool word_split(const struct word *word, char mark, struct word *ret_before, struct word *ret_after)
{
	const struct word whole = *word;
	const char *at = whole.length ? memchr(whole.text, mark, whole.length) : NULL;
	const size_t length = at ? (size_t)(at - whole.text) : 0;

	if (!at)
		return false;
	*ret_before = (struct word){whole.text, length};
	*ret_after = (struct word){at + 1, whole.length - length - 1};
	return true;
}
