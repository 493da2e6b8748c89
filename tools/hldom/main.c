// SPDX-License-Identifier: LGPL-2.1-or-later
/* hldom: tasks of an initial domain for itself, and for the domains that it serves. */
#include "hldom.h"

static const char usage[] =
	"usage: hldom domid\n"
	"       hldom ready\n"
	"       hldom roles [ROLE]...\n"
	"       hldom xenstored PROGRAM [ARGUMENT]...\n"
	"       hldom introduce [--all]\n"
	"       hldom console [--] PROGRAM [ARGUMENT]...\n"
	"       hldom console list\n"
	"       hldom console attach [--read-only | --exclusive] [--replay BYTES]\n"
	"                            [--escape CHAR] DOMAIN\n"
	"       hldom console log [--follow] DOMAIN\n"
	"       hldom console early\n"
	"       hldom print TEXT\n"
	"       hldom --help | --version\n"
	"\n"
	"Exit codes: 0 done, or yes; 1 failed, or no; 2 usage error.\n";

static const struct verb verbs[] = {
	{"console", verb_console},     {"domid", verb_domid}, {"introduce", verb_introduce},
	{"print", verb_print},	       {"ready", verb_ready}, {"roles", verb_roles},
	{"xenstored", verb_xenstored},
};

const struct program program = {
	.name = "hldom",
	.usage = usage,
	.verbs = verbs,
	.nr_verbs = sizeof(verbs) / sizeof(verbs[0]),
	.unwritten = EXIT_FAILED,
};
