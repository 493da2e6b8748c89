/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How much memory, and how many vCPUs, a domain may use from now on. */
#ifndef VMD_RESIZE_H
#define VMD_RESIZE_H

struct client;
struct order;
struct toolstack;

/* Of ORDER_SET_MEMORY and ORDER_SET_VCPUS.  Both tell the client the result, and return 0 or a
 * negative errno. */
int resize_memory(struct toolstack *toolstack, struct client *client, const struct order *order);
int resize_vcpus(struct toolstack *toolstack, struct client *client, const struct order *order);

#endif
