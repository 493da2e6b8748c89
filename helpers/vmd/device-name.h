/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* By what a device of a domain is found: one name for each, and no other. */
#ifndef VMD_DEVICE_NAME_H
#define VMD_DEVICE_NAME_H

#include <stdbool.h>
#include <stdint.h>

#define DEVICE_NAME_MAC_SIZE 18

/* "xvdb", "sdc1", "hda": of libxl's ways to write one disk, that which it writes itself. */
bool device_name_is_disk(const char *name);

/* Whether a NIC with that number and MAC is meant: "1", "00:16:3e:01:02:03". */
bool device_name_is_nic(const char *name, int devid, const uint8_t mac[6]);

/* All zero: not chosen yet. */
bool device_name_is_no_mac(const uint8_t mac[6]);

/* A random one of Xen's.  Returns 0 or a negative errno. */
int device_name_make_mac(uint8_t ret_mac[6]);

void device_name_of_mac(const uint8_t mac[6], char ret_name[DEVICE_NAME_MAC_SIZE]);

#endif
