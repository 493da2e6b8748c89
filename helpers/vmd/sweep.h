/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What libxl leaves in xenstore of a domain whose back ends are another domain's: the directories
 * that were made for its devices there, empty.
 */
#ifndef VMD_SWEEP_H
#define VMD_SWEEP_H

#include <stddef.h>
#include <stdint.h>

struct sweep {
	char **dirs;
	size_t nr;
};

/* While the domain is there: which directories those are.  Without memory some may be missing. */
void sweep_begin(uint32_t domid, struct sweep *ret_sweep);
/* Once it is gone. */
void sweep_end(struct sweep *sweep);

#endif
