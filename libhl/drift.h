/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Drift: differences between an initial domain and its description in the LCM.  Pure. */
#ifndef LIBHL_DRIFT_H
#define LIBHL_DRIFT_H

#include "snapshot.h"

/*
 * Sets row->drift and row->nr_drift; row->name and row->index must be set.
 * @live: NULL: the domain does not exist, so only the record is compared
 * A failed allocation is recorded in the arena.
 */
void drift_find(struct arena *arena, const struct hl_snapshot *snapshot,
		const struct hl_lcm_domain *planned, const struct hl_launch_domain *record,
		const struct hl_live_domain *live, struct hl_domain *row);

#endif /* LIBHL_DRIFT_H */
