/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * libhl: the domains that Xen launched from the launch control module (LCM),
 * and their state now.
 *
 *   hl_new() -> hl_snapshot_read() -> hl_table_new() -> rows to show
 *                                          two tables -> hl_diff_new()
 *
 * Programs include this file, as <hyperlaunch/hl.h>; those that it includes are its
 * parts, one for each subject.
 *
 * Conventions
 * -----------
 * - Functions that can fail return 0 or a positive count, or a negative errno;
 *   each lists its errors.  Any of them may return -ENOMEM.  Results are stored
 *   through the last parameters, named ret_*, which are untouched on failure.
 * - *_ref() takes a reference and returns its argument; *_unref() drops one and
 *   frees the object with the last.  These and *_free() accept NULL; *_unref() and
 *   *_free() return NULL.
 * - The library prints nothing.  Messages go to a callback, see hl_new().
 * - struct hl_lcm and struct hl_table are immutable, and their reference counts
 *   are atomic: they may be shared between threads.  A context, a snapshot and a
 *   diff must be used by one thread at a time.
 * - Pointers into an LCM, a table, a snapshot or a diff are valid until that object
 *   is freed.  Pointer arguments must not be NULL unless the function allows it.
 * - Structs that the library returns by pointer may grow at their end: no array has
 *   them, lists are read by index or are arrays of pointers.  Structs that callers
 *   allocate do not grow within one soname.
 * - Sizes are in bytes and times in nanoseconds unless the name has another unit.
 * - Text from an LCM is any bytes but NUL.  D-Bus and JSON require UTF-8: strings
 *   of a table are valid UTF-8 (see struct hl_domain), and hl_utf8_dup() converts
 *   others.
 *
 * Functions that query the hypervisor return, besides the errors that they list:
 *   -ENODEV      no Xen: not a Xen guest, or the privcmd driver is missing
 *   -EACCES      no permission to open the driver's device node (needs root)
 *   -EOPNOTSUPP  this Xen has no Hyperlaunch
 *   -EPERM       this domain has none of the roles that the query requires
 *   -EPROTO      Xen has a version of the interface that this library does not support
 *   -EBADMSG     invalid answer: sizes or counts are out of range
 */
#ifndef HYPERLAUNCH_HL_H
#define HYPERLAUNCH_HL_H

#include "base.h"
#include "names.h"
#include "text.h"
#include "context.h"
#include "records.h"
#include "requests.h"
#include "control-module.h"
#include "snapshot.h"
#include "table.h"
#include "diff.h"
#include "simulator.h"

#endif /* HYPERLAUNCH_HL_H */
