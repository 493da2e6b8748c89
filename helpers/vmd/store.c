// SPDX-License-Identifier: LGPL-2.1-or-later
/* Copies files by descriptors; a copy that is not whole does not keep its name. */
#include "store.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/io.h"
#include "order.h"

#define CHUNK 65536

static int open_dir(const char *dir, const struct order *order)
{
	char path[PATH_MAX];
	int fd;

	if (snprintf(path, sizeof(path), "%s/%s", dir, order->uuid_text) >= (int)sizeof(path))
		return -ENAMETOOLONG;
	fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

static int copy_content(int from, int to)
{
	_cleanup_(freep) char *buffer = malloc(CHUNK);
	off_t done = 0;
	ssize_t n;
	int r = 0;

	if (!buffer)
		return -ENOMEM;
	while (r == 0 && (n = pread(from, buffer, CHUNK, done)) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		r = n < 0 ? -errno : write_all(to, buffer, (size_t)n);
		done += n;
	}
	return r;
}

/* For writing, and once more for reading only, which is what is given on. */
static int copy(int dir, const char *name, int from)
{
	_cleanup_(closep) int to =
		openat(dir, name, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
	struct stat st;
	int r = to < 0 || fstat(from, &st) < 0 ? -errno : 0;

	if (r == 0 && !S_ISREG(st.st_mode))
		r = -EINVAL;
	if (r == 0)
		r = copy_content(from, to);
	if (r < 0) {
		(void)unlinkat(dir, name, 0);
		return r;
	}
	r = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	return r < 0 ? -errno : r;
}

static int save_one(int dir, const char *name, int *fd)
{
	int kept = *fd < 0 ? -1 : copy(dir, name, *fd);

	if (*fd < 0)
		return 0;
	if (kept < 0)
		return kept;
	/* Under the old number, whose owner closes it. */
	if (dup3(kept, *fd, O_CLOEXEC) < 0) {
		close(kept);
		return -errno;
	}
	close(kept);
	return 0;
}

int store_save(const char *dir, struct order *order)
{
	_cleanup_(closep) int fd = open_dir(dir, order);
	int r = fd < 0 ? fd : save_one(fd, "config", &order->config);

	if (r == 0)
		r = save_one(fd, "kernel", &order->kernel);
	if (r == 0)
		r = save_one(fd, "ramdisk", &order->ramdisk);
	return r;
}

static int open_one(int dir, const char *name, int *ret_fd)
{
	*ret_fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	return *ret_fd < 0 ? -errno : 0;
}

int store_open(const char *dir, struct order *order)
{
	_cleanup_(closep) int fd = open_dir(dir, order);
	int r = fd < 0 ? fd : open_one(fd, "config", &order->config);

	/* A kernel of this host has a name in the configuration. */
	if (r == 0 && open_one(fd, "kernel", &order->kernel) < 0 && errno != ENOENT)
		r = -errno;
	if (r == 0 && open_one(fd, "ramdisk", &order->ramdisk) < 0 && errno != ENOENT)
		r = -errno;
	return r;
}
