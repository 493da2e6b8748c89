/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Converts the records of the sysctl to those of <hyperlaunch/records.h>.  Each field is
 * checked: the hypervisor may have another version of the interface.  Pure.
 */
#ifndef LIBHL_XEN_DECODE_H
#define LIBHL_XEN_DECODE_H

#include "util.h"
#include "xen-abi.h"

/*
 * Return 0, -EBADMSG: a field is out of range; or, decode_launch() only, -EPROTO: the
 * version of the interface is not supported.  index is the one that was asked for.
 */
int decode_launch(const struct xen_hyperlaunch_info *info, struct hl_launch *ret_launch);
int decode_domain(const struct xen_hyperlaunch_domain *domain, uint32_t index,
		  struct hl_launch_domain *ret_domain);
int decode_module(const struct xen_hyperlaunch_module *module, uint32_t index,
		  struct hl_launch_module *ret_module);
int decode_event(const struct xen_hyperlaunch_event *event, struct hl_event *ret_event);

/* Checks a record that was asked for from this offset on.  Returns 0 or -EBADMSG. */
int check_console(const struct xen_hyperlaunch_console *console, uint32_t offset);

#endif /* LIBHL_XEN_DECODE_H */
