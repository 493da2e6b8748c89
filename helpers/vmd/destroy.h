/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The end of a domain, with all that was made for it. */
#ifndef VMD_DESTROY_H
#define VMD_DESTROY_H

struct client;
struct order;
struct toolstack;

/* Tells the client the result.  Returns 0 or a negative errno.
 * @dir: of what is kept of VMs
 */
int destroy_run(struct toolstack *toolstack, struct client *client, const struct order *order,
		const char *dir);

/* Without a word to the client: what this process has made itself. */
int destroy_made(struct toolstack *toolstack, const struct order *order, const char *dir);

#endif
