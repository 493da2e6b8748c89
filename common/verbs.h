/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The main() of programs that are called as PROGRAM VERB ARGUMENTS. */
#ifndef COMMON_VERBS_H
#define COMMON_VERBS_H

#include <stddef.h>

#include "common/exit-code.h"

struct verb {
	const char *name;
	/* argv[0] is the verb, followed by its arguments.  Returns the exit code. */
	int (*run)(int argc, char *argv[]);
};

/* Defined by each program. */
struct program {
	const char *name;
	const char *usage;
	const struct verb *verbs;
	size_t nr_verbs;
	int unwritten; /* exit code if standard output cannot be written */
};
extern const struct program program;

/* Prints "NAME: " and the formatted text, without a newline in it, on stderr. */
__attribute__((format(printf, 1, 2))) void report_error(const char *format, ...);

/* Prints the usage on stderr.  Returns EXIT_USAGE. */
int usage_error(void);

#endif /* COMMON_VERBS_H */
