/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Sets of the host's CPUs, as text "0-3,8" and as bitmap.  Pure. */
#ifndef BOOTDOM_CPUS_H
#define BOOTDOM_CPUS_H

#include <stdbool.h>
#include <stdint.h>

#include "runtime/tokenize.h"

#define CPUS_MAX 1024

/* A bitmap as in Xen's interface: CPU n is bit n % 8 of byte n / 8. */
struct cpus {
	uint8_t bytes[CPUS_MAX / 8];
};

/* Parses a list of CPUs.  Returns false if it is invalid, empty, or has a CPU >= CPUS_MAX. */
bool cpus_parse(const struct word *word, struct cpus *ret_cpus);

bool cpus_has(const struct cpus *cpus, unsigned int cpu);
/* Whether all of `these` are in `those`. */
bool cpus_within(const struct cpus *these, const struct cpus *those);

#endif /* BOOTDOM_CPUS_H */
