// SPDX-License-Identifier: LGPL-2.1-or-later
/* The command line. */
#include "options.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>

#include "util.h"

#define LOG_SIZE_LEAST (UINT64_C(64) << 10)
#define LOG_SIZE_MOST  (UINT64_C(1) << 40)
#define KEEP_SIZE_MOST (UINT64_C(1) << 50)
#define KEEP_LOGS_MOST 100000

enum {
	OPTION_VERSION = 256,
	OPTION_LOG_DIR,
	OPTION_LOG_SIZE,
	OPTION_KEEP_LOGS,
	OPTION_KEEP_SIZE,
	OPTION_RUNTIME_DIR,
	OPTION_LOG_LEVEL,
	OPTION_NO_TTY,
};

static const struct option long_options[] = {
	{"help", no_argument, NULL, 'h'},
	{"version", no_argument, NULL, OPTION_VERSION},
	{"log-dir", required_argument, NULL, OPTION_LOG_DIR},
	{"log-size", required_argument, NULL, OPTION_LOG_SIZE},
	{"keep-logs", required_argument, NULL, OPTION_KEEP_LOGS},
	{"keep-size", required_argument, NULL, OPTION_KEEP_SIZE},
	{"runtime-dir", required_argument, NULL, OPTION_RUNTIME_DIR},
	{"log-level", required_argument, NULL, OPTION_LOG_LEVEL},
	{"no-tty", no_argument, NULL, OPTION_NO_TTY},
	{NULL, 0, NULL, 0},
};

static void help(void)
{
	puts("hyperlaunch-consoled [OPTION...]\n"
	     "Serve the PV consoles of which this domain is the back end.\n"
	     "\n"
	     "  --log-dir DIR      directory of the consoles' logs [/var/log/hyperlaunch/console]\n"
	     "  --log-size BYTES   size of a console's log, at most [4194304]; 65536 or more\n"
	     "  --keep-logs N      logs of domains without a console, at most [256]\n"
	     "  --keep-size BYTES  size of all these logs, at most [268435456]\n"
	     "  --runtime-dir DIR  directory of the lock [/run/hyperlaunch/consoled]\n"
	     "  --log-level LEVEL  least urgent of its own messages, 0 to 7 [6]\n"
	     "  --no-tty           name no terminal in xenstore: xl console runs elsewhere\n"
	     "  --version          print the version\n"
	     "  -h, --help         print this\n"
	     "\n"
	     "Exit codes: 0 ended by a signal, 1 failed, 2 usage error, 69 no Xen,\n"
	     "75 another one is running.");
}

static int wrong(const char *what, const char *value)
{
	fprintf(stderr, "hyperlaunch-consoled: %s: %s\nTry hyperlaunch-consoled --help.\n", what,
		value);
	return -EINVAL;
}

/* Returns whether all of `text` is a number in that range. */
static int parse(const char *text, uint64_t min, uint64_t max, uint64_t *ret_value)
{
	char *end;

	if (text[0] < '0' || text[0] > '9')
		return 0;
	errno = 0;
	*ret_value = strtoull(text, &end, 10);
	return errno == 0 && *end == '\0' && *ret_value >= min && *ret_value <= max;
}

static int parse_one(int c, struct options *options)
{
	uint64_t number;

	switch (c) {
	case 'h':
		help();
		return 0;
	case OPTION_VERSION:
		puts("hyperlaunch-consoled " HL_VERSION);
		return 0;
	case OPTION_LOG_DIR:
		options->log_dir = optarg;
		return 1;
	case OPTION_LOG_SIZE:
		if (!parse(optarg, LOG_SIZE_LEAST, LOG_SIZE_MOST, &options->log_size))
			return wrong("the size of a log must be a number from 65536 on", optarg);
		return 1;
	case OPTION_KEEP_LOGS:
		if (!parse(optarg, 0, KEEP_LOGS_MOST, &number))
			return wrong("the number of logs must be one from 0 to 100000", optarg);
		options->keep.nr = (uint32_t)number;
		return 1;
	case OPTION_KEEP_SIZE:
		if (!parse(optarg, 0, KEEP_SIZE_MOST, &options->keep.size))
			return wrong("the size of all old logs must be a number", optarg);
		return 1;
	case OPTION_RUNTIME_DIR:
		options->runtime_dir = optarg;
		return 1;
	case OPTION_LOG_LEVEL:
		if (!parse(optarg, LOG_EMERG, LOG_DEBUG, &number))
			return wrong("the log level must be a number from 0 to 7", optarg);
		options->log_level = (int)number;
		return 1;
	case OPTION_NO_TTY:
		options->no_tty = true;
		return 1;
	default:
		fputs("Try hyperlaunch-consoled --help.\n", stderr);
		return -EINVAL;
	}
}

int options_parse(int argc, char **argv, struct options *ret_options)
{
	struct options options = {
		.log_dir = "/var/log/hyperlaunch/console",
		.log_size = UINT64_C(4) << 20,
		.keep = {.nr = 256, .size = UINT64_C(256) << 20},
		.runtime_dir = "/run/hyperlaunch/consoled",
		.log_level = LOG_INFO,
	};
	int c;

	while ((c = getopt_long(argc, argv, "h", long_options, NULL)) >= 0) {
		int r = parse_one(c, &options);

		if (r <= 0)
			return r;
	}
	if (optind < argc)
		return wrong("unexpected argument", argv[optind]);
	*ret_options = options;
	return 1;
}
