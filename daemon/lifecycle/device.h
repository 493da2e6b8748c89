/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The jobs that attach a device to a running domain, and detach one from it. */
#ifndef HYPERLAUNCHD_LIFECYCLE_DEVICE_H
#define HYPERLAUNCHD_LIFECYCLE_DEVICE_H

#include <stdbool.h>

#define ATTACH_DEVICE_JOB "attach-device"
#define DETACH_DEVICE_JOB "detach-device"

#define DEVICE_TYPE_MAX 7  /* bytes */
#define DEVICE_NAME_MAX 63 /* likewise */

struct device_change;
struct jobs;
struct vms;

/*
 * Data of a new job, of a type that definition_device() knows.  NULL: out of memory.
 * @config: libxl's JSON of its type
 */
struct device_change *device_attach_new(const char *type, const char *config);
/*
 * @name: DEVICE_NAME_MAX bytes at most
 * @force: also where the guest does not let go of it
 */
struct device_change *device_detach_new(const char *type, const char *name, bool force);

int device_register(struct jobs *jobs, struct vms *vms);

#endif
