/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What becomes of a VM whose QEMU has ended. */
#ifndef VMD_ENDED_H
#define VMD_ENDED_H

/*
 * For the service manager, in the unit of which no process is left: a domain that runs on without
 * its QEMU is ended as crashed, so that what was asked for on a crash happens.  0: it is, or there
 * is none; a negative errno, which was printed.
 * @dir: of what is kept of VMs
 */
int ended_run(const char *dir);

#endif
