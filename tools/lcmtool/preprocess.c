// SPDX-License-Identifier: LGPL-2.1-or-later
/* Runs the C preprocessor on source that has its directives: #include, #define, #if. */
#include <errno.h>
#include <libgen.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "tool.h"

/* Limits that end recursive includes soon. */
#define MAX_INCLUDES "16"
#define MAX_SECONDS  10

static const char *skip_blanks(const char *at, const char *end)
{
	while (at < end && (*at == ' ' || *at == '\t'))
		at++;
	return at;
}

/* Whether a directive follows the "#" of a line: "#address-cells" is a property. */
static bool is_directive(const char *at, const char *end)
{
	static const char *const words[] = {
		"include", "define", "undef", "if", "ifdef", "ifndef", "error", "warning", "pragma",
	};

	at = skip_blanks(at, end);
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		size_t len = strlen(words[i]);

		if ((size_t)(end - at) > len && !memcmp(at, words[i], len) &&
		    strchr(" \t\n\"<(", at[len]))
			return true;
	}
	return false;
}

bool needs_preprocessor(const struct buffer *source)
{
	const char *at = source->data, *end = at + source->size, *newline;

	for (; at < end; at = newline ? newline + 1 : end) {
		newline = memchr(at, '\n', (size_t)(end - at));
		at = skip_blanks(at, end);
		if (at < end && *at == '#' && is_directive(at + 1, end))
			return true;
	}
	return false;
}

/* Whether cpp can read the source by name: not a pipe, which is empty now, nor "-x". */
static bool is_file(const char *name)
{
	struct stat st;

	return *name != '-' && !stat(name, &st) && S_ISREG(st.st_mode);
}

/* Limits the CPU time of the child, which inherits the limit; ours is restored afterwards. */
static int run_limited(char *const argv[], const struct buffer *in, size_t max,
		       struct buffer *ret_out)
{
	struct rlimit before, less;
	int r;

	if (getrlimit(RLIMIT_CPU, &before))
		return -errno;
	less = before;
	if (less.rlim_cur > MAX_SECONDS)
		less.rlim_cur = MAX_SECONDS;
	if (setrlimit(RLIMIT_CPU, &less))
		return -errno;
	r = filter_loudly(argv, in->data, in->size, max, ret_out);
	if (setrlimit(RLIMIT_CPU, &before) && !r)
		r = -errno;
	return r;
}

static enum exit_code report_cpp_failure(const char *name, int r)
{
	switch (r) {
	case -ENOENT:
		report_error("%s: source with #include or #define needs cpp (package cpp)", name);
		return EXIT_USAGE;
	case -EFBIG:
		report_error("%s: the output of cpp is too large", name);
		return EXIT_FAILED;
	case -EBADMSG:
		report_error("%s: cpp cannot preprocess this source; includes can be nested up "
			     "to " MAX_INCLUDES " deep",
			     name);
		return EXIT_FAILED;
	default:
		report_error("%s: cpp: %s", name, strerror(-r));
		return EXIT_USAGE;
	}
}

enum exit_code preprocess(struct buffer *source, const char *name, size_t max)
{
	char *copy = strdup(name);
	const struct buffer nothing = {.data = (char *)""};
	bool file = is_file(name);
	char *const argv[] = {
		(char *)"cpp",
		(char *)"-nostdinc",
		(char *)"-undef",
		(char *)"-D__DTS__",
		(char *)"-Wfatal-errors",
		(char *)"-fmax-include-depth=" MAX_INCLUDES,
		(char *)"-x",
		(char *)"assembler-with-cpp",
		(char *)"-I",
		copy && strcmp(name, "-") != 0 ? dirname(copy) : (char *)".",
		(char *)(file ? name : "-"),
		NULL,
	};
	struct buffer out = {0};
	int r = copy ? run_limited(argv, file ? &nothing : source, max, &out) : -ENOMEM;

	free(copy);
	if (r)
		return report_cpp_failure(name, r);
	buffer_free(source);
	*source = out;
	return EXIT_OK;
}
