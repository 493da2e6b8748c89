/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Other programs, which are found on PATH. */
#ifndef COMMON_PROCESS_H
#define COMMON_PROCESS_H

#include <stdbool.h>
#include <sys/types.h>

/*
 * Starts a program, which process_wait() has to wait for.
 * @in, @out: descriptors that become its standard input and output; -1: ours
 * @quiet: its standard error is dropped
 *
 * Returns 0, or a negative errno; -ENOENT: no such program.
 */
int process_start(char *const argv[], int in, int out, bool quiet, pid_t *ret_pid);

/*
 * Waits for the end of a child process.
 * @ret_status: as of waitpid(2)
 *
 * Returns 0, or the negative errno of waitpid(2).
 */
int process_wait(pid_t pid, int *ret_status);

#endif /* COMMON_PROCESS_H */
