/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Checks whether Xen can start a file as a domain's kernel. */
#ifndef LCMTOOL_KERNEL_H
#define LCMTOOL_KERNEL_H

#include "tool.h"

struct kernel {
	const char *fault;	     /* what the file is instead of a kernel; NULL: a kernel */
	const char *missing_program; /* needed to decompress it; NULL: the rest is valid */
	bool is_64bit;
	bool has_pv, has_pvh; /* entry points, according to Xen's notes */
};

/* Returns 0, or an errno if the file cannot be read. */
int kernel_read(const char *path, struct kernel *ret_kernel);

#endif /* LCMTOOL_KERNEL_H */
