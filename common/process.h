/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Other programs, which are found on PATH. */
#ifndef COMMON_PROCESS_H
#define COMMON_PROCESS_H

#include <sys/types.h>

#define PROCESS_DROP (-2)

/*
 * Starts a program, which process_wait() has to wait for.
 * @in, @out, @err: descriptors that become its standard input, output and error; -1: ours
 * @err: PROCESS_DROP: what it writes there is dropped
 *
 * Returns 0, or a negative errno; -ENOENT: no such program.
 */
int process_start(char *const argv[], int in, int out, int err, pid_t *ret_pid);

/*
 * Waits for the end of a child process.
 * @ret_status: as of waitpid(2)
 *
 * Returns 0, or the negative errno of waitpid(2).
 */
int process_wait(pid_t pid, int *ret_status);

#endif /* COMMON_PROCESS_H */
