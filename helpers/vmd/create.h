/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A domain is made of its configuration, or nothing of it stays. */
#ifndef VMD_CREATE_H
#define VMD_CREATE_H

struct client;
struct order;
struct toolstack;

/* Tells the client the result.  Returns 0 or a negative errno. */
int create_run(struct toolstack *toolstack, struct client *client, const struct order *order);

#endif
