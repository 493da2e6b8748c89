/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Splits text into words and lines, and parses numbers.  Pure. */
#ifndef BOOTDOM_TOKENIZE_H
#define BOOTDOM_TOKENIZE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct word {
	const char *text; /* not terminated; may be NULL if length is 0 */
	size_t length;
};

/* Removes the next word, and blanks before it, from *rest.  Returns false if there is none. */
bool word_next(struct word *rest, struct word *ret_word);

/* Removes the next line, which keeps its blanks, from *rest.  Returns false if there is none. */
bool word_line(struct word *rest, struct word *ret_line);

bool word_is(const struct word *word, const char *text);

/* Parses all of a word as a decimal number, or with 0x as a hexadecimal one, up to max. */
bool word_number(const struct word *word, uint64_t max, uint64_t *ret_value);

/* Splits at the first mark, which is in neither part.  Returns false if there is no mark. */
bool word_split(const struct word *word, char mark, struct word *ret_before,
		struct word *ret_after);

#endif /* BOOTDOM_TOKENIZE_H */
