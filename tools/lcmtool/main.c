// SPDX-License-Identifier: LGPL-2.1-or-later
/* lcmtool: writes, checks, shows, compares, links and verifies launch control modules. */
#include "tool.h"

static const char usage[] =
	"usage: lcmtool new [NAME [DIR]]\n"
	"       lcmtool check FILE|- [--source] [--platform x86|arm|auto] [--modules N]\n"
	"                            [--host-memory SIZE] [--host-cpus N]\n"
	"       lcmtool show FILE|- [--format table|json|dts|dtb]\n"
	"       lcmtool diff A B [--json]\n"
	"       lcmtool link SOURCE --output DIR [--modules DIR]... [--xen PATH]\n"
	"                           [--xen-args ARGS]\n"
	"       lcmtool verify LCM --grub GRUB.cfg [--root DIR]\n"
	"       lcmtool --help | --version\n"
	"\n"
	"FILE, SOURCE and LCM are flattened device trees, or device-tree source.\n"
	"Exit codes: 0 valid, or no difference; 1 invalid, or different; 2 usage or I/O error.\n";

static const struct verb verbs[] = {
	{"check", verb_check}, {"diff", verb_diff}, {"link", verb_link},
	{"new", verb_new},     {"show", verb_show}, {"verify", verb_verify},
};

const struct program program = {
	.name = "lcmtool",
	.usage = usage,
	.verbs = verbs,
	.nr_verbs = sizeof(verbs) / sizeof(verbs[0]),
	.unwritten = EXIT_USAGE,
};
