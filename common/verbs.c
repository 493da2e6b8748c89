// SPDX-License-Identifier: LGPL-2.1-or-later
/* The main() of programs that are called as PROGRAM VERB ARGUMENTS. */
#include "common/verbs.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void report_error(const char *format, ...)
{
	va_list args;

	fprintf(stderr, "%s: ", program.name);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
}

int usage_error(void)
{
	fputs(program.usage, stderr);
	return EXIT_USAGE;
}

static int run(int argc, char *argv[])
{
	if (argc < 2)
		return usage_error();
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "help")) {
		fputs(program.usage, stdout);
		return 0;
	}
	if (!strcmp(argv[1], "--version")) {
		printf("%s %s\n", program.name, HL_VERSION);
		return 0;
	}
	for (size_t i = 0; i < program.nr_verbs; i++)
		if (!strcmp(argv[1], program.verbs[i].name))
			return program.verbs[i].run(argc - 1, argv + 1);
	report_error("no such verb: %s", argv[1]);
	return usage_error();
}

int main(int argc, char *argv[])
{
	int code = run(argc, argv);

	/* Output that was not written completely is a failure. */
	if (fflush(stdout) || ferror(stdout)) {
		report_error("standard output: %m");
		return code ? code : program.unwritten;
	}
	return code;
}
