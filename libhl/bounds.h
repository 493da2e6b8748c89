/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Limits for counts and sizes from the hypervisor: larger ones are rejected with -EBADMSG. */
#ifndef LIBHL_BOUNDS_H
#define LIBHL_BOUNDS_H

#define MAX_DOMAIN_RECORDS 4096
#define MAX_MODULE_RECORDS 4096
#define MAX_LCM_BYTES	   (1u << 20)
#define MAX_EVENTS	   (1u << 16)
#define MAX_LIVE_DOMAINS   32768
#define MAX_DOMID	   0x7fefu /* above are reserved ones: DOMID_SELF and others */

#endif /* LIBHL_BOUNDS_H */
