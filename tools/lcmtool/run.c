// SPDX-License-Identifier: LGPL-2.1-or-later
/* Runs other programs as filters. */
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/io.h"
#include "tool.h"

extern char **environ;

/* Returns a memfd with the bytes, at offset 0, or an errno. */
static int hold_in_memory(const void *data, size_t size)
{
	int fd = memfd_create("lcmtool", MFD_CLOEXEC), rc;

	if (fd < 0)
		return -errno;
	rc = write_all(fd, data, size);
	if (!rc && lseek(fd, 0, SEEK_SET) < 0)
		rc = -errno;
	if (rc) {
		close(fd);
		return rc;
	}
	return fd;
}

int spawn(char *const argv[], int in, int out, bool quiet, pid_t *ret_pid)
{
	posix_spawn_file_actions_t actions;
	int rc = posix_spawn_file_actions_init(&actions);

	if (rc)
		return -rc;
	rc = posix_spawn_file_actions_adddup2(&actions, in, STDIN_FILENO);
	if (!rc)
		rc = posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
	if (!rc && quiet)
		rc = posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null",
						      O_WRONLY, 0);
	if (!rc)
		rc = posix_spawnp(ret_pid, argv[0], &actions, NULL, argv, environ);
	posix_spawn_file_actions_destroy(&actions);
	return -rc;
}

static int run(char *const argv[], int in, bool quiet, size_t max, struct buffer *ret_out)
{
	int ends[2], status, rc;
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC))
		return -errno;
	rc = spawn(argv, in, ends[1], quiet, &pid);
	close(ends[1]);
	if (rc) {
		close(ends[0]);
		return rc;
	}
	rc = read_fd(ends[0], max, ret_out);
	/* A program that still writes gets SIGPIPE and ends. */
	close(ends[0]);
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	if (!rc && (!WIFEXITED(status) || WEXITSTATUS(status))) {
		buffer_free(ret_out);
		rc = -EBADMSG;
	}
	return rc;
}

static int run_on(char *const argv[], const void *in, size_t size, bool quiet, size_t max,
		  struct buffer *ret_out)
{
	int fd = hold_in_memory(in, size), rc;

	if (fd < 0)
		return fd;
	rc = run(argv, fd, quiet, max, ret_out);
	close(fd);
	return rc;
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
