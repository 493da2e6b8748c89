/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which verb may act on which domain.  Each returns 0, or the error of job_fail(). */
#ifndef HYPERLAUNCHD_LIFECYCLE_CHECK_H
#define HYPERLAUNCHD_LIFECYCLE_CHECK_H

#include <hyperlaunch/hl.h>
#include <stdbool.h>

struct job;
struct manager;

/*
 * For what stops a domain: hyperlaunchd's own is NotSupported, and without `force` one that
 * other domains depend on.
 */
int check_may_stop(struct job *job, const struct manager *manager, const struct hl_domain *domain,
		   bool force);

/* For what ends a domain at once: as check_may_stop(), and the hardware domain is NotSupported. */
int check_may_destroy(struct job *job, const struct manager *manager,
		      const struct hl_domain *domain, bool force);

/* It has been started, and has not shut down. */
int check_started(struct job *job, const struct manager *manager, const struct hl_domain *domain);

/* vmd can find it: Xen has a UUID of it, which the classic dom0 lacks. */
int check_has_uuid(struct job *job, const struct hl_domain *domain);

/* Whether its vCPUs are kept from running by a pause. */
bool check_is_paused(const struct hl_domain *domain);

/*
 * Of several control domains the first one that is there makes and ends VMs, so that their records
 * are in one place.  NULL: that is this one; else which it is.
 */
const struct hl_domain *check_acting(const struct manager *manager);
int check_is_acting(struct job *job, const struct manager *manager);

#endif
