/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The command line of hyperlaunchd. */
#ifndef HYPERLAUNCHD_OPTIONS_H
#define HYPERLAUNCHD_OPTIONS_H

#include <stdbool.h>

struct options {
	const char *hypervisor; /* for hl_new() */
	const char *address;	/* of the bus; NULL: a well-known one */
	const char *peers;	/* directory of the helpers' sockets; NULL: the usual one */
	const char *modules;	/* directories of modules' files, separated by colons */
	bool session;
	int log_level;
};

/*
 * 1: go on; 0: done, such as --help; -EINVAL: usage error, reported on stderr.
 */
int options_parse(int argc, char **argv, struct options *ret_options);

#endif
