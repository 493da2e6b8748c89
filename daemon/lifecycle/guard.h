/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which domains the host itself needs, so that nobody ends them by mistake. */
#ifndef HYPERLAUNCHD_LIFECYCLE_GUARD_H
#define HYPERLAUNCHD_LIFECYCLE_GUARD_H

#include <hyperlaunch/hl.h>
#include <stdbool.h>

/*
 * Why the domain may not be ended: a clause that follows "Cannot ...: ".  NULL: it may be.
 * force: the caller knows what a domain is that serves others
 */
const char *guard_against_end(const struct hl_table *table, const struct hl_domain *domain,
			      bool force);

#endif
