/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One vmd at a time works on a VM: the next one finds it whole, or gone, or half made by one that
 * was killed. */
#ifndef VMD_LOCK_H
#define VMD_LOCK_H

#include <stdint.h>

/*
 * Waits until no other process has that UUID's lock, which ends with the process.  Returns a
 * descriptor that holds it, or a negative errno.
 * @dir: where the lock file is, made by the service manager
 */
int lock_take(const char *dir, const uint8_t uuid[16]);

#endif
