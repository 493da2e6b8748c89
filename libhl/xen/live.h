/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The domains that exist, with their labels, and how they are scheduled; operations of
 * struct backend_ops.
 */
#ifndef LIBHL_XEN_LIVE_H
#define LIBHL_XEN_LIVE_H

#include <stddef.h>

#include <hyperlaunch/hl.h>

struct xcall;

int xen_get_scheduling(struct xcall *xcall, uint32_t domid, struct hl_scheduling *ret);
int xen_get_affinity(struct xcall *xcall, uint32_t domid, uint32_t nr_vcpus,
		     struct hl_affinity *ret);
int xen_get_vcpu(struct xcall *xcall, uint32_t domid, uint32_t vcpu, struct hl_vcpu *ret_vcpu);
int xen_list_live(struct xcall *xcall, struct hl_live_domain **ret_domains, size_t *ret_nr);

#endif /* LIBHL_XEN_LIVE_H */
