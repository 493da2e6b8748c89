/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A program that is called as PROGRAM VERB ARGUMENTS; verbs.c has its main(). */
#ifndef TOOLS_VERBS_H
#define TOOLS_VERBS_H

#include <stddef.h>

/* Exit code of a call that is wrong, of each such program. */
#define EXIT_USAGE 2

struct verb {
	const char *name;
	/* With the arguments that follow it; argv[0] is the verb.  The exit code. */
	int (*run)(int argc, char *argv[]);
};

/* What differs from program to program; each defines it. */
struct program {
	const char *name;
	const char *usage;
	const struct verb *verbs;
	size_t nr_verbs;
	int unwritten;		/* exit code where standard output could not be written */
};
extern const struct program program;

/* "NAME: what", on stderr. */
__attribute__((format(printf, 1, 2)))
void say(const char *format, ...);

/* Says how the program is called; gives EXIT_USAGE. */
int usage_error(void);

#endif /* TOOLS_VERBS_H */
