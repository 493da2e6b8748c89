/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Formats the CPU affinities of a domain's vCPUs.  Pure. */
#ifndef LIBHL_AFFINITY_H
#define LIBHL_AFFINITY_H

#include <stddef.h>
#include <stdint.h>

/* Hard or soft affinities of a domain's vCPUs, as Xen's bitmaps. */
struct affinities {
	uint32_t nr_vcpus;
	uint32_t nr_cpus;    /* of the host */
	size_t stride;	     /* bytes of one bitmap */
	const uint8_t *maps; /* [nr_vcpus * stride]: a bitmap for each vCPU */
};

/*
 * Formats affinities: "all", "0-1,3", or "0-1: 0; 2: all" if vCPUs differ.  Text that
 * does not fit is cut off and ends in "...".
 */
void affinity_text(const struct affinities *affinities, char *text, size_t size);

#endif /* LIBHL_AFFINITY_H */
