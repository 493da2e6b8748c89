/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * XEN_SYSCTL_hyperlaunch.  Not called sysctl.h, which would hide <xen/sysctl.h> from
 * all that has libhl in its include path.
 */
#ifndef LIBHL_XEN_PRIVATE_H
#define LIBHL_XEN_PRIVATE_H

#include "xen/hypercall.h"

/*
 * Runs a sub-operation that returns data.
 * @size: of data, at most XCALL_MAX_BYTES
 * @ret_written: number of bytes that Xen has written to data
 *
 * Returns 0, or an error as in <hyperlaunch/hl.h>, -ENOENT and -EINVAL as the ABI defines them.
 */
int xcall_hyperlaunch(struct xcall *xcall, uint32_t op, uint32_t index, uint64_t offset, void *data,
		      uint32_t size, uint32_t *ret_written);

/* Runs a sub-operation that returns no data. */
int xcall_hyperlaunch_do(struct xcall *xcall, uint32_t op, uint32_t index, uint64_t offset);

#endif /* LIBHL_XEN_PRIVATE_H */
