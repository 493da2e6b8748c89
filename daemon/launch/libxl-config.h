/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * libxl keeps each domain's configuration as JSON in a file, and refuses some
 * of its verbs for a domain without one (`xl list -l`).
 */
#ifndef HYPERLAUNCHD_LAUNCH_LIBXL_CONFIG_H
#define HYPERLAUNCHD_LAUNCH_LIBXL_CONFIG_H

#include "common/guest-nodes.h"

#define LIBXL_CONFIG_DIR "/var/lib/xen"

/*
 * Writes the file unless libxl has one already; never a half one.
 * @dir: where libxl keeps them
 * 1: written; 0: there was one.  -ENOENT: no such directory, so no libxl either.
 */
int libxl_config_write(const char *dir, const struct xs_guest *guest);

#endif
