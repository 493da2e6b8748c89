/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Unpacks gzip files (RFC 1951, 1952) as GRUB does, which passes a module's content on to Xen: no
 * more than the first member, and without a look at the checksum, as the module has a digest.
 */
#ifndef HYPERLAUNCHD_LIFECYCLE_GUNZIP_H
#define HYPERLAUNCHD_LIFECYCLE_GUNZIP_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct gunzip_io {
	/* From where the last call has ended.  0: at the end; or a negative errno. */
	ssize_t (*read)(void *userdata, void *buffer, size_t size);
	/* What was unpacked, in order.  Returns 0 or a negative errno. */
	int (*write)(void *userdata, const void *data, size_t size);
	void *userdata;
};

/*
 * Returns 0; -EINVAL: no gzip file, or a damaged one; -ENOMEM; or the error of read() or write(),
 * which ends it, so write() sets the limit to the size.
 */
int gunzip(const struct gunzip_io *io);

#endif
