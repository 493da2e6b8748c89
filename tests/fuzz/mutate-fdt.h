/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Changes to device trees that leave them device trees. */
#ifndef MUTATE_FDT_H
#define MUTATE_FDT_H

#include <stddef.h>
#include <stdint.h>

/*
 * Makes some edits, which `seed` decides: sets, deletes and resizes properties,
 * adds, deletes and duplicates nodes, and puts in values that matter to an LCM.
 * Gives the new size, or 0 where the data are no sound tree or there is no room.
 */
size_t mutate_fdt(uint8_t *data, size_t size, size_t max_size, unsigned int seed);

#endif /* MUTATE_FDT_H */
