// SPDX-License-Identifier: LGPL-2.1-or-later
/* Parses the command line: verbs, options, and which verb takes which. */
#include "options.h"

#include <errno.h>
#include <getopt.h>
#include <hyperlaunch/hl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "common/relay.h"

#define MAX_LOAN_SECONDS (UINT32_MAX / 1000)
#define MAX_TIMEOUT	 3600
#define MAX_REPLAY	 65536
#define SHORT_OPTIONS	 ":jr:f:s:Ft:p:P:qH:hV"
/* Options that only some verbs take; of those that are not in SHORT_OPTIONS only the long form is
 * there. */
#define LIMITED "rfsFtpPvnoxRelckduTymUaEIDA"

enum option_code {
	OPT_JSON = 'j',
	OPT_ROLE = 'r',
	OPT_NULL = 'n',
	OPT_PROPERTY = 'p',
	OPT_PROPERTY_VALUE = 'P',
	OPT_VALUE = 'v',
	OPT_FORMAT = 'f',
	OPT_SINCE = 's',
	OPT_FOLLOW = 'F',
	OPT_FOR = 't',
	OPT_CONSOLE = 'c',
	OPT_READ_ONLY = 'o',
	OPT_EXCLUSIVE = 'x',
	OPT_REPLAY = 'R',
	OPT_ESCAPE = 'e',
	OPT_LOG = 'l',
	OPT_KERNEL = 'k',
	OPT_RAMDISK = 'd',
	OPT_PAUSED = 'u',
	OPT_AFTER = 'a',
	OPT_ENABLED = 'E',
	OPT_REPLACE = 'I',
	OPT_ALL = 'A',
	OPT_TIMEOUT = 'T',
	OPT_FORCE = 'y',
	OPT_OR_DESTROY = 'D',
	OPT_OPENMETRICS = 'm',
	OPT_VCPUS = 'U',
	OPT_QUIET = 'q',
	OPT_HOST = 'H',
	OPT_HELP = 'h',
	OPT_VERSION = 'V',
	OPT_SYSTEM = 256,
	OPT_SESSION,
	OPT_ADDRESS,
	OPT_NO_LEGEND,
	OPT_NO_PAGER,
	OPT_NO_ASK_PASSWORD,
};

static const struct option longs[] = {
	{"json", no_argument, NULL, OPT_JSON},
	{"role", required_argument, NULL, OPT_ROLE},
	{"null", no_argument, NULL, OPT_NULL},
	{"property", required_argument, NULL, OPT_PROPERTY},
	{"value", no_argument, NULL, OPT_VALUE},
	{"format", required_argument, NULL, OPT_FORMAT},
	{"since", required_argument, NULL, OPT_SINCE},
	{"follow", no_argument, NULL, OPT_FOLLOW},
	{"for", required_argument, NULL, OPT_FOR},
	{"console", no_argument, NULL, OPT_CONSOLE},
	{"read-only", no_argument, NULL, OPT_READ_ONLY},
	{"exclusive", no_argument, NULL, OPT_EXCLUSIVE},
	{"replay", required_argument, NULL, OPT_REPLAY},
	{"escape", required_argument, NULL, OPT_ESCAPE},
	{"log", no_argument, NULL, OPT_LOG},
	{"kernel", required_argument, NULL, OPT_KERNEL},
	{"ramdisk", required_argument, NULL, OPT_RAMDISK},
	{"paused", no_argument, NULL, OPT_PAUSED},
	{"after", required_argument, NULL, OPT_AFTER},
	{"enabled", no_argument, NULL, OPT_ENABLED},
	{"all", no_argument, NULL, OPT_ALL},
	{"replace", no_argument, NULL, OPT_REPLACE},
	{"timeout", required_argument, NULL, OPT_TIMEOUT},
	{"force", no_argument, NULL, OPT_FORCE},
	{"or-destroy", no_argument, NULL, OPT_OR_DESTROY},
	{"openmetrics", no_argument, NULL, OPT_OPENMETRICS},
	{"vcpus", no_argument, NULL, OPT_VCPUS},
	{"quiet", no_argument, NULL, OPT_QUIET},
	{"no-legend", no_argument, NULL, OPT_NO_LEGEND},
	{"no-pager", no_argument, NULL, OPT_NO_PAGER},
	{"no-ask-password", no_argument, NULL, OPT_NO_ASK_PASSWORD},
	{"host", required_argument, NULL, OPT_HOST},
	{"system", no_argument, NULL, OPT_SYSTEM},
	{"session", no_argument, NULL, OPT_SESSION},
	{"address", required_argument, NULL, OPT_ADDRESS},
	{"help", no_argument, NULL, OPT_HELP},
	{"version", no_argument, NULL, OPT_VERSION},
	{NULL, 0, NULL, 0},
};

static enum exit_code parse_since(const char *text, uint32_t *ret_since)
{
	unsigned long long number;
	char *end;

	errno = 0;
	number = strtoull(text, &end, 10);
	if (*text < '0' || *text > '9' || *end || errno || number > UINT32_MAX)
		return report_error(EXIT_USAGE, "'%s' is no event number: these are 0 to %u", text,
				    UINT32_MAX);
	*ret_since = (uint32_t)number;
	return EXIT_OK;
}

static enum exit_code parse_seconds(const char *text, uint32_t max, uint32_t *ret_seconds)
{
	unsigned long long number;
	char *end;

	errno = 0;
	number = strtoull(text, &end, 10);
	if (*text < '0' || *text > '9' || *end || errno || !number || number > max)
		return report_error(EXIT_USAGE, "'%s' is no number of seconds: these are 1 to %u",
				    text, max);
	*ret_seconds = (uint32_t)number;
	return EXIT_OK;
}

static enum exit_code parse_replay(const char *text, uint32_t *ret_replay)
{
	unsigned long long number;
	char *end;

	errno = 0;
	number = strtoull(text, &end, 10);
	if (*text < '0' || *text > '9' || *end || errno || number > MAX_REPLAY)
		return report_error(EXIT_USAGE, "'%s' is no number of bytes: these are 0 to %u",
				    text, MAX_REPLAY);
	*ret_replay = (uint32_t)number;
	return EXIT_OK;
}

/* "^]" is the control character, a character itself; "none". */
static enum exit_code parse_escape(const char *text, int *ret_escape)
{
	if (relay_parse_escape(text, ret_escape) == 0)
		return EXIT_OK;
	return report_error(EXIT_USAGE,
			    "'%s' is no escape character: these are ^A to ^_, a printable "
			    "character, or none",
			    text);
}

static enum exit_code check_role(const char *role)
{
	enum hl_role ignored;

	if (!hl_role_from_name(role, &ignored))
		return EXIT_OK;
	return report_error(EXIT_USAGE,
			    "'%s' is no role: these are control, hardware, boot, crash, "
			    "console, xenstore, legacy-dom0",
			    role);
}

static enum exit_code check_format(const char *format)
{
	if (!strcmp(format, "dtb") || !strcmp(format, "dts") || !strcmp(format, "json"))
		return EXIT_OK;
	return report_error(EXIT_USAGE, "'%s' is no format: these are dtb, dts, json", format);
}

/* "A,B": two properties. */
static enum exit_code add_properties(const char *text, struct options *options)
{
	size_t length;

	for (; *text; text += length + (text[length] == ',')) {
		length = strcspn(text, ",");
		if (!length)
			break;
		options->properties = reallocarray(options->properties, options->nr_properties + 1,
						   sizeof(*options->properties));
		if (!options->properties)
			no_memory();
		options->properties[options->nr_properties] = strndup(text, length);
		if (!options->properties[options->nr_properties++])
			no_memory();
	}
	return *text || !options->nr_properties
		       ? report_error(EXIT_USAGE,
				      "a property without a name; 'hlctl show' shows all")
		       : EXIT_OK;
}

static enum exit_code add_after(const char *name, struct options *options)
{
	options->after =
		reallocarray(options->after, options->nr_after + 1, sizeof(*options->after));
	if (!options->after)
		no_memory();
	options->after[options->nr_after++] = (char *)name;
	return EXIT_OK;
}

static enum exit_code set_bus(struct options *options, enum bus_kind bus, const char *address)
{
	options->bus = bus;
	options->address = address;
	return EXIT_OK;
}

static enum exit_code take_bus_option(int option, const char *value, struct options *options)
{
	switch (option) {
	case OPT_SYSTEM:
		return set_bus(options, BUS_KIND_SYSTEM, NULL);
	case OPT_SESSION:
		return set_bus(options, BUS_KIND_SESSION, NULL);
	case OPT_ADDRESS:
		return set_bus(options, BUS_KIND_ADDRESS, value);
	case OPT_HOST:
		return set_bus(options, BUS_KIND_HOST, value);
	default:
		return EXIT_FAILED; /* options_parse() lets no other in */
	}
}

static enum exit_code take_value(int option, const char *value, struct options *options)
{
	switch (option) {
	case OPT_ROLE:
		options->role = value;
		return check_role(value);
	case OPT_PROPERTY_VALUE:
		options->value = true;
		return add_properties(value, options);
	case OPT_PROPERTY:
		return add_properties(value, options);
	case OPT_FORMAT:
		options->format = value;
		return check_format(value);
	case OPT_KERNEL:
		options->kernel = value;
		return EXIT_OK;
	case OPT_RAMDISK:
		options->ramdisk = value;
		return EXIT_OK;
	case OPT_AFTER:
		return add_after(value, options);
	case OPT_SINCE:
		return parse_since(value, &options->since);
	case OPT_FOR:
		return parse_seconds(value, MAX_LOAN_SECONDS, &options->seconds);
	case OPT_TIMEOUT:
		return parse_seconds(value, MAX_TIMEOUT, &options->timeout);
	case OPT_REPLAY:
		return parse_replay(value, &options->replay);
	case OPT_ESCAPE:
		return parse_escape(value, &options->escape);
	default:
		return take_bus_option(option, value, options);
	}
}

static enum exit_code take_option(int option, const char *value, struct options *options)
{
	bool *flag;

	switch (option) {
	case OPT_JSON:
		flag = &options->json;
		break;
	case OPT_NULL:
		flag = &options->null;
		break;
	case OPT_VALUE:
		flag = &options->value;
		break;
	case OPT_FOLLOW:
		flag = &options->follow;
		break;
	case OPT_CONSOLE:
		flag = &options->console;
		break;
	case OPT_READ_ONLY:
		flag = &options->read_only;
		break;
	case OPT_EXCLUSIVE:
		flag = &options->exclusive;
		break;
	case OPT_LOG:
		flag = &options->log;
		break;
	case OPT_PAUSED:
		flag = &options->paused;
		break;
	case OPT_ENABLED:
		flag = &options->enabled;
		break;
	case OPT_ALL:
		flag = &options->all;
		break;
	case OPT_REPLACE:
		flag = &options->replace;
		break;
	case OPT_FORCE:
		flag = &options->force;
		break;
	case OPT_OR_DESTROY:
		flag = &options->or_destroy;
		break;
	case OPT_OPENMETRICS:
		flag = &options->openmetrics;
		break;
	case OPT_VCPUS:
		flag = &options->vcpus;
		break;
	case OPT_QUIET:
		flag = &options->quiet;
		break;
	case OPT_NO_LEGEND:
		flag = &options->no_legend;
		break;
	case OPT_NO_PAGER:
		flag = &options->no_pager;
		break;
	case OPT_NO_ASK_PASSWORD:
		flag = &options->no_ask_password;
		break;
	default:
		return take_value(option, value, options);
	}
	*flag = true;
	return EXIT_OK;
}

/*
 * What getopt_long() found wrong.  word: the one before the next; that is the wrong
 * one where it is a long option.  optopt: 0 for an unknown long one, else its code.
 */
static enum exit_code wrong_option(int kind, const char *word)
{
	if (kind == ':')
		return report_error(EXIT_USAGE, "option '%s' needs a value; see 'hlctl --help'",
				    word);
	if (!optopt)
		return report_error(EXIT_USAGE, "'%s' is no option; see 'hlctl --help'", word);
	if (!strncmp(word, "--", 2))
		return report_error(EXIT_USAGE, "'%s': this option takes no value", word);
	return report_error(EXIT_USAGE,
			    "there is no option -%c; see 'hlctl --help' (a domain that "
			    "begins with - is given after --)",
			    optopt);
}

/* As a user would write it. */
static const char *option_name(char code, char buf[static 16])
{
	snprintf(buf, 16, "-%c", code);
	for (size_t i = 0; longs[i].name; i++)
		if (longs[i].val == code)
			snprintf(buf, 16, "--%s", longs[i].name);
	return buf;
}

static const struct verb *find_verb(const char *name)
{
	for (size_t i = 0; i < nr_verbs; i++)
		if (!strcmp(verbs[i].name, name))
			return &verbs[i];
	return NULL;
}

static enum exit_code check_exclusions(const struct options *options)
{
	if (options->value && options->json)
		return report_error(EXIT_USAGE, "--value and --json exclude each other");
	if (options->openmetrics && options->json)
		return report_error(EXIT_USAGE, "--openmetrics and --json exclude each other");
	if (options->vcpus && !options->nr_domains)
		return report_error(EXIT_USAGE, "stats --vcpus: of which domains?");
	if (options->null && (options->json || options->role))
		return report_error(EXIT_USAGE, "--null and %s exclude each other",
				    options->json ? "--json" : "--role");
	if (options->all && options->nr_domains)
		return report_error(EXIT_USAGE, "--all and a DOMAIN exclude each other");
	if (options->all && (options->force || options->or_destroy))
		return report_error(EXIT_USAGE, "--all: no domain that others need is among them, "
						"and those that stay are destroyed");
	if (options->enabled && options->paused)
		return report_error(EXIT_USAGE, "--enabled and --paused exclude each other");
	if (options->console && options->seconds)
		return report_error(EXIT_USAGE, "--console and --for exclude each other");
	if (options->console && options->nr_domains < 2)
		return report_error(EXIT_USAGE,
				    "handoff --console: to which domain, or xenconsoled?");
	return EXIT_OK;
}

#define WHICH_DOMAIN  "which domain? 'hlctl list' shows all"
#define WHICH_DEFINED "which one? 'hlctl definitions' shows all"
#define MAX_ARGUMENTS 3

/* What follows a verb: how much at most, and what is asked for where it is missing. */
static const struct {
	int most;
	const char *missing[MAX_ARGUMENTS];
} arguments[] = {
	[NO_DOMAIN] = {0, {NULL}},
	[MAY_HAVE_DOMAIN] = {1, {NULL}},
	[NEEDS_DOMAIN] = {1, {WHICH_DOMAIN}},
	[ANY_DOMAINS] = {INT_MAX, {NULL}},
	[NEEDS_JOB] = {1, {"which job? 'hlctl jobs' shows all"}},
	[NEEDS_FILE] = {1, {"which FILE has the definition?"}},
	[NEEDS_NAME] = {2, {WHICH_DOMAIN, "to which name?"}},
	[NEEDS_DEFINED] = {1, {WHICH_DEFINED}},
	[MAY_HAVE_DEFINED] = {1, {NULL}},
	[NEEDS_SIZE] = {2, {WHICH_DOMAIN, "to which SIZE, such as 512M?"}},
	[NEEDS_COUNT] = {2, {WHICH_DOMAIN, "to which NUMBER?"}},
	[NEEDS_DEVICE] = {3,
			  {WHICH_DOMAIN, "a disk or a nic?",
			   "which DEVICE, as libxl's JSON, or a file with that?"}},
	[NEEDS_DEVICE_NAME] = {3, {WHICH_DOMAIN, "a disk or a nic?", "which one, such as xvdb?"}},
};

static enum exit_code check_arguments(int argc, char **argv, const struct verb *verb,
				      const struct options *options)
{
	for (int i = argc - 1; i < MAX_ARGUMENTS && !options->all; i++)
		if (arguments[verb->argument].missing[i])
			return report_error(EXIT_USAGE, "%s: %s", verb->name,
					    arguments[verb->argument].missing[i]);
	if (argc < 2 && verb->argument == MAY_HAVE_DEFINED && !options->enabled)
		return report_error(EXIT_USAGE, "%s: " WHICH_DEFINED, verb->name);
	/* A hand-off of a domain's console is to a second one. */
	if (argc - 1 - options->console > arguments[verb->argument].most)
		return report_error(EXIT_USAGE, "%s: unexpected argument '%s'", verb->name,
				    argv[argc - 1]);
	return EXIT_OK;
}

/* given: the codes of the options in LIMITED */
static enum exit_code check_verb(int argc, char **argv, const char *given, struct options *options,
				 const struct verb **ret_verb)
{
	const struct verb *verb;
	enum exit_code code;
	char name[16];

	if (!argc)
		return report_error(EXIT_USAGE, "no verb given; see 'hlctl --help'");
	verb = find_verb(argv[0]);
	if (!verb)
		return report_error(EXIT_USAGE, "unknown verb '%s'; see 'hlctl --help'", argv[0]);
	code = check_arguments(argc, argv, verb, options);
	if (code)
		return code;
	given += strspn(given, verb->extra);
	if (*given)
		return report_error(EXIT_USAGE, "%s does not take %s", verb->name,
				    option_name(*given, name));
	options->domains = argv + 1;
	options->nr_domains = (size_t)argc - 1;
	options->domain = argc > 1 ? argv[1] : NULL;
	*ret_verb = verb;
	return check_exclusions(options);
}

enum exit_code options_parse(int argc, char **argv, struct options *options,
			     const struct verb **ret_verb)
{
	char given[sizeof(LIMITED)] = "";
	enum exit_code code;
	int option;

	while ((option = getopt_long(argc, argv, SHORT_OPTIONS, longs, NULL)) != -1) {
		if (option == '?' || option == ':')
			return wrong_option(option, argv[optind - 1]);
		if (option == OPT_HELP) {
			print_help();
			return EXIT_OK;
		}
		if (option == OPT_VERSION) {
			puts("hlctl " HL_VERSION);
			return EXIT_OK;
		}
		if (option < OPT_SYSTEM && strchr(LIMITED, option) && !strchr(given, option))
			given[strlen(given)] = (char)option;
		code = take_option(option, optarg, options);
		if (code)
			return code;
	}
	return check_verb(argc - optind, argv + optind, given, options, ret_verb);
}

void options_done(struct options *options)
{
	for (size_t i = 0; i < options->nr_properties; i++)
		free(options->properties[i]);
	free(options->properties);
	free(options->after);
}
