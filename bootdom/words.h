/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Words of a text, and numbers.  Pure. */
#ifndef BOOTDOM_WORDS_H
#define BOOTDOM_WORDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct word {
	const char *text;	/* no NUL at its end */
	size_t length;
};

/* The next word, blanks on both sides taken off *rest; false at the end. */
bool word_next(struct word *rest, struct word *ret_word);

/* The same up to a newline, with all its blanks. */
bool word_line(struct word *rest, struct word *ret_line);

bool word_is(const struct word *word, const char *text);

/* Decimal, or hexadecimal with 0x, at most max; all of the word. */
bool word_number(const struct word *word, uint64_t max, uint64_t *ret_value);

/* Up to a mark, which both parts lose; false where there is no such mark. */
bool word_split(const struct word *word, char mark, struct word *ret_before, struct word *ret_after);

#endif /* BOOTDOM_WORDS_H */
