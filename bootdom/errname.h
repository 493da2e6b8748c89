/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The names of Xen's error codes.  Pure. */
#ifndef BOOTDOM_ERRNAME_H
#define BOOTDOM_ERRNAME_H

/*
 * rc: a hypercall's result.  "ok" for 0 and more, else the code's name; one that Xen's
 * header does not have is "E-unknown".
 */
const char *errname(long rc);

#endif /* BOOTDOM_ERRNAME_H */
