/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Names of Xen's error codes.  Pure. */
#ifndef BOOTDOM_ERRNAME_H
#define BOOTDOM_ERRNAME_H

/*
 * Returns the name of a hypercall's result: "ok" if it is not negative, "E-unknown" for a
 * code that is not in Xen's header.
 */
const char *errname(long r);

#endif /* BOOTDOM_ERRNAME_H */
