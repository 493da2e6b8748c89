/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * From the sysctl's records to libhl's, each field checked: they come from a
 * hypervisor that may be of another version, or broken.  Pure.
 */
#ifndef LIBHL_RECORD_H
#define LIBHL_RECORD_H

#include "util.h"
#include "xen-abi.h"

/* -EPROTO: another version; -EBADMSG: makes no sense. */
int record_launch(const struct xen_hyperlaunch_info *info, struct hl_launch *ret_launch);
int record_domain(const struct xen_hyperlaunch_domain *domain, uint32_t index,
		  struct hl_launch_domain *ret_domain);
int record_module(const struct xen_hyperlaunch_module *module, uint32_t index,
		  struct hl_launch_module *ret_module);
int record_event(const struct xen_hyperlaunch_event *event, struct hl_event *ret_event);

#endif /* LIBHL_RECORD_H */
