// SPDX-License-Identifier: LGPL-2.1-or-later
/* lcmtool: checks, shows, links and verifies launch control modules. */
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

static const struct verb verbs[] = {
	{ "check", verb_check },
	{ "link", verb_link },
	{ "show", verb_show },
	{ "verify", verb_verify },
};

const struct program program = {
	.name = "lcmtool",
	.usage = usage,
	.verbs = verbs,
	.nr_verbs = sizeof(verbs) / sizeof(verbs[0]),
	.unwritten = EXIT_USAGE,
};
