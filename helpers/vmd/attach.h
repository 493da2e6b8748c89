/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A device is attached to a running domain, or nothing of it stays; or it is detached. */
#ifndef VMD_ATTACH_H
#define VMD_ATTACH_H

struct client;
struct order;
struct toolstack;

/*
 * All tell the client the result, and return 0 or a negative errno.  Each ends first what an
 * earlier process that was killed has left half attached.
 * @dir: of what is kept of VMs
 */
int attach_run(struct toolstack *toolstack, struct client *client, const struct order *order,
	       const char *dir);
int attach_detach(struct toolstack *toolstack, struct client *client, const struct order *order,
		  const char *dir);
/* No more than that. */
int attach_undo(struct toolstack *toolstack, struct client *client, const struct order *order,
		const char *dir);

#endif
