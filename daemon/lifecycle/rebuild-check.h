/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which initial domains can be made again, and what of. */
#ifndef HYPERLAUNCHD_LIFECYCLE_REBUILD_CHECK_H
#define HYPERLAUNCHD_LIFECYCLE_REBUILD_CHECK_H

#include <hyperlaunch/hl.h>
#include <stdbool.h>

struct definition;
struct job;
struct manager;
struct module_file;

/*
 * Of a domain of the launch, whether it may be made again now.  Returns 0, or the error of
 * job_fail().
 * @force: one that has not shut down may
 */
int rebuild_check(struct job *job, const struct manager *manager, const struct hl_domain *domain,
		  bool force);

/*
 * What libxl makes it of, with name and UUID of the job: it may have been renamed before it was
 * gone.  The caller clears it.  As above.
 */
int rebuild_define(struct job *job, const struct manager *manager, const struct hl_domain *domain,
		   struct definition *ret_definition);

/* What to look for: its kernel, and where *ret_nr is 2 its ramdisk; there is room for two.  As
 * above. */
int rebuild_list_modules(struct job *job, const struct hl_domain *domain,
			 struct module_file *modules, size_t *ret_nr);

#endif
