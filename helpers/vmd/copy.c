// SPDX-License-Identifier: LGPL-2.1-or-later
/* Looks at descriptors before it reads them. */
#include "copy.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/io.h"
#include "common/sealed.h"

#define CHUNK ((off_t)1 << 16)

int copy_check(int fd, off_t *ret_size)
{
	int flags = fcntl(fd, F_GETFL);
	struct stat st;

	if (flags < 0 || fstat(fd, &st) < 0)
		return -errno;
	if ((flags & O_PATH) || (flags & O_ACCMODE) == O_WRONLY)
		return -EBADF;
	if (!S_ISREG(st.st_mode))
		return -EINVAL;
	*ret_size = st.st_size;
	return st.st_size > COPY_MAX ? -EFBIG : 0;
}

/* Returns the number of bytes, or a negative errno. */
static ssize_t copy_chunk(int from, off_t at, off_t left, int to, char *buffer)
{
	ssize_t n;
	int r;

	do
		n = pread(from, buffer, (size_t)(left < CHUNK ? left : CHUNK), at);
	while (n < 0 && errno == EINTR);
	if (n <= 0)
		return n < 0 ? -errno : -EIO;
	r = write_all(to, buffer, (size_t)n);
	return r < 0 ? r : n;
}

int copy_bytes(int from, off_t size, int to)
{
	char *buffer = malloc((size_t)CHUNK);
	ssize_t n = buffer ? 0 : -ENOMEM;

	for (off_t done = 0; n >= 0 && done < size; done += n)
		n = copy_chunk(from, done, size - done, to, buffer);
	free(buffer);
	return n < 0 ? (int)n : 0;
}

int copy_replace(int fd, int by)
{
	int r = dup3(by, fd, O_CLOEXEC) < 0 ? -errno : 0;

	close(by);
	return r;
}

int copy_in_memory(int fd)
{
	_cleanup_(closep) int copy = -1;
	off_t size = 0;
	int r;

	if (fd < 0)
		return 0;
	r = copy_check(fd, &size);
	if (r < 0 || is_sealed(fd))
		return r;
	copy = sealable_memfd("module");
	if (copy < 0)
		return copy;
	r = copy_bytes(fd, size, copy);
	if (r == 0)
		r = seal_memfd(copy);
	return r < 0 ? r : copy_replace(fd, steal_fd(&copy));
}
