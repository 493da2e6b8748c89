/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * XEN_SYSCTL_hyperlaunch, and simple domctls.  All functions return 0, or a negative errno:
 * Xen's, or -EPROTO and -EBADMSG as libhl's xen/decode.h.
 */
#ifndef BOOTDOM_SYSCTL_H
#define BOOTDOM_SYSCTL_H

#include <stddef.h>
#include <stdint.h>

#include "xen-abi.h"

#include <hyperlaunch/hl.h>

int launch_info(struct hl_launch *ret_launch);
int launch_domain(uint32_t index, struct hl_launch_domain *ret_domain);
int launch_module(uint32_t index, struct hl_launch_module *ret_module);
/* Reads up to max events from sequence number *seq on, and advances it. */
int launch_events(uint32_t *seq, struct hl_event *ret_events, size_t max, size_t *ret_nr);
/* Reads what Xen has taken from the console ring of a domain, from offset on. */
int launch_console(uint32_t domid, uint32_t offset, struct xen_hyperlaunch_console *ret_console);
/* Reads size bytes of the LCM. */
int launch_lcm(void *buf, uint32_t size);

/* Makes the sysctl with this payload, which Xen updates. */
int launch_call(struct xen_sysctl_hyperlaunch *payload);
/* Runs a sub-operation that has no buffer. */
int launch_command(uint32_t op, uint32_t index, uint64_t offset);

/* Runs a domctl whose only argument is the domain. */
int domain_command(uint32_t cmd, uint16_t domid);

#endif /* BOOTDOM_SYSCTL_H */
