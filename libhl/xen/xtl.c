// SPDX-License-Identifier: LGPL-2.1-or-later
/* Passes messages of Xen's libraries to the log callback. */
#include "xen/xtl.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>

#include "util.h"

__attribute__((format(printf, 5, 0))) static void message(struct xentoollog_logger *vtable,
							  xentoollog_level level, int errnoval,
							  const char *context, const char *format,
							  va_list ap)
{
	struct xlog *xlog = (struct xlog *)vtable;
	_cleanup_(freep) char *text = NULL;

	if (vasprintf(&text, format, ap) < 0) {
		text = NULL;
		return;
	}
	logger_log(&xlog->logger, LOG_DEBUG, "%s: %s%s%s", context ? context : "xen", text,
		   errnoval >= 0 ? ": " : "", errnoval >= 0 ? strerrordesc_np(errnoval) : "");
}

/* Required by the interface; no function that libhl calls reports progress. */
static void progress(struct xentoollog_logger *vtable, const char *context, const char *doing,
		     int percent, unsigned long done, unsigned long total)
{
}

static void destroy(struct xentoollog_logger *vtable)
{
}

void xlog_init(struct xlog *xlog, const struct logger *logger)
{
	xlog->vtable = (struct xentoollog_logger){
		.vmessage = message,
		.progress = progress,
		.destroy = destroy,
	};
	xlog->logger = *logger;
}
