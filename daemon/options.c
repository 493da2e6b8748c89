// SPDX-License-Identifier: LGPL-2.1-or-later
/* Parses the command line of hyperlaunchd. */
#include "options.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "lifecycle/module-search.h"
#include "loop/log.h"

enum {
	OPTION_VERSION = 256,
	OPTION_HYPERVISOR,
	OPTION_SESSION,
	OPTION_ADDRESS,
	OPTION_LOG_LEVEL,
	OPTION_PEERS,
	OPTION_MODULE_PATH,
};

static const struct option long_options[] = {
	{"help", no_argument, NULL, 'h'},
	{"version", no_argument, NULL, OPTION_VERSION},
	{"hypervisor", required_argument, NULL, OPTION_HYPERVISOR},
	{"session", no_argument, NULL, OPTION_SESSION},
	{"address", required_argument, NULL, OPTION_ADDRESS},
	{"log-level", required_argument, NULL, OPTION_LOG_LEVEL},
	{"peers", required_argument, NULL, OPTION_PEERS},
	{"module-path", required_argument, NULL, OPTION_MODULE_PATH},
	{NULL, 0, NULL, 0},
};

static void help(void)
{
	puts("hyperlaunchd [OPTION...]\n"
	     "Show over D-Bus what Xen launched from its launch control module (LCM), and\n"
	     "give the initial domains their place in xenstore.\n"
	     "\n"
	     "  --hypervisor xen       the Xen that this machine runs on (default)\n"
	     "  --hypervisor sim:FILE  a simulated one that launches the LCM in FILE;\n"
	     "                         sim:FILE,control=PATH takes commands at a socket\n"
	     "  --session              the session bus instead of the system bus\n"
	     "  --address ADDRESS      the bus at that D-Bus address\n"
	     "  --peers DIRECTORY      where helpers listen; default: /run/hyperlaunch/peer with "
	     "xen,\n"
	     "                         nowhere with sim\n"
	     "  --module-path DIRECTORY[:DIRECTORY...]\n"
	     "                         where files of boot modules are, for rebuilds; default:\n"
	     "                         " MODULE_PATH "\n"
	     "  --log-level LEVEL      error, warning, notice, info (default), debug, or 0 to 7\n"
	     "  --version              print the version\n"
	     "  -h, --help             print this\n"
	     "\n"
	     "Exit codes: 0 ended by a signal, 1 failed, 2 usage error, 69 no Xen on this "
	     "machine.");
}

static int wrong(const char *what, const char *value)
{
	fprintf(stderr, "hyperlaunchd: %s: %s\nTry hyperlaunchd --help.\n", what, value);
	return -EINVAL;
}

static bool is_path_list(const char *text)
{
	while (*text == '/') {
		text += strcspn(text, ":");
		if (*text == '\0')
			return true;
		text++;
	}
	return false;
}

static int parse_one(int c, struct options *options)
{
	switch (c) {
	case 'h':
		help();
		return 0;
	case OPTION_VERSION:
		puts("hyperlaunchd " HL_VERSION);
		return 0;
	case OPTION_HYPERVISOR:
		if (strcmp(optarg, "xen") != 0 && (strncmp(optarg, "sim:", 4) != 0 || !optarg[4]))
			return wrong("the hypervisor must be xen or sim:FILE", optarg);
		options->hypervisor = optarg;
		return 1;
	case OPTION_SESSION:
		options->session = true;
		return 1;
	case OPTION_ADDRESS:
		options->address = optarg;
		return 1;
	case OPTION_PEERS:
		if (optarg[0] != '/')
			return wrong("the directory of the helpers must be an absolute path",
				     optarg);
		options->peers = optarg;
		return 1;
	case OPTION_MODULE_PATH:
		if (!is_path_list(optarg))
			return wrong("the module path must be absolute paths, separated by colons",
				     optarg);
		options->modules = optarg;
		return 1;
	case OPTION_LOG_LEVEL:
		if (log_level_parse(optarg, &options->log_level) < 0)
			return wrong("no such log level", optarg);
		return 1;
	default:
		fputs("Try hyperlaunchd --help.\n", stderr);
		return -EINVAL;
	}
}

int options_parse(int argc, char **argv, struct options *ret_options)
{
	struct options options = {
		.hypervisor = "xen", .modules = MODULE_PATH, .log_level = LOG_INFO};
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
