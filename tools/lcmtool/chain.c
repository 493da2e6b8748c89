// SPDX-License-Identifier: LGPL-2.1-or-later
/* The files of a launch, in the order of their module numbers, with size and digest. */
#include <errno.h>
#include <fcntl.h>
#include <sha2.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "chain.h"

void chain_free(struct chain *chain)
{
	for (unsigned int i = 0; i < chain->nr; i++)
		free(chain->files[i].path);
	chain->nr = 0;
}

static void digest(const void *data, size_t size, uint8_t ret_sha256[HL_SHA256_SIZE])
{
	SHA2_CTX sha256;

	SHA256Init(&sha256);
	SHA256Update(&sha256, data, size);
	SHA256Final(ret_sha256, &sha256);
}

static int digest_fd(int fd, struct chain_file *file)
{
	struct stat st;
	void *data;

	if (fstat(fd, &st))
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EISDIR;
	file->device = st.st_dev;
	file->inode = st.st_ino;
	file->size = (uint64_t)st.st_size;
	if (!st.st_size) {
		digest("", 0, file->sha256);
		return 0;
	}
	data = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (data == MAP_FAILED)
		return -errno;
	digest(data, (size_t)st.st_size, file->sha256);
	file->packed = grub_unpacks(data, (size_t)st.st_size);
	munmap(data, (size_t)st.st_size);
	return 0;
}

int digest_file(const char *path, struct chain_file *ret_file)
{
	struct chain_file file = {0};
	/* O_NONBLOCK: opening a FIFO without a writer, which is rejected, must not block. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK), r;

	if (fd < 0)
		return -errno;
	r = digest_fd(fd, &file);
	close(fd);
	if (!r)
		*ret_file = file;
	return r;
}

static bool find_in_chain(const struct chain *chain, const struct stat *st, unsigned int *ret_at)
{
	for (unsigned int i = 0; i < chain->nr; i++)
		if (chain->files[i].device == st->st_dev && chain->files[i].inode == st->st_ino) {
			*ret_at = i;
			return true;
		}
	return false;
}

/* Makes a path absolute and resolves links, except in the last component: users know that name. */
static int absolute_path(const char *path, char **ret_path)
{
	const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
	char *dir, *real, *whole = NULL;
	int r = 0;

	if (slash && slash != path)
		dir = strndup(path, (size_t)(slash - path));
	else
		dir = strdup(slash ? "/" : ".");
	real = dir ? realpath(dir, NULL) : NULL;
	if (!real)
		r = -errno;
	else if (asprintf(&whole, "%s%s%s", real, real[1] ? "/" : "", name) < 0)
		r = -ENOMEM;
	free(dir);
	free(real);
	if (r)
		return r;
	*ret_path = whole;
	return 0;
}

int chain_add(struct chain *chain, const char *path, unsigned int *ret_index)
{
	struct chain_file file;
	struct stat st;
	unsigned int at;
	int r;

	if (stat(path, &st))
		return -errno;
	if (find_in_chain(chain, &st, &at)) {
		*ret_index = at + 1;
		return 0;
	}
	if (chain->nr == MAX_CHAIN)
		return -EFBIG;
	r = digest_file(path, &file);
	if (r)
		return r;
	r = absolute_path(path, &file.path);
	if (r)
		return r;
	chain->files[chain->nr++] = file;
	*ret_index = chain->nr;
	return 0;
}

int chain_find(const char *name, char *const *dirs, size_t nr_dirs, char **ret_path)
{
	char *path;

	if (name[0] == '/') {
		path = strdup(name);
		if (!path)
			return -ENOMEM;
		*ret_path = path;
		return 0;
	}
	for (size_t i = 0; i < nr_dirs; i++) {
		if (asprintf(&path, "%s/%s", dirs[i], name) < 0)
			return -ENOMEM;
		if (!access(path, F_OK)) {
			*ret_path = path;
			return 0;
		}
		free(path);
	}
	return -ENOENT;
}
