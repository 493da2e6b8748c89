// SPDX-License-Identifier: LGPL-2.1-or-later
/* Reads bits, decodes them by Huffman codes, and copies what they refer back to. */
#include "lifecycle/gunzip.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"

#define WINDOW	     (1u << 15) /* what a match may reach back to */
#define INPUT	     (1u << 16)
#define MAX_BITS     15 /* of a code */
#define NR_LENGTHS   19 /* symbols of the code for code lengths */
#define NR_LITERALS  288
#define NR_DISTANCES 30
#define END_OF_BLOCK 256

/* Flags of a member's header, and its method. */
#define FLAG_HEADER_CRC 0x02
#define FLAG_EXTRA	0x04
#define FLAG_NAME	0x08
#define FLAG_COMMENT	0x10
#define FLAGS_RESERVED	0xe0
#define METHOD_DEFLATE	8

struct stream {
	const struct gunzip_io *io;
	int error; /* the first one; from then on only zeros are read */
	uint8_t input[INPUT];
	size_t next, end; /* of input */
	uint32_t bits;	  /* read and not used, the next one lowest */
	unsigned int nr_bits;
	uint8_t window[WINDOW];
	size_t filled;	/* of the window since it was written last */
	uint64_t total; /* bytes unpacked */
};

/* A canonical code: codes of one length follow each other, and so do their symbols here. */
struct code {
	uint16_t count[MAX_BITS + 1]; /* of codes, by length */
	uint16_t symbols[NR_LITERALS];
};

static void fail(struct stream *s, int error)
{
	if (!s->error)
		s->error = error;
}

static uint8_t next_byte(struct stream *s)
{
	ssize_t n;

	if (s->error)
		return 0;
	if (s->next == s->end) {
		n = s->io->read(s->io->userdata, s->input, sizeof(s->input));
		if (n <= 0) {
			fail(s, n < 0 ? (int)n : -EINVAL);
			return 0;
		}
		s->next = 0;
		s->end = (size_t)n;
	}
	return s->input[s->next++];
}

/* nr: 16 at most. */
static uint32_t take_bits(struct stream *s, unsigned int nr)
{
	uint32_t value;

	while (s->nr_bits < nr) {
		s->bits |= (uint32_t)next_byte(s) << s->nr_bits;
		s->nr_bits += 8;
	}
	value = s->bits & ((1u << nr) - 1);
	s->bits >>= nr;
	s->nr_bits -= nr;
	return value;
}

static void write_window(struct stream *s)
{
	int r = s->error ? 0 : s->io->write(s->io->userdata, s->window, s->filled);

	if (r < 0)
		fail(s, r);
	s->filled = 0;
}

static void put(struct stream *s, uint8_t byte)
{
	s->window[s->filled++] = byte;
	s->total++;
	if (s->filled == WINDOW)
		write_window(s);
}

static void copy(struct stream *s, uint32_t distance, uint32_t length)
{
	if (distance > s->total) {
		fail(s, -EINVAL);
		return;
	}
	for (; length > 0 && !s->error; length--)
		put(s, s->window[(s->filled - distance) & (WINDOW - 1)]);
}

/* -EINVAL: more codes than there can be. */
static int make_code(const uint8_t *lengths, unsigned int nr, struct code *code)
{
	uint16_t place[MAX_BITS + 1] = {0};
	int room = 1;

	memset(code->count, 0, sizeof(code->count));
	for (unsigned int i = 0; i < nr; i++)
		code->count[lengths[i]]++;
	code->count[0] = 0;
	for (unsigned int bits = 1; bits <= MAX_BITS; bits++) {
		room = room * 2 - code->count[bits];
		if (room < 0)
			return -EINVAL;
		place[bits] = (uint16_t)(place[bits - 1] + code->count[bits - 1]);
	}
	for (unsigned int i = 0; i < nr; i++)
		if (lengths[i] > 0)
			code->symbols[place[lengths[i]]++] = (uint16_t)i;
	return 0;
}

/* Bit by bit: the codes of a length begin where those of the length before it end. */
static unsigned int take_symbol(struct stream *s, const struct code *code)
{
	unsigned int value = 0, first = 0, place = 0;

	for (unsigned int bits = 1; bits <= MAX_BITS; bits++) {
		value = value << 1 | take_bits(s, 1);
		first <<= 1;
		if (value - first < code->count[bits])
			return code->symbols[place + value - first];
		first += code->count[bits];
		place += code->count[bits];
	}
	fail(s, -EINVAL);
	return END_OF_BLOCK;
}

/* Symbols 257 to 285 are lengths from 3 on, four of them for each number of further bits. */
static uint32_t take_length(struct stream *s, unsigned int symbol)
{
	unsigned int i = symbol - END_OF_BLOCK - 1, more = i < 8 ? 0 : i / 4 - 1;

	if (i > 28)
		fail(s, -EINVAL);
	if (i >= 28)
		return 258;
	return i < 8 ? 3 + i : 3 + ((4 + i % 4) << more) + take_bits(s, more);
}

/* Likewise from 1 on, with two of them. */
static uint32_t take_distance(struct stream *s, const struct code *code)
{
	unsigned int i = take_symbol(s, code), more = i < 4 ? 0 : i / 2 - 1;

	if (i >= NR_DISTANCES) {
		fail(s, -EINVAL);
		return 1;
	}
	return i < 4 ? 1 + i : 1 + ((2 + i % 2) << more) + take_bits(s, more);
}

static void unpack_codes(struct stream *s, const struct code *literals,
			 const struct code *distances)
{
	unsigned int symbol;

	while (!s->error && (symbol = take_symbol(s, literals)) != END_OF_BLOCK) {
		uint32_t length;

		if (symbol < END_OF_BLOCK) {
			put(s, (uint8_t)symbol);
			continue;
		}
		length = take_length(s, symbol);
		copy(s, take_distance(s, distances), length);
	}
}

static void unpack_stored(struct stream *s)
{
	uint32_t length, complement;

	take_bits(s, s->nr_bits % 8);
	length = take_bits(s, 16);
	complement = take_bits(s, 16);
	if (length != (complement ^ 0xffff))
		fail(s, -EINVAL);
	for (; length > 0 && !s->error; length--)
		put(s, (uint8_t)take_bits(s, 8));
}

static void unpack_fixed(struct stream *s)
{
	uint8_t lengths[NR_LITERALS];
	struct code literals, distances;

	memset(lengths, 8, 144);
	memset(lengths + 144, 9, 112);
	memset(lengths + 256, 7, 24);
	memset(lengths + 280, 8, 8);
	(void)make_code(lengths, NR_LITERALS, &literals);
	memset(lengths, 5, NR_DISTANCES);
	(void)make_code(lengths, NR_DISTANCES, &distances);
	unpack_codes(s, &literals, &distances);
}

/* The lengths of a block's codes are coded themselves, with counts of what repeats. */
static void take_lengths(struct stream *s, const struct code *code, uint8_t *lengths,
			 unsigned int nr)
{
	for (unsigned int i = 0; i < nr && !s->error;) {
		unsigned int symbol = take_symbol(s, code), repeat = 1;
		uint8_t length = (uint8_t)symbol;

		if (symbol >= 16) {
			length = symbol == 16 && i > 0 ? lengths[i - 1] : 0;
			repeat = symbol == 18	? 11 + take_bits(s, 7)
				 : symbol == 17 ? 3 + take_bits(s, 3)
						: 3 + take_bits(s, 2);
		}
		if (repeat > nr - i || (symbol == 16 && i == 0) || symbol >= NR_LENGTHS) {
			fail(s, -EINVAL);
			return;
		}
		memset(lengths + i, length, repeat);
		i += repeat;
	}
}

static void unpack_dynamic(struct stream *s)
{
	static const uint8_t order[NR_LENGTHS] = {16, 17, 18, 0, 8,  7, 9,  6, 10, 5,
						  11, 4,  12, 3, 13, 2, 14, 1, 15};
	uint8_t lengths[NR_LITERALS + 32] = {0};
	unsigned int nr_literals = 257 + take_bits(s, 5), nr_distances = 1 + take_bits(s, 5);
	unsigned int nr_lengths = 4 + take_bits(s, 4);
	struct code literals, distances;

	for (unsigned int i = 0; i < nr_lengths; i++)
		lengths[order[i]] = (uint8_t)take_bits(s, 3);
	if (make_code(lengths, NR_LENGTHS, &literals) < 0)
		fail(s, -EINVAL);
	take_lengths(s, &literals, lengths, nr_literals + nr_distances);
	if (make_code(lengths, nr_literals, &literals) < 0 ||
	    make_code(lengths + nr_literals, nr_distances, &distances) < 0)
		fail(s, -EINVAL);
	unpack_codes(s, &literals, &distances);
}

static void unpack_blocks(struct stream *s)
{
	bool last = false;

	while (!last && !s->error) {
		last = take_bits(s, 1);
		switch (take_bits(s, 2)) {
		case 0:
			unpack_stored(s);
			break;
		case 1:
			unpack_fixed(s);
			break;
		case 2:
			unpack_dynamic(s);
			break;
		default:
			fail(s, -EINVAL);
		}
	}
	write_window(s);
}

static void skip_text(struct stream *s)
{
	while (!s->error && next_byte(s) != 0)
		;
}

static void take_header(struct stream *s)
{
	static const uint8_t start[] = {0x1f, 0x8b, METHOD_DEFLATE};
	unsigned int flags, extra;

	for (size_t i = 0; i < sizeof(start); i++)
		if (next_byte(s) != start[i])
			fail(s, -EINVAL);
	flags = next_byte(s);
	if (flags & FLAGS_RESERVED)
		fail(s, -EINVAL);
	/* When and by what it was packed. */
	for (int i = 0; i < 6; i++)
		next_byte(s);
	extra = flags & FLAG_EXTRA ? next_byte(s) : 0;
	extra |= flags & FLAG_EXTRA ? (unsigned int)next_byte(s) << 8 : 0;
	for (; extra > 0 && !s->error; extra--)
		next_byte(s);
	if (flags & FLAG_NAME)
		skip_text(s);
	if (flags & FLAG_COMMENT)
		skip_text(s);
	for (int i = 0; flags & FLAG_HEADER_CRC && i < 2; i++)
		next_byte(s);
}

int gunzip(const struct gunzip_io *io)
{
	_cleanup_(freep) struct stream *s = calloc(1, sizeof(*s));

	if (!s)
		return -ENOMEM;
	s->io = io;
	take_header(s);
	unpack_blocks(s);
	return s->error;
}
