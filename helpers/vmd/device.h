/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Disks and NICs of a running domain, of which libxl knows how each is made and found. */
#ifndef VMD_DEVICE_H
#define VMD_DEVICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "intent.h"
#include "toolstack.h"

struct device_type;

struct device {
	const struct device_type *type; /* NULL: device_dispose() has nothing to do */
	union {
		libxl_device_disk disk;
		libxl_device_nic nic;
	};
	char name[INTENT_DEVICE_MAX + 1]; /* "xvdb", or the MAC of a NIC */
};

/* "disk", "nic".  NULL: there is none of that name. */
const struct device_type *device_type_find(const char *name);
const char *device_type_name(const struct device_type *type);

/*
 * From libxl's JSON of its type.  A NIC without a MAC gets a random one.
 * 0; -EINVAL: it is none, has what libxl does not take, or no name that says which it is; another
 * negative errno.  Except with 0, `why` says what is wrong with it.
 * @ret_device: device_dispose() whatever is returned
 */
int device_parse(struct toolstack *toolstack, const struct device_type *type, const char *text,
		 struct device *ret_device, char *why, size_t size);

/*
 * One that the domain has, by its name; of a NIC by its number as well.  -ENOENT: it has none such.
 * @ret_device: as of device_parse()
 */
int device_find(struct toolstack *toolstack, const struct device_type *type, uint32_t domid,
		const char *name, struct device *ret_device);

/* -EEXIST: the domain has one with that name, or a NIC with that number. */
int device_check_free(struct toolstack *toolstack, uint32_t domid, const struct device *device);

/* Both return libxl's code. */
int device_add(struct toolstack *toolstack, uint32_t domid, struct device *device);
/* force: also where the guest does not let go of it */
int device_remove(struct toolstack *toolstack, uint32_t domid, struct device *device, bool force);

void device_dispose(struct device *device);

#endif
