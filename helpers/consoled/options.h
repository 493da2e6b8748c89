/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The command line. */
#ifndef CONSOLED_OPTIONS_H
#define CONSOLED_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "common/exit-code.h"
#include "keep.h"

#define EXIT_RUNNING 75 /* another one serves this domain's consoles */

struct options {
	const char *log_dir;
	uint64_t log_size;
	struct keep_limits keep;
	const char *runtime_dir;
	int log_level;
	bool no_tty;
};

/* 1: go on; 0: all is printed that was asked for; -EINVAL: a usage error, reported. */
int options_parse(int argc, char **argv, struct options *ret_options);

#endif
