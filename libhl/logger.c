// SPDX-License-Identifier: LGPL-2.1-or-later
/* Formats messages for the log callback. */
#include "logger.h"

#include <stdarg.h>
#include <stdio.h>

#include "util.h"

void logger_log(const struct logger *logger, int priority, const char *format, ...)
{
	_cleanup_(freep) char *text = NULL;
	va_list ap;

	if (!logger->fn)
		return;
	va_start(ap, format);
	if (vasprintf(&text, format, ap) < 0)
		text = NULL;
	va_end(ap);
	if (text)
		logger->fn(logger->data, priority, text);
}
