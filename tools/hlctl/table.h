/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Aligned columns on standard output. */
#ifndef HLCTL_TABLE_H
#define HLCTL_TABLE_H

#include "hlctl.h"

enum colour { PLAIN, BOLD, GREEN, YELLOW, RED, GREY };

struct table;

/* The first row is the heading. */
struct table *table_new(unsigned int nr_columns);
/* The next cell, row by row. */
void table_add(struct table *table, enum colour colour, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* Prints, frees, and says whether it could be written. */
enum exit_code table_print(struct table *table);

/* A name and a value on a line. */
void print_pair(const char *name, enum colour colour, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* To a terminal, and NO_COLOR not set. */
bool use_colours(void);
enum colour state_colour(const char *state);

#endif /* HLCTL_TABLE_H */
