/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Xen's handle of a domain, which toolstacks take for its UUID. */
#ifndef COMMON_HANDLE_H
#define COMMON_HANDLE_H

#include <stdint.h>

/* Sets it in Xen.  -errno, such as -EPERM in a domain without control. */
int domain_handle_set(uint32_t domid, const uint8_t uuid[16]);

#endif /* COMMON_HANDLE_H */
