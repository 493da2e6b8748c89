/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Columns and lines on standard output; text from anywhere is made harmless. */
#ifndef HLCTL_TABLE_H
#define HLCTL_TABLE_H

#include "colour.h"

struct table;

/* legend: whether the headings are the first row. */
struct table *table_new(const char *const *headings, size_t nr_columns, bool legend);
/* The next cell, row by row. */
void table_add(struct table *table, enum colour colour, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
void table_free(struct table *table);
/* Prints and frees it. */
enum exit_code table_print(struct table *table);

/* A name and a value on a line. */
void print_pair(const char *name, enum colour colour, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* A line. */
void print_line(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif /* HLCTL_TABLE_H */
