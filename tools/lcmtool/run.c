// SPDX-License-Identifier: LGPL-2.1-or-later
/* Runs other programs as filters. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/io.h"
#include "common/process.h"
#include "tool.h"

/* Returns a memfd with the bytes, at offset 0, or an errno. */
static int hold_in_memory(const void *data, size_t size)
{
	int fd = memfd_create("lcmtool", MFD_CLOEXEC), r;

	if (fd < 0)
		return -errno;
	r = write_all(fd, data, size);
	if (!r && lseek(fd, 0, SEEK_SET) < 0)
		r = -errno;
	if (r) {
		close(fd);
		return r;
	}
	return fd;
}

static int run(char *const argv[], int in, bool quiet, size_t max, struct buffer *ret_out)
{
	int ends[2], status, r, waited;
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC))
		return -errno;
	r = process_start(argv, in, ends[1], quiet ? PROCESS_DROP : -1, &pid);
	close(ends[1]);
	if (r) {
		close(ends[0]);
		return r;
	}
	r = read_fd(ends[0], max, ret_out);
	/* A program that still writes gets SIGPIPE and ends. */
	close(ends[0]);
	waited = process_wait(pid, &status);
	if (waited)
		return waited;
	if (!r && (!WIFEXITED(status) || WEXITSTATUS(status))) {
		buffer_free(ret_out);
		r = -EBADMSG;
	}
	return r;
}

static int run_on(char *const argv[], const void *in, size_t size, bool quiet, size_t max,
		  struct buffer *ret_out)
{
	int fd = hold_in_memory(in, size), r;

	if (fd < 0)
		return fd;
	r = run(argv, fd, quiet, max, ret_out);
	close(fd);
	return r;
}

int filter(char *const argv[], const void *in, size_t size, size_t max, struct buffer *ret_out)
{
	return run_on(argv, in, size, true, max, ret_out);
}

int filter_loudly(char *const argv[], const void *in, size_t size, size_t max,
		  struct buffer *ret_out)
{
	return run_on(argv, in, size, false, max, ret_out);
}
