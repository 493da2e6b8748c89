// SPDX-License-Identifier: LGPL-2.1-or-later
/* lcmtool check: checks an LCM. */
#include <getopt.h>
#include <string.h>

#include "tool.h"

/* Limits of Xen 4.20: vCPUs of a PVH or HVM domain, of a PV domain, and CPUs of a host. */
#define MAX_VCPUS     128
#define MAX_VCPUS_PV  8192
#define MAX_HOST_CPUS 16384

struct options {
	const char *name;
	struct lcm_limits limits;
	bool guess;
};

static bool read_platform(const char *text, struct options *o)
{
	o->guess = !strcmp(text, "auto");
	o->limits.platform = strcmp(text, "arm") ? LCM_PLATFORM_X86 : LCM_PLATFORM_ARM;
	/* An explicit x86 means this project's Xen, which dev/build-xen builds without PV32. */
	o->limits.strict = o->limits.no_pv32 = !strcmp(text, "x86");
	return o->guess || !strcmp(text, "x86") || !strcmp(text, "arm");
}

static bool read_modules(const char *text, struct options *o)
{
	if (!read_number(text, MAX_CHAIN, &o->limits.nr_modules))
		return false;
	o->limits.no_modules = !o->limits.nr_modules;
	return true;
}

static bool read_option(int option, const char *value, struct options *o)
{
	bool good = false;

	switch (option) {
	case 's':
		o->limits.source = true;
		return true;
	case 'p':
		good = read_platform(value, o);
		break;
	case 'm':
		good = read_modules(value, o);
		break;
	case 'c':
		good = read_number(value, MAX_HOST_CPUS, &o->limits.host_cpus) &&
		       o->limits.host_cpus;
		break;
	case 'M':
		good = read_size(value, &o->limits.memory_kib);
		break;
	default:
		return false; /* getopt_long() has reported it */
	}
	if (!good)
		report_error("check: invalid value: %s", value);
	return good;
}

static bool read_options(int argc, char *argv[], struct options *o)
{
	static const struct option known[] = {
		{"source", no_argument, NULL, 's'},
		{"platform", required_argument, NULL, 'p'},
		{"modules", required_argument, NULL, 'm'},
		{"host-memory", required_argument, NULL, 'M'},
		{"host-cpus", required_argument, NULL, 'c'},
		{0},
	};
	int option;

	while ((option = getopt_long(argc, argv, "", known, NULL)) != -1)
		if (!read_option(option, optarg, o))
			return false;
	if (argc - optind != 1) {
		report_error("check: expected one FILE");
		return false;
	}
	o->name = argv[optind];
	return true;
}

int verb_check(int argc, char *argv[])
{
	struct options o = {
		.limits =
			{
				.nr_modules = MAX_CHAIN,
				.max_vcpus = MAX_VCPUS,
				.max_vcpus_pv = MAX_VCPUS_PV,
			},
		.guess = true,
	};
	CLEANUP_INPUT struct input input = {0};
	enum exit_code code;

	if (!read_options(argc, argv, &o))
		return usage_error();
	code = input_read(o.name, &input);
	if (code)
		return code;
	/* Source text may locate modules by file name, since it is still to be linked. */
	o.limits.source |= input.is_source_text;
	code = input_check(&input, &o.limits, o.guess, true);
	if (!code)
		print_valid(&input);
	return code;
}
