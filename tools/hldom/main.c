// SPDX-License-Identifier: LGPL-2.1-or-later
/* hldom: what a domain of a launch has to do for itself, and for those it serves. */
#include "hldom.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const char usage[] =
	"usage: hldom domid\n"
	"       hldom ready\n"
	"       hldom roles [ROLE]...\n"
	"       hldom xenstored PROGRAM [ARGUMENT]...\n"
	"       hldom introduce [--all]\n"
	"       hldom console PROGRAM [ARGUMENT]...\n"
	"       hldom --help | --version\n"
	"\n"
	"Exit codes: 0 done, or yes; 1 not done, or no; 2 wrong use.\n";

static const struct {
	const char *name;
	int (*run)(int argc, char *argv[]);
} verbs[] = {
	{ "console", verb_console },
	{ "domid", verb_domid },
	{ "introduce", verb_introduce },
	{ "ready", verb_ready },
	{ "roles", verb_roles },
	{ "xenstored", verb_xenstored },
};

void say(const char *format, ...)
{
	va_list args;

	fputs("hldom: ", stderr);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
}

enum exit_code usage_error(void)
{
	fputs(usage, stderr);
	return EXIT_USAGE;
}

static int run(int argc, char *argv[])
{
	if (argc < 2)
		return usage_error();
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "help")) {
		fputs(usage, stdout);
		return EXIT_YES;
	}
	if (!strcmp(argv[1], "--version")) {
		puts("hldom " HL_VERSION);
		return EXIT_YES;
	}
	for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++)
		if (!strcmp(argv[1], verbs[i].name))
			return verbs[i].run(argc - 1, argv + 1);
	say("no such verb: %s", argv[1]);
	return usage_error();
}

int main(int argc, char *argv[])
{
	int code = run(argc, argv);

	if (fflush(stdout) || ferror(stdout)) {
		say("standard output: %m");
		return code ? code : EXIT_NO;
	}
	return code;
}
