/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* XEN_SYSCTL_hyperlaunch.  The only user of libxencall. */
#ifndef LIBHL_XCALL_H
#define LIBHL_XCALL_H

#include "ctx.h"

struct xcall;

#define XCALL_MAX_BYTES 16384	/* of one answer */

/* -ENODEV: no Xen; -EACCES: not root; -ENOMEM. */
int xcall_open(const struct logger *logger, struct xcall **ret_xcall);
struct xcall *xcall_close(struct xcall *xcall);

/*
 * One sub-op: its answer goes to data, of which size bytes may be written, and
 * *ret_written says how many were.  Errors as in hl.h; -ENOENT and -EINVAL as
 * the ABI has them.
 */
int xcall_hyperlaunch(struct xcall *xcall, uint32_t op, uint32_t index, uint64_t offset,
		      void *data, uint32_t size, uint32_t *ret_written);

/* One that gives nothing back. */
int xcall_hyperlaunch_do(struct xcall *xcall, uint32_t op, uint32_t index, uint64_t offset);

#endif /* LIBHL_XCALL_H */
