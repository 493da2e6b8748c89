// SPDX-License-Identifier: LGPL-2.1-or-later
/* Messages to stderr. */
#include "message.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

static int max_level = LOG_INFO;

void message_set_level(int level)
{
	max_level = level;
}

void message(int level, const char *format, ...)
{
	char text[1024];
	va_list args;

	if (level > max_level)
		return;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	if (getenv("JOURNAL_STREAM"))
		fprintf(stderr, "<%d>%s\n", level, text);
	else
		fprintf(stderr, "hyperlaunch-consoled: %s\n", text);
}
