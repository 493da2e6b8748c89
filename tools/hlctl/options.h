/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The command line. */
#ifndef HLCTL_OPTIONS_H
#define HLCTL_OPTIONS_H

#include "hlctl.h"

struct verb {
	const char *name;
	const char *help;
	enum exit_code (*run)(const struct options *options, sd_bus *bus);
	const char
		*extra; /* values in enum option of the options it takes besides the common ones */
	enum {
		NO_DOMAIN,
		MAY_HAVE_DOMAIN,
		NEEDS_DOMAIN,
		ANY_DOMAINS,
		NEEDS_JOB,
		NEEDS_FILE,
		NEEDS_NAME,
		NEEDS_DEFINED,
		MAY_HAVE_DEFINED,
		NEEDS_SIZE,
		NEEDS_COUNT,
		NEEDS_DEVICE,
		NEEDS_DEVICE_NAME
	} argument;
	bool paged;
};

extern const struct verb verbs[];
extern const size_t nr_verbs;

/* *ret_verb stays NULL where help or version was all that was asked for. */
enum exit_code options_parse(int argc, char **argv, struct options *options,
			     const struct verb **ret_verb);

/* Frees what the options hold. */
void options_done(struct options *options);

void print_help(void);

#endif /* HLCTL_OPTIONS_H */
