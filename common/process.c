// SPDX-License-Identifier: LGPL-2.1-or-later
/* Starts other programs, and waits for them. */
#include "common/process.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

/* Returns a positive errno, as the functions of <spawn.h> do. */
static int redirect(posix_spawn_file_actions_t *actions, int in, int out, int err)
{
	int r = 0;

	if (in >= 0)
		r = posix_spawn_file_actions_adddup2(actions, in, STDIN_FILENO);
	if (!r && out >= 0)
		r = posix_spawn_file_actions_adddup2(actions, out, STDOUT_FILENO);
	if (!r && err >= 0)
		r = posix_spawn_file_actions_adddup2(actions, err, STDERR_FILENO);
	if (!r && err == PROCESS_DROP)
		r = posix_spawn_file_actions_addopen(actions, STDERR_FILENO, "/dev/null", O_WRONLY,
						     0);
	return r;
}

int process_start(char *const argv[], int in, int out, int err, pid_t *ret_pid)
{
	posix_spawn_file_actions_t actions;
	int r = posix_spawn_file_actions_init(&actions);

	if (r)
		return -r;
	r = redirect(&actions, in, out, err);
	if (!r)
		r = posix_spawnp(ret_pid, argv[0], &actions, NULL, argv, environ);
	(void)posix_spawn_file_actions_destroy(&actions);
	return -r;
}

int process_wait(pid_t pid, int *ret_status)
{
	while (waitpid(pid, ret_status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	return 0;
}
