/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* XEN_SYSCTL_hyperlaunch.  Each gives 0, or a negative errno: Xen's, or as libhl's records. */
#ifndef BOOTDOM_LAUNCH_H
#define BOOTDOM_LAUNCH_H

#include <stddef.h>
#include <stdint.h>

#include "xen-abi.h"

#include "hl.h"

int launch_info(struct hl_launch *ret_launch);
int launch_domain(uint32_t index, struct hl_launch_domain *ret_domain);
int launch_module(uint32_t index, struct hl_launch_module *ret_module);
/* Up to max events from *seq on, which then is the first one not given; *ret_nr of them. */
int launch_events(uint32_t *seq, struct hl_event *ret_events, size_t max, size_t *ret_nr);
/* All of an LCM of this size. */
int launch_lcm(void *buf, uint32_t size);

/* One call: the payload as it stands; its answer is in it. */
int launch_call(struct xen_sysctl_hyperlaunch *payload);
/* A sub-op that takes no buffer. */
int launch_command(uint32_t op, uint32_t index, uint64_t offset);

/* A domctl that takes nothing but the domain. */
int domain_command(uint32_t cmd, uint16_t domid);

#endif /* BOOTDOM_LAUNCH_H */
