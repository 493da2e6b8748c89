/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The jobs that set how much memory, and how many vCPUs, a domain may use. */
#ifndef HYPERLAUNCHD_LIFECYCLE_RESIZE_H
#define HYPERLAUNCHD_LIFECYCLE_RESIZE_H

#include <stdint.h>

#define SET_MEMORY_JOB "set-memory"
#define SET_VCPUS_JOB  "set-vcpus"

/* Bytes: of any domain, and of one on which others depend, as libxl has it for dom0. */
#define RESIZE_MEMORY_MIN	 (UINT64_C(1) << 20)
#define RESIZE_MEMORY_MIN_SERVER (UINT64_C(128) << 20)

struct jobs;
struct resize;
struct vms;

/*
 * Data of a new job of either kind.  NULL: out of memory.
 * @value: KiB, or a number of vCPUs; not 0
 */
struct resize *resize_new(uint64_t value);

int resize_register(struct jobs *jobs, struct vms *vms);

#endif
