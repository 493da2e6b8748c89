/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which domain serves a console, in xenstore, where both back ends and toolstacks look for it. */
#ifndef HYPERLAUNCHD_CONSOLE_NODES_H
#define HYPERLAUNCHD_CONSOLE_NODES_H

#include <stdint.h>

struct xs_handle;

/*
 * Makes `to` the back end of the domain's first console, in one transaction: the nodes of the old
 * one go, and those that are the old one's own become the new one's.  May be repeated.
 * 0: done, or it was so before; -ENOENT: the domain has no console there; -ESTALE: its back end is
 * neither of them; -EAGAIN: others changed the same nodes again and again; else what xenstored
 * says.
 */
int console_nodes_move(struct xs_handle *h, uint32_t domid, uint32_t from, uint32_t to);

#endif
