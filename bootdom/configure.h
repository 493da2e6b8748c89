/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Settings that a boot domain may apply to a domain that has not started.  All functions
 * return 0, -EPERM: not permitted for this domain; or another negative errno of Xen's.
 */
#ifndef BOOTDOM_CONFIGURE_H
#define BOOTDOM_CONFIGURE_H

#include <stdbool.h>
#include <stdint.h>

#include "cpus.h"

/* On success *cpus is the effective affinity: the CPUs that exist and are in use. */
int configure_hard_affinity(uint16_t domid, uint32_t vcpu, struct cpus *cpus);
int configure_soft_affinity(uint16_t domid, uint32_t vcpu, const struct cpus *cpus);

/* -EOPNOTSUPP: the scheduler has neither weight nor cap. */
int configure_weight(uint16_t domid, uint16_t weight);
int configure_cap(uint16_t domid, uint16_t cap);

/* -EINVAL: less than the domain has already. */
int configure_memory_limit(uint16_t domid, uint64_t kib);

#endif /* BOOTDOM_CONFIGURE_H */
