/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Xen's handle of a domain, which toolstacks take for its UUID. */
#ifndef HYPERLAUNCHD_LAUNCH_HANDLE_H
#define HYPERLAUNCHD_LAUNCH_HANDLE_H

#include <stdint.h>

/* A random (version 4) UUID.  -errno of getrandom(). */
int domain_handle_random(uint8_t ret_uuid[16]);

/* Sets it in Xen.  -errno, such as -EPERM in a domain without control. */
int domain_handle_set(uint32_t domid, const uint8_t uuid[16]);

#endif
