// SPDX-License-Identifier: LGPL-2.1-or-later
#include "table.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

struct cell {
	char *text;
	enum colour colour;
};

struct table {
	unsigned int nr_columns;
	size_t nr_cells;
	struct cell *cells;
};

bool use_colours(void)
{
	const char *no = getenv("NO_COLOR"), *term = getenv("TERM");

	return isatty(STDOUT_FILENO) && !(no && *no) && !(term && !strcmp(term, "dumb"));
}

enum colour state_colour(const char *state)
{
	static const struct {
		const char *state;
		enum colour colour;
	} colours[] = {
		{ "started", GREEN }, { "ready", GREEN }, { "running", GREEN },
		{ "complete", GREEN }, { "paused", YELLOW }, { "held", YELLOW },
		{ "built", YELLOW }, { "planned", YELLOW }, { "building", YELLOW },
		{ "preparing", YELLOW }, { "finalizing", YELLOW }, { "failed", RED },
		{ "recovery", RED }, { "shutdown", RED }, { "dying", RED },
		{ "reclaimed", GREY },
	};

	for (size_t i = 0; i < ARRAY_SIZE(colours); i++)
		if (!strcmp(colours[i].state, state))
			return colours[i].colour;
	return PLAIN;
}

static const char *escape(enum colour colour)
{
	static const char *const escapes[] = {
		[PLAIN] = "", [BOLD] = "\033[1m", [GREEN] = "\033[32m", [YELLOW] = "\033[33m",
		[RED] = "\033[31m", [GREY] = "\033[90m",
	};

	return use_colours() ? escapes[colour] : "";
}

static const char *escape_end(enum colour colour)
{
	return colour != PLAIN && use_colours() ? "\033[0m" : "";
}

/* Characters of UTF-8; wide and combining ones are not told apart. */
static size_t width(const char *text)
{
	size_t n = 0;

	for (; *text; text++)
		n += (*text & 0xc0) != 0x80;
	return n;
}

struct table *table_new(unsigned int nr_columns)
{
	struct table *table = calloc(1, sizeof(*table));

	if (!table)
		no_memory();
	table->nr_columns = nr_columns;
	return table;
}

void table_add(struct table *table, enum colour colour, const char *format, ...)
{
	struct cell cell = { .colour = colour };
	struct cell *grown;
	va_list ap;

	va_start(ap, format);
	if (vasprintf(&cell.text, format, ap) < 0)
		no_memory();
	va_end(ap);
	grown = reallocarray(table->cells, table->nr_cells + 1, sizeof(*grown));
	if (!grown)
		no_memory();
	table->cells = grown;
	grown[table->nr_cells++] = cell;
}

static size_t column_width(const struct table *table, size_t column)
{
	size_t max = 0;

	for (size_t i = column; i < table->nr_cells; i += table->nr_columns) {
		size_t w = width(table->cells[i].text);

		if (w > max)
			max = w;
	}
	return max;
}

static void print_cell(const struct table *table, size_t i)
{
	const struct cell *cell = &table->cells[i];
	enum colour colour = i < table->nr_columns ? BOLD : cell->colour;
	bool last;
	size_t pad = 0;

	assert(table->nr_columns);
	last = i % table->nr_columns == table->nr_columns - 1;
	if (!last)
		pad = column_width(table, i % table->nr_columns) - width(cell->text) + 2;
	printf("%s%s%s%*s%s", escape(colour), cell->text, escape_end(colour), (int)pad, "",
	       last ? "\n" : "");
}

enum exit_code table_print(struct table *table)
{
	enum exit_code code = EXIT_OK;

	for (size_t i = 0; i < table->nr_cells; i++)
		print_cell(table, i);
	if (fflush(stdout))
		code = complain(EXIT_FAILED, "cannot write: %s", strerror(errno));
	for (size_t i = 0; i < table->nr_cells; i++)
		free(table->cells[i].text);
	free(table->cells);
	free(table);
	return code;
}

void print_pair(const char *name, enum colour colour, const char *format, ...)
{
	va_list ap;

	printf("%s%14s:%s %s", escape(BOLD), name, escape_end(BOLD), escape(colour));
	va_start(ap, format);
	vprintf(format, ap);
	va_end(ap);
	printf("%s\n", escape_end(colour));
}
