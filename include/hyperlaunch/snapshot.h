/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Snapshot: all records at one moment. */
#ifndef HYPERLAUNCH_SNAPSHOT_H
#define HYPERLAUNCH_SNAPSHOT_H

#include <stddef.h>
#include <stdint.h>

#include "base.h"
#include "records.h"

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Reads the records of the launch and its domains, the list of live domains, and (once
 * per context) the records of the modules and the LCM.  If they change meanwhile it
 * starts again, a few times at most.
 *
 * It is no error if this Xen has no Hyperlaunch or booted without an LCM, if the LCM
 * is invalid, or if this domain may not read parts other than the live domains: they
 * are missing in the snapshot, and the table shows that.
 *
 * Returns 0, or an error of the hypervisor.
 * Since: 0.1
 */
int hl_snapshot_read(struct hl_ctx *ctx, struct hl_snapshot **ret_snapshot) HL_MUST_CHECK;

/*
 * Since: 0.1
 */
struct hl_snapshot *hl_snapshot_free(struct hl_snapshot *snapshot);

/*
 * Return the number of live domains, and one of them, i from 0, by rising domid; NULL:
 * beyond the last.
 * Since: 0.1
 */
size_t hl_snapshot_nr_live(const struct hl_snapshot *snapshot);
const struct hl_live_domain *hl_snapshot_get_live(const struct hl_snapshot *snapshot, size_t i);

/*
 * Returns the LCM of a snapshot, or NULL.  The snapshot keeps its reference: take
 * one with hl_lcm_ref() to use the LCM longer than the snapshot.
 * Since: 0.1
 */
struct hl_lcm *hl_snapshot_lcm(const struct hl_snapshot *snapshot);

/*
 * Sets the name of a live domain, for the table: the one that xenstore has.
 * @name: copied; NULL or "": none
 *
 * Returns 0, or -ENOENT: no such live domain.
 * Since: 0.1
 */
int hl_snapshot_set_name(struct hl_snapshot *snapshot, uint32_t domid, const char *name);

#ifdef __cplusplus
}
#endif

#endif /* HYPERLAUNCH_SNAPSHOT_H */
