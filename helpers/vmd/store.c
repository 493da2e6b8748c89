// SPDX-License-Identifier: LGPL-2.1-or-later
/* Copies files by descriptors; a copy that is not whole does not keep its name. */
#include "store.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/io.h"
#include "copy.h"
#include "order.h"

#define NEW_CONFIG "config.new"

static int open_dir(const char *dir, const struct order *order)
{
	char path[PATH_MAX];
	int fd;

	if (snprintf(path, sizeof(path), "%s/%s", dir, order->uuid_text) >= (int)sizeof(path))
		return -ENAMETOOLONG;
	fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

/* The directory is in memory, where services of the system have files too: they get half of it. */
static int check_room(int dir, off_t size)
{
	struct statvfs fs;

	if (fstatvfs(dir, &fs) < 0)
		return -errno;
	return (fsblkcnt_t)size / fs.f_bsize + fs.f_blocks / 2 > fs.f_bfree ? -ENOSPC : 0;
}

static int copy_file(int dir, const char *name, int from)
{
	_cleanup_(closep) int to =
		openat(dir, name, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
	off_t size = 0;
	int r = to < 0 ? -errno : copy_check(from, &size);

	if (r == 0)
		r = check_room(dir, size);
	if (r == 0)
		r = copy_bytes(from, size, to);
	if (r < 0)
		(void)unlinkat(dir, name, 0);
	return r;
}

/* Under the old number, whose owner closes it; for reading only. */
static int save_one(int dir, const char *name, int fd)
{
	int r = fd < 0 ? 0 : copy_file(dir, name, fd), kept;

	if (fd < 0 || r < 0)
		return r;
	kept = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	return kept < 0 ? -errno : copy_replace(fd, kept);
}

int store_save(const char *dir, const struct order *order)
{
	_cleanup_(closep) int fd = open_dir(dir, order);
	int r = fd < 0 ? fd : save_one(fd, "config", order->config);

	if (r == 0)
		r = save_one(fd, "kernel", order->kernel);
	if (r == 0)
		r = save_one(fd, "ramdisk", order->ramdisk);
	return r;
}

static int write_new(int dir, const char *text)
{
	_cleanup_(closep) int fd = openat(
		dir, NEW_CONFIG, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);

	return fd < 0 ? -errno : write_all(fd, text, strlen(text));
}

int store_replace_config(const char *dir, const struct order *order, const char *text)
{
	_cleanup_(closep) int fd = open_dir(dir, order);
	int r = fd < 0 ? fd : write_new(fd, text);

	if (r == 0 && renameat(fd, NEW_CONFIG, fd, "config") < 0)
		r = -errno;
	if (r < 0 && fd >= 0)
		(void)unlinkat(fd, NEW_CONFIG, 0);
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
