/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* All records at one moment: what merge.c makes a table of. */
#ifndef LIBHL_SNAPSHOT_H
#define LIBHL_SNAPSHOT_H

#include "lcm.h"

struct hl_snapshot {
	const char *backend;		/* as hl_backend() */
	bool available;			/* launch, domains and modules hold */
	struct hl_launch launch;	/* state UNKNOWN where not available */
	struct hl_launch_domain *domains;	/* [launch.nr_domains] */
	struct hl_launch_module *modules;	/* [launch.nr_modules], the first has index 1 */
	struct hl_live_domain *live;	/* [nr_live], by rising domid */
	char **names;			/* [nr_live], xenstore's; NULL: none */
	size_t nr_live;
	struct hl_lcm *lcm;		/* NULL: none, or not ours to read, or bad */
	struct hl_lcm_error lcm_error;	/* code 0: not bad */
};

#endif /* LIBHL_SNAPSHOT_H */
