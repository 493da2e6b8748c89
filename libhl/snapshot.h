/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* All records at one moment: the input of table-merge.c. */
#ifndef LIBHL_SNAPSHOT_H
#define LIBHL_SNAPSHOT_H

#include "lcm-view.h"

struct hl_snapshot {
	const char *backend;		  /* as hl_backend() */
	bool available;			  /* launch, domains and modules are valid */
	struct hl_launch launch;	  /* in state UNKNOWN if not available */
	struct hl_launch_domain *domains; /* [launch.nr_domains] */
	struct hl_launch_module *modules; /* [launch.nr_modules]; modules[0] has index 1 */
	struct hl_live_domain *live;	  /* [nr_live], by rising domid */
	char **names;			  /* [nr_live], xenstore's; NULL: none */
	size_t nr_live;
	struct hl_lcm *lcm;	       /* NULL: none, invalid, or no permission to read it */
	struct hl_lcm_error lcm_error; /* code 0: no error */
};

/* Returns the index of a domain in `live` and `names`; nr_live: no such domain. */
size_t snapshot_find_live(const struct hl_snapshot *s, uint32_t domid);

#endif /* LIBHL_SNAPSHOT_H */
