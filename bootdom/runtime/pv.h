/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is different in a PV guest (entry-pv.S). */
#ifndef BOOTDOM_PV_H
#define BOOTDOM_PV_H

#include <stdbool.h>
#include <stdint.h>

#include "start-info.h"
#include "xen-abi.h"

/* Whether this is a PV guest. */
bool pv_guest(void);

/* To be called first in a PV guest: makes pv_guest() true, and enables permitted I/O ports. */
void pv_init(const struct start_info *start_info);

/* Map a machine frame instead of a page of the program.  Return 0, or a negative errno. */
long pv_map_frame(void *page, uint64_t mfn);
long pv_map_shared_info(void *page);

/* Returns the page of the console ring and sets its port; NULL: no ring. */
void *pv_console(uint32_t *ret_port);

/* Converts start_info to that of a PVH guest; all of RAM is one range. */
void pv_info_read(struct pvh_info *ret_info);

#endif /* BOOTDOM_PV_H */
