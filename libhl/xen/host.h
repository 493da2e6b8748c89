/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Facts about the host, and Xen's log; functions as those of <hyperlaunch/records.h>. */
#ifndef LIBHL_XEN_HOST_H
#define LIBHL_XEN_HOST_H

#include <stddef.h>

#include <hyperlaunch/hl.h>

struct xcall;

int xen_get_host(struct xcall *xcall, struct hl_host *ret_host);
int xen_read_log(struct xcall *xcall, char **ret_text, size_t *ret_size);

#endif /* LIBHL_XEN_HOST_H */
