/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A domain is made of its configuration, or nothing of it stays. */
#ifndef VMD_CREATE_H
#define VMD_CREATE_H

struct client;
struct order;
struct toolstack;

/* Both tell the client the result, and return 0 or a negative errno.
 * @dir: of what is kept of VMs
 */
int create_run(struct toolstack *toolstack, struct client *client, struct order *order,
	       const char *dir);
/* Ends the domain first, if there is one. */
int create_again(struct toolstack *toolstack, struct client *client, struct order *order,
		 const char *dir);

#endif
