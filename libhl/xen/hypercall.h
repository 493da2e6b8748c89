/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Hypercalls of tools, by way of libxencall, whose interface is stable: libxenctrl
 * has another soname with each release of Xen.  hypercall.c is its only user.
 */
#ifndef LIBHL_XEN_HYPERCALL_H
#define LIBHL_XEN_HYPERCALL_H

#include <stdint.h>

#include "logger.h"
#include "xen-abi.h"

#include <xen/domctl.h>
#include <xen/sysctl.h>
#include <xen/xsm/flask_op.h>

struct xcall;

#define XCALL_MAX_BYTES 16384 /* of xcall_data() */
#define XEN_PAGE_SHIFT	12

/* Returns 0, -ENODEV: no Xen; -EACCES: no permission to open the driver; or -ENOMEM. */
int xcall_open(const struct logger *logger, struct xcall **ret_xcall);
/* Accepts NULL; returns NULL. */
struct xcall *xcall_close(struct xcall *xcall);

/* Memory that Xen can access, for the guest handles of operations; the next one may overwrite it.
 */
void *xcall_data(const struct xcall *xcall);

const struct logger *xcall_logger(const struct xcall *xcall);

/*
 * Run an operation, whose interface version they set; on success it has the answer.
 * Return 0, or an error as in <hyperlaunch/hl.h>.
 */
int xcall_sysctl(struct xcall *xcall, struct xen_sysctl *sysctl);
int xcall_domctl(struct xcall *xcall, struct xen_domctl *domctl);
int xcall_flask(struct xcall *xcall, struct xen_flask_op *op);

/*
 * Runs a sub-operation of xen_version, and copies size bytes of its answer to ret_data.
 * Returns the number that is the result of the call, or an error as in <hyperlaunch/hl.h>.
 */
int xcall_version(struct xcall *xcall, unsigned int cmd, void *ret_data, size_t size);

#endif /* LIBHL_XEN_HYPERCALL_H */
