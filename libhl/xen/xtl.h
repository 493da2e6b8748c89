/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A logger for Xen's libraries, which without one print to stderr. */
#ifndef LIBHL_XEN_XTL_H
#define LIBHL_XEN_XTL_H

#include <xentoollog.h>

#include "logger.h"

struct xlog {
	struct xentoollog_logger vtable; /* must be first: all that Xen's libraries know */
	struct logger logger;
};

/* Makes &xlog->vtable pass messages to logger, at LOG_DEBUG. */
void xlog_init(struct xlog *xlog, const struct logger *logger);

#endif /* LIBHL_XEN_XTL_H */
