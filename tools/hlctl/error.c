// SPDX-License-Identifier: LGPL-2.1-or-later
/* Messages on standard error; each is one line, whatever text of others is in it. */
#include "hlctl.h"

#include <hyperlaunch/hl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define MESSAGE_MAX 1200 /* bytes */

__attribute__((format(printf, 1, 0))) static void print_message(const char *format, va_list ap)
{
	_cleanup_(freep) char *text = NULL, *clean = NULL;
	bool cut;

	(void)fflush(stdout);
	if (vasprintf(&text, format, ap) < 0)
		text = NULL;
	cut = text && strlen(text) > MESSAGE_MAX;
	if (cut)
		text[MESSAGE_MAX] = '\0';
	clean = text ? hl_utf8_dup(text) : NULL;
	fprintf(stderr, "hlctl: %s%s\n", clean ? clean : "out of memory", cut ? "..." : "");
}

enum exit_code report_error(enum exit_code code, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	print_message(format, ap);
	va_end(ap);
	return code;
}

void warn(const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	print_message(format, ap);
	va_end(ap);
}

void no_memory(void)
{
	exit(report_error(EXIT_FAILED, "out of memory"));
}
