/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * libxl keeps each domain's configuration as JSON in a file, and refuses some
 * of its verbs for a domain without one (`xl list -l`).
 *
 * libxl removes a domain's files when it destroys the domain, so those of a boot
 * outlive it.  A second file beside the one that is written for libxl says that it
 * is ours, and of which boot; it has the name of a domain's userdata, which libxl
 * removes with the other.
 */
#ifndef HYPERLAUNCHD_LAUNCH_LIBXL_CONFIG_H
#define HYPERLAUNCHD_LAUNCH_LIBXL_CONFIG_H

#include <stdbool.h>

#include "common/guest-nodes.h"

#define LIBXL_CONFIG_DIR "/var/lib/xen"

/*
 * Writes the file unless one was written in this boot, which is libxl's to change since;
 * never a half one.  One of an earlier boot is replaced.
 * @dir: where libxl keeps them
 * @boot: of this boot: any text without a newline
 * 1: written; 0: there was one.  -ENOENT: no such directory, so no libxl either.
 */
int libxl_config_write(const char *dir, const char *boot, const struct xs_guest *guest);

/*
 * Removes the files that were written in earlier boots.
 * @is_foreign: whether that domain exists, and is no initial one: libxl's file is its own
 * 0, or the first error; what can be removed is.
 */
int libxl_config_sweep(const char *dir, const char *boot,
		       bool (*is_foreign)(void *userdata, uint32_t domid, const char *uuid),
		       void *userdata);

#endif
