/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Where a domain is not, or no longer, what the LCM says. */
#ifndef LIBHL_DRIFT_H
#define LIBHL_DRIFT_H

#include "snapshot.h"

/*
 * Sets row->drift.  live may be NULL; row->name and row->index are filled
 * already.  Failed allocations are noted in the arena.
 */
void drift_find(struct arena *arena, const struct hl_snapshot *snapshot,
		const struct hl_lcm_domain *planned, const struct hl_launch_domain *record,
		const struct hl_live_domain *live, struct hl_domain *row);

#endif /* LIBHL_DRIFT_H */
