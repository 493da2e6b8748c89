/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * libxl makes domain 0 the owner of a new guest's nodes, and xenstored refuses that
 * where there is no domain 0.  The nodes then stay as they were made: closed to the
 * guest, which sees neither its memory target nor its devices.
 */
#ifndef HYPERLAUNCHD_LAUNCH_ACCESS_H
#define HYPERLAUNCHD_LAUNCH_ACCESS_H

#include <stdint.h>

struct xs_handle;

/*
 * Lets the guest read its own nodes and those of its /vm, where it may not; they become
 * `owner`'s.  What the guest or a device's server owns is left alone.
 * All of it or nothing.  1: done now; 0: nothing to do.  -ENOENT: it has no nodes; -EAGAIN: others
 * changed them again and again; else what xenstored says.
 */
int xs_access_open(struct xs_handle *h, uint32_t owner, uint32_t domid);

#endif
