/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Xen's libraries print to stderr unless they are given a logger: this one passes on. */
#ifndef LIBHL_XLOG_H
#define LIBHL_XLOG_H

#include <xentoollog.h>

#include "ctx.h"

struct xlog {
	struct xentoollog_logger vtable;	/* first: Xen's libraries see only this */
	struct logger logger;
};

void xlog_init(struct xlog *xlog, const struct logger *logger);

#endif /* LIBHL_XLOG_H */
