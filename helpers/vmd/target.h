/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The running domain that an order is about. */
#ifndef VMD_TARGET_H
#define VMD_TARGET_H

#include <stdint.h>

struct client;
struct order;
struct toolstack;

/* 0; -ESRCH: no domain has the UUID, or not that of the order's number, which the client is told.
 */
int target_find(struct toolstack *toolstack, struct client *client, const struct order *order,
		uint32_t *ret_domid);

#endif
