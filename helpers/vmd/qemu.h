/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * QEMU stays in the unit in which its VM was made.  A note says which VM that is, and where its
 * processes are: a file among what is kept of VMs, named for the unit's invocation.
 */
#ifndef VMD_QEMU_H
#define VMD_QEMU_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Writes the note of this process's own unit; the last one counts.  Returns 0, also where this is
 * no unit, or a negative errno.
 * @domid: ORDER_NO_DOMID: not made yet
 */
int qemu_note(const char *dir, const char *uuid, uint32_t domid);

/*
 * Reads and removes it.  -ENOENT: there is none, or it has no domain; another negative errno.
 * @ret_uuid: [37]
 */
int qemu_take_note(const char *dir, char *ret_uuid, uint32_t *ret_domid);

/*
 * Ends what the units of other processes still have of that VM's QEMU.  libxl asks a QEMU to end
 * whose number it knows, and does not look whether it does.  Returns whether there was something:
 * Xen frees what QEMU had mapped of the domain a little later.
 */
bool qemu_sweep(const char *dir, const char *uuid);

#endif
