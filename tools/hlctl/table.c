// SPDX-License-Identifier: LGPL-2.1-or-later
/* Prints tables by libsmartcols, and lines. */
#include "table.h"

#include <hyperlaunch/hl.h>
#include <libsmartcols.h>
#include <locale.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "pager.h"

struct table {
	struct libscols_table *columns;
	struct libscols_line *row;
	size_t nr_columns, next; /* column of the next cell */
};

/* Formatted and made harmless; the caller frees it. */
__attribute__((format(printf, 1, 0))) static char *clean_text(const char *format, va_list ap)
{
	_cleanup_(freep) char *text = NULL;
	char *clean;

	if (vasprintf(&text, format, ap) < 0)
		no_memory();
	clean = hl_utf8_dup(text);
	if (!clean)
		no_memory();
	return clean;
}

/* As these calls are made here, they fail for lack of memory only. */
static void check(int r)
{
	if (r < 0)
		no_memory();
}

static struct libscols_table *new_columns(const char *const *headings, size_t nr_columns)
{
	struct libscols_table *columns = scols_new_table();

	if (!columns)
		no_memory();
	/* As a row, headings are printed where no other row is, too. */
	check(scols_table_enable_noheadings(columns, 1));
	check(scols_table_enable_noencoding(columns, 1));
	check(scols_table_enable_colors(columns, use_colours()));
	check(scols_table_set_termforce(columns, SCOLS_TERMFORCE_NEVER));
	check(scols_table_set_column_separator(columns, "  "));
	for (size_t i = 0; i < nr_columns; i++)
		if (!scols_table_new_column(columns, headings[i], 0, 0))
			no_memory();
	return columns;
}

struct table *table_new(const char *const *headings, size_t nr_columns, bool legend)
{
	struct table *table = calloc(1, sizeof(*table));

	if (!table)
		no_memory();
	/* Names are UTF-8 in every locale of the user; this one knows the width of each character.
	 */
	if (!setlocale(LC_CTYPE, "C.UTF-8"))
		setlocale(LC_CTYPE, "");
	table->columns = new_columns(headings, nr_columns);
	table->nr_columns = nr_columns;
	for (size_t i = 0; legend && i < nr_columns; i++)
		table_add(table, BOLD, "%s", headings[i]);
	return table;
}

void table_add(struct table *table, enum colour colour, const char *format, ...)
{
	struct libscols_cell *cell;
	va_list ap;

	if (!table->next)
		table->row = scols_table_new_line(table->columns, NULL);
	if (!table->row)
		no_memory();
	va_start(ap, format);
	check(scols_line_refer_data(table->row, table->next, clean_text(format, ap)));
	va_end(ap);
	cell = scols_line_get_cell(table->row, table->next);
	if (colour != PLAIN && use_colours())
		check(scols_cell_set_color(cell, colour_begin(colour)));
	table->next = (table->next + 1) % table->nr_columns;
}

void table_free(struct table *table)
{
	scols_unref_table(table->columns);
	free(table);
}

enum exit_code table_print(struct table *table)
{
	pager_open();
	check(scols_print_table(table->columns));
	table_free(table);
	return EXIT_OK;
}

void print_pair(const char *name, enum colour colour, const char *format, ...)
{
	_cleanup_(freep) char *value = NULL;
	va_list ap;

	va_start(ap, format);
	value = clean_text(format, ap);
	va_end(ap);
	pager_open();
	printf("%s%14s:%s %s%s%s\n", colour_begin(BOLD), name, colour_end(BOLD),
	       colour_begin(colour), value, colour_end(colour));
}

void print_line(const char *format, ...)
{
	_cleanup_(freep) char *line = NULL;
	va_list ap;

	va_start(ap, format);
	line = clean_text(format, ap);
	va_end(ap);
	pager_open();
	puts(line);
}
