// SPDX-License-Identifier: LGPL-2.1-or-later
/* Goes through directories, and copies into memory whatever may be a module, to see its digest. */
#include "lifecycle/module-file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sha2.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/io.h"
#include "common/process.h"
#include "common/sealed.h"

#define CHUNK (1u << 16)
/* Of a gzip file: a header, a block of no bytes, and a trailer that ends with the size. */
#define PACKED_MIN 20

struct copy {
	int from, to;
	uint64_t size, max;
	SHA2_CTX sha256;
	const atomic_bool *cancelled;
};

static void closedirp(DIR **dir)
{
	if (*dir)
		closedir(*dir);
}

static ssize_t copy_read(const struct copy *copy, void *buffer, size_t size)
{
	ssize_t n;

	do {
		if (atomic_load(copy->cancelled))
			return -ECANCELED;
		n = read(copy->from, buffer, size);
	} while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : n;
}

static int copy_write(struct copy *copy, const void *data, size_t size)
{
	copy->size += size;
	if (copy->size > copy->max)
		return -EFBIG;
	SHA256Update(&copy->sha256, data, size);
	return write_all(copy->to, data, size);
}

static int copy_plain(struct copy *copy)
{
	uint8_t buffer[CHUNK];
	int r = 0;

	while (r == 0) {
		ssize_t n = copy_read(copy, buffer, sizeof(buffer));

		if (n <= 0)
			return (int)n;
		r = copy_write(copy, buffer, (size_t)n);
	}
	return r;
}

/* Whether it was damaged, the digest says. */
static int copy_unpacked(struct copy *copy)
{
	char *argv[] = {"gzip", "-dc", NULL};
	int ends[2], status, r, waited;
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return -errno;
	r = process_start(argv, copy->from, ends[1], PROCESS_DROP, &pid);
	close(ends[1]);
	if (r < 0) {
		close(ends[0]);
		return r;
	}
	copy->from = ends[0];
	r = copy_plain(copy);
	/* A program that still writes ends then. */
	close(ends[0]);
	waited = process_wait(pid, &status);
	return r < 0 ? r : waited;
}

/* 1: it is the module, and *ret_fd a copy of it; 0: it is not. */
static int try_file(int fd, bool unpack, const struct module_file *module,
		    const atomic_bool *cancelled, int *ret_fd)
{
	_cleanup_(closep) int memory = sealable_memfd("module");
	struct copy copy = {
		.from = fd,
		.to = memory,
		.max = module->size > 0 ? module->size : MODULE_FILE_MAX,
		.cancelled = cancelled,
	};
	uint8_t sha256[HL_SHA256_SIZE];
	int r;

	if (memory < 0)
		return memory;
	if (lseek(fd, 0, SEEK_SET) < 0)
		return -errno;
	SHA256Init(&copy.sha256);
	r = unpack ? copy_unpacked(&copy) : copy_plain(&copy);
	SHA256Final(sha256, &copy.sha256);
	if (r < 0 || memcmp(sha256, module->sha256, sizeof(sha256)) != 0)
		return r;
	r = seal_memfd(memory);
	if (r < 0)
		return r;
	*ret_fd = steal_fd(&memory);
	return 1;
}

/* A gzip file ends with the size of its content, of which there are 32 bits. */
static bool may_be_packed(int fd, uint64_t file_size, uint64_t size)
{
	uint8_t magic[2], end[4];

	if (file_size < PACKED_MIN || pread(fd, magic, 2, 0) != 2 || magic[0] != 0x1f ||
	    magic[1] != 0x8b || pread(fd, end, 4, (off_t)file_size - 4) != 4)
		return false;
	return size == 0 || (uint32_t)size == (end[0] | (uint32_t)end[1] << 8 |
					       (uint32_t)end[2] << 16 | (uint32_t)end[3] << 24);
}

/* Whoever else owns it may change it meanwhile, or have it lead elsewhere. */
static bool is_trusted(const struct stat *st)
{
	return st->st_uid == 0 || st->st_uid == geteuid();
}

static bool is_candidate(const struct stat *st)
{
	return S_ISREG(st->st_mode) && is_trusted(st) && st->st_size > 0 &&
	       (uint64_t)st->st_size <= MODULE_FILE_MAX;
}

/* Nothing but a file is ever opened: that of a device may do something. */
static int open_candidate(int dir, const char *name, uint64_t *ret_size)
{
	_cleanup_(closep) int fd = -1;
	struct stat st;

	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0 || !is_candidate(&st))
		return -EINVAL;
	fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	if (!is_candidate(&st))
		return -EINVAL;
	*ret_size = (uint64_t)st.st_size;
	return steal_fd(&fd);
}

/* What is wrong with one file keeps nobody from looking at the next one. */
static bool ends_all(int r)
{
	return r == -ECANCELED || r == -ENOMEM || r == -ENOSPC || r == -EMFILE || r == -ENFILE;
}

static int look_at(int fd, uint64_t size, const atomic_bool *cancelled, struct module_file *module)
{
	int r = 0;

	if (module->size == 0 || module->size == size)
		r = try_file(fd, false, module, cancelled, &module->fd);
	if (r <= 0 && !ends_all(r) && may_be_packed(fd, size, module->size)) {
		r = try_file(fd, true, module, cancelled, &module->fd);
		module->unpacked = r > 0;
	}
	return r;
}

static int look_at_all(const char *path, int dir, const char *name, const atomic_bool *cancelled,
		       struct module_file *modules, size_t nr)
{
	uint64_t size = 0;
	_cleanup_(closep) int fd = open_candidate(dir, name, &size);

	for (size_t i = 0; i < nr && fd >= 0; i++) {
		int r = modules[i].fd < 0 ? look_at(fd, size, cancelled, &modules[i]) : 0;

		if (r > 0)
			snprintf(modules[i].path, sizeof(modules[i].path), "%.250s/%.255s", path,
				 name);
		if (ends_all(r))
			return r;
	}
	return ends_all(fd) ? fd : 0;
}

static bool is_complete(const struct module_file *modules, size_t nr)
{
	for (size_t i = 0; i < nr; i++)
		if (modules[i].fd < 0)
			return false;
	return true;
}

static int look_into(const char *path, int fd, DIR *dir, const atomic_bool *cancelled,
		     struct module_file *modules, size_t nr)
{
	const struct dirent *entry;
	int r = 0;

	while (r == 0 && !is_complete(modules, nr) && (entry = readdir(dir)))
		r = atomic_load(cancelled)
			    ? -ECANCELED
			    : look_at_all(path, fd, entry->d_name, cancelled, modules, nr);
	return r;
}

static int find_in(const char *path, const atomic_bool *cancelled, struct module_file *modules,
		   size_t nr)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_cleanup_(closedirp) DIR *dir = NULL;
	struct stat st;

	if (fd < 0)
		return ends_all(-errno) ? -errno : 0;
	dir = fdopendir(fd);
	if (!dir) {
		close(fd);
		return -ENOMEM;
	}
	if (fstat(fd, &st) < 0 || !is_trusted(&st))
		return 0;
	return look_into(path, fd, dir, cancelled, modules, nr);
}

int module_file_find(const char *path, const atomic_bool *cancelled, struct module_file *modules,
		     size_t nr)
{
	char one[4096];
	size_t length;
	int r = 0;

	for (; r == 0 && *path && !is_complete(modules, nr);
	     path += length + (path[length] == ':')) {
		length = strcspn(path, ":");
		if (length == 0 || length >= sizeof(one))
			continue;
		memcpy(one, path, length);
		one[length] = '\0';
		r = find_in(one, cancelled, modules, nr);
	}
	return r;
}
