// SPDX-License-Identifier: LGPL-2.1-or-later
/* A byte of one file for each UUID, so that no file is left for each VM that ever was. */
#include "lock.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/cleanup.h"

/* Two UUIDs with the same beginning wait for each other, which harms nothing. */
static off_t offset_of(const uint8_t uuid[16])
{
	uint64_t number;

	memcpy(&number, uuid, sizeof(number));
	return (off_t)(number & INT64_MAX) & ~(off_t)1;
}

/*
 * A lock of the process, not of the file that it has open: libxl's children have that too, and the
 * one that waits for QEMU lives on where this process is killed.
 */
int lock_take(const char *dir, const uint8_t uuid[16])
{
	struct flock range = {
		.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = offset_of(uuid), .l_len = 1};
	char path[PATH_MAX];
	_cleanup_(closep) int fd = -1;
	int r;

	if (snprintf(path, sizeof(path), "%s/lock", dir) >= (int)sizeof(path))
		return -ENAMETOOLONG;
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return -errno;
	do
		r = fcntl(fd, F_SETLKW, &range);
	while (r < 0 && errno == EINTR);
	return r < 0 ? -errno : steal_fd(&fd);
}
