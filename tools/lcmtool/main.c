// SPDX-License-Identifier: LGPL-2.1-or-later
/* lcmtool: checks, shows, links and verifies launch control modules. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "tool.h"

static const char usage[] =
	"usage: lcmtool check FILE|- [--source] [--platform x86|arm|auto] [--modules N]\n"
	"                            [--host-memory SIZE]\n"
	"       lcmtool show FILE|- [--format table|json|dts]\n"
	"       lcmtool link SOURCE --output DIR [--modules DIR]... [--xen PATH]\n"
	"                           [--xen-args ARGS]\n"
	"       lcmtool verify LCM --grub GRUB.cfg [--root DIR]\n"
	"       lcmtool --help | --version\n"
	"\n"
	"FILE, SOURCE and LCM are flattened device trees, or device-tree source.\n"
	"Exit codes: 0 good; 1 bad, or different; 2 wrong use, or unreadable.\n";

static const struct {
	const char *name;
	int (*run)(int argc, char *argv[]);
} verbs[] = {
	{ "check", verb_check },
	{ "link", verb_link },
	{ "show", verb_show },
	{ "verify", verb_verify },
};

void say(const char *format, ...)
{
	va_list args;

	fputs("lcmtool: ", stderr);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
}

int usage_error(void)
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
		return EXIT_GOOD;
	}
	if (!strcmp(argv[1], "--version")) {
		puts("lcmtool " HL_VERSION);
		return EXIT_GOOD;
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

	/* A full disk, or a reader that went away, is no success. */
	if (fflush(stdout) || ferror(stdout)) {
		say("standard output: %m");
		return code ? code : EXIT_USAGE;
	}
	return code;
}
