/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Diff of two tables: what has changed from one to the next. */
#ifndef HYPERLAUNCH_DIFF_H
#define HYPERLAUNCH_DIFF_H

#include <stdint.h>

#include "base.h"
#include "table.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Fields of struct hl_domain that differ. */
#define HL_FIELD_NAME		(1u << 0)
#define HL_FIELD_UUID		(1u << 1)
#define HL_FIELD_PERMISSIONS	(1u << 2)
#define HL_FIELD_FUNCTIONS	(1u << 3)
#define HL_FIELD_ROLES		(1u << 4)
#define HL_FIELD_MODE		(1u << 5)
#define HL_FIELD_STATE		(1u << 6)
#define HL_FIELD_REASON		(1u << 7)
#define HL_FIELD_MEMORY_MAX	(1u << 8)
#define HL_FIELD_MEMORY_CURRENT (1u << 9)
#define HL_FIELD_VCPUS_MAX	(1u << 10)
#define HL_FIELD_VCPUS_ONLINE	(1u << 11)
#define HL_FIELD_SECURITY_LABEL (1u << 12)
#define HL_FIELD_ERROR		(1u << 13) /* error, errnum, and their texts */
#define HL_FIELD_STORE		(1u << 14) /* store_port, store_gfn */
#define HL_FIELD_CONSOLE	(1u << 15) /* console_port, console_gfn */
#define HL_FIELD_TIMES		(1u << 16)
#define HL_FIELD_MODULES	(1u << 17)
#define HL_FIELD_DRIFT		(1u << 18)
#define HL_FIELD_LIVE		(1u << 19)
#define HL_FIELD_HANDLE		(1u << 20)

/* Fields of struct hl_summary that differ. */
#define HL_SUMMARY_STATE	 (1u << 0)
#define HL_SUMMARY_ROLES	 (1u << 1) /* one of the *_domid of a role */
#define HL_SUMMARY_CONSOLE_OWNER (1u << 2)
#define HL_SUMMARY_COUNTS	 (1u << 3) /* expected, built, failed */
#define HL_SUMMARY_ERROR	 (1u << 4)
#define HL_SUMMARY_OTHER	 (1u << 5) /* anything else */
#define HL_SUMMARY_EVENTS	 (1u << 6) /* nr_events */

enum hl_change_type {
	HL_CHANGE_REMOVED,
	HL_CHANGE_ADDED,
	HL_CHANGE_CHANGED,
};

struct hl_change {
	enum hl_change_type type;
	const struct hl_domain *before; /* NULL: added */
	const struct hl_domain *after;	/* NULL: removed */
	uint32_t fields;		/* HL_FIELD_*, of a changed one */
};

/*
 * Compares two tables: removals come first, then additions, then changes, each in
 * row order.  Takes a reference to both.  CPU time, and outstanding, shared and paged
 * memory are not compared: the first changes from each table to the next.
 * @before: NULL: each row of after is an addition
 *
 * Returns 0, or -ENOMEM.
 * Since: 0.1
 */
int hl_diff_new(struct hl_table *before, struct hl_table *after,
		struct hl_diff **ret_diff) HL_MUST_CHECK;

/*
 * Since: 0.1
 */
struct hl_diff *hl_diff_free(struct hl_diff *diff);

/*
 * Return the number of changes, and one of them, i from 0; NULL: beyond the last.
 * Since: 0.1
 */
uint32_t hl_diff_nr_changes(const struct hl_diff *diff);
const struct hl_change *hl_diff_get(const struct hl_diff *diff, uint32_t i);

/*
 * Returns the fields of the summary that differ, HL_SUMMARY_*; all of them if before
 * was NULL.
 * Since: 0.1
 */
uint32_t hl_diff_summary(const struct hl_diff *diff);

#ifdef __cplusplus
}
#endif

#endif /* HYPERLAUNCH_DIFF_H */
