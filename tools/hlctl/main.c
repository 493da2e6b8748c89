// SPDX-License-Identifier: LGPL-2.1-or-later
/* The command line. */
#include "hlctl.h"

#include <errno.h>
#include <getopt.h>
#include <hl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "bus.h"

#define COMPLAINT_MAX 1200	/* bytes */
#define SHORT_OPTIONS ":jr:f:s:hV"

enum {
	OPT_JSON = 'j',
	OPT_ROLE = 'r',
	OPT_FORMAT = 'f',
	OPT_SINCE = 's',
	OPT_HELP = 'h',
	OPT_VERSION = 'V',
	OPT_SYSTEM = 256,
	OPT_SESSION,
	OPT_ADDRESS,
};

static const struct verb verbs[] = {
	{ "list", "all domains, one a line", verb_list, "r", NO_DOMAIN },
	{ "status", "the launch, or all about one DOMAIN", verb_status, "", MAY_HAVE_DOMAIN },
	{ "roles", "who holds which role", verb_roles, "", NO_DOMAIN },
	{ "lcm", "the launch control module", verb_lcm, "f", NO_DOMAIN },
	{ "events", "the launch log", verb_events, "s", NO_DOMAIN },
	{ "modules", "the boot modules, with their digests", verb_modules, "", NO_DOMAIN },
	{ "monitor", "changes, as they happen", verb_monitor, "", NO_DOMAIN },
	{ "handoff", "give the Xen console to DOMAIN", verb_handoff, "", NEEDS_DOMAIN },
	{ "release", "let the held DOMAIN run", verb_release, "", NEEDS_DOMAIN },
};

/* Words of the user's and of others may be in it: one line comes out, and no endless one. */
static void print_complaint(char *text)
{
	bool cut = text && strlen(text) > COMPLAINT_MAX;
	CLEANUP(freep) char *clean = NULL;

	if (cut)
		text[COMPLAINT_MAX] = '\0';
	clean = text ? hl_utf8_dup(text) : NULL;
	fprintf(stderr, "hlctl: %s%s\n", clean ? clean : "out of memory", cut ? "..." : "");
}

enum exit_code complain(enum exit_code code, const char *format, ...)
{
	CLEANUP(freep) char *text = NULL;
	va_list ap;

	(void)fflush(stdout);
	va_start(ap, format);
	if (vasprintf(&text, format, ap) < 0)
		text = NULL;
	va_end(ap);
	print_complaint(text);
	return code;
}

void no_memory(void)
{
	exit(complain(EXIT_FAILED, "out of memory"));
}

static void print_help(void)
{
	static const char *const arguments[] = {
		[NO_DOMAIN] = "", [MAY_HAVE_DOMAIN] = "[DOMAIN]", [NEEDS_DOMAIN] = "DOMAIN",
	};

	puts("usage: hlctl [OPTION...] VERB [DOMAIN]\n\n"
	     "Shows what Xen launched from its launch control module, and what became of it,\n"
	     "and changes that.\n");
	for (size_t i = 0; i < ARRAY_SIZE(verbs); i++)
		printf("  %-8s %-9s %s\n", verbs[i].name,
		       arguments[verbs[i].argument], verbs[i].help);
	puts("\nA DOMAIN is its name, domid, or UUID.\n\n"
	     "  -j, --json            JSON instead of tables\n"
	     "  -r, --role ROLE       list: only holders of ROLE\n"
	     "  -f, --format FORMAT   lcm: dtb, dts (the default), or json\n"
	     "  -s, --since N         events: from number N on\n"
	     "      --system          the system bus (the default)\n"
	     "      --session         the session bus\n"
	     "      --address ADDRESS the bus at this D-Bus address\n"
	     "  -h, --help\n"
	     "  -V, --version\n\n"
	     "Exit codes: 0 done, 1 failed, 2 usage, 3 not found, 4 denied, 5 unsupported, "
	     "6 timed out.");
}

static enum exit_code parse_since(const char *text, uint32_t *ret_since)
{
	unsigned long long number;
	char *end;

	errno = 0;
	number = strtoull(text, &end, 10);
	if (*text < '0' || *text > '9' || *end || errno || number > UINT32_MAX)
		return complain(EXIT_USAGE, "'%s' is no event number: these are 0 to %u", text,
				UINT32_MAX);
	*ret_since = (uint32_t)number;
	return EXIT_OK;
}

static enum exit_code check_role(const char *role)
{
	enum hl_role ignored;

	if (!hl_role_from_name(role, &ignored))
		return EXIT_OK;
	return complain(EXIT_USAGE, "'%s' is no role: these are control, hardware, boot, crash, "
			"console, xenstore, legacy-dom0", role);
}

static enum exit_code check_format(const char *format)
{
	if (!strcmp(format, "dtb") || !strcmp(format, "dts") || !strcmp(format, "json"))
		return EXIT_OK;
	return complain(EXIT_USAGE, "'%s' is no format: these are dtb, dts, json", format);
}

static enum exit_code take_option(int option, const char *value, struct options *options)
{
	switch (option) {
	case OPT_JSON:
		options->json = true;
		return EXIT_OK;
	case OPT_ROLE:
		options->role = value;
		return check_role(value);
	case OPT_FORMAT:
		options->format = value;
		return check_format(value);
	case OPT_SINCE:
		return parse_since(value, &options->since);
	case OPT_SYSTEM:
		options->bus = BUS_SYSTEM;
		return EXIT_OK;
	case OPT_SESSION:
		options->bus = BUS_SESSION;
		return EXIT_OK;
	case OPT_ADDRESS:
		options->bus = BUS_ADDRESS;
		options->address = value;
		return EXIT_OK;
	default:
		return EXIT_FAILED;	/* parse() lets no other in */
	}
}

/*
 * What getopt_long() found wrong.  word: the one before the next; that is the wrong
 * one where it is a long option.  optopt: 0 for an unknown long one, else the letter.
 */
static enum exit_code wrong_option(int kind, const char *word)
{
	if (kind == ':')
		return complain(EXIT_USAGE, "option '%s' needs a value; see 'hlctl --help'", word);
	if (!optopt)
		return complain(EXIT_USAGE, "'%s' is no option; see 'hlctl --help'", word);
	if (optopt >= OPT_SYSTEM || strchr(SHORT_OPTIONS, optopt))
		return complain(EXIT_USAGE, "'%s': this option takes no value", word);
	return complain(EXIT_USAGE, "there is no option -%c; see 'hlctl --help' (a domain that "
			"begins with - is given after --)", optopt);
}

static const struct verb *find_verb(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(verbs); i++)
		if (!strcmp(verbs[i].name, name))
			return &verbs[i];
	return NULL;
}

/* given: the letters of the options that some verbs only take */
static enum exit_code check_verb(int argc, char **argv, const char *given,
				 struct options *options, const struct verb **ret_verb)
{
	const struct verb *verb;

	if (!argc)
		return complain(EXIT_USAGE, "no verb given; see 'hlctl --help'");
	verb = find_verb(argv[0]);
	if (!verb)
		return complain(EXIT_USAGE, "unknown verb '%s'; see 'hlctl --help'", argv[0]);
	if (argc < 2 && verb->argument == NEEDS_DOMAIN)
		return complain(EXIT_USAGE, "%s: which domain? 'hlctl list' shows all", verb->name);
	if (argc > (verb->argument == NO_DOMAIN ? 1 : 2))
		return complain(EXIT_USAGE, "%s: unexpected argument '%s'", verb->name,
				argv[argc - 1]);
	if (given[strspn(given, verb->extra)])
		return complain(EXIT_USAGE, "%s does not take -%c", verb->name,
				given[strspn(given, verb->extra)]);
	options->domain = argc > 1 ? argv[1] : NULL;
	*ret_verb = verb;
	return EXIT_OK;
}

/* *ret_verb stays NULL where help or version was all that was asked for. */
static enum exit_code parse(int argc, char **argv, struct options *options,
			    const struct verb **ret_verb)
{
	static const struct option longs[] = {
		{ "json", no_argument, NULL, OPT_JSON },
		{ "role", required_argument, NULL, OPT_ROLE },
		{ "format", required_argument, NULL, OPT_FORMAT },
		{ "since", required_argument, NULL, OPT_SINCE },
		{ "system", no_argument, NULL, OPT_SYSTEM },
		{ "session", no_argument, NULL, OPT_SESSION },
		{ "address", required_argument, NULL, OPT_ADDRESS },
		{ "help", no_argument, NULL, OPT_HELP },
		{ "version", no_argument, NULL, OPT_VERSION },
		{ NULL, 0, NULL, 0 },
	};
	char given[4] = "";
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
		if (option < OPT_SYSTEM && strchr("rfs", option) && !strchr(given, option))
			given[strlen(given)] = (char)option;
		code = take_option(option, optarg, options);
		if (code)
			return code;
	}
	return check_verb(argc - optind, argv + optind, given, options, ret_verb);
}

int main(int argc, char **argv)
{
	CLEANUP(sd_bus_flush_close_unrefp) sd_bus *bus = NULL;
	struct options options = { .bus = BUS_SYSTEM };
	const struct verb *verb = NULL;
	enum exit_code code = parse(argc, argv, &options, &verb);

	if (code || !verb)
		return code;
	code = bus_open(&options, &bus);
	if (!code)
		code = verb->run(&options, bus);
	if (!code && (fflush(stdout) || ferror(stdout)))
		code = complain(EXIT_FAILED, "cannot write: %s", strerror(errno));
	return code;
}
