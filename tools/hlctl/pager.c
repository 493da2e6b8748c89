// SPDX-License-Identifier: LGPL-2.1-or-later
/* Starts the pager, and reports output that could not be written. */
#include "pager.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "colour.h"
#include "common/process.h"

#define WORDS_MAX 16

static bool allowed;
static pid_t pager; /* 0: none */

void pager_allow(void)
{
	allowed = true;
}

/* NULL: none is wanted. */
static const char *chosen_pager(void)
{
	const char *chosen = getenv("HYPERLAUNCH_PAGER");

	if (!chosen)
		chosen = getenv("PAGER");
	return !chosen ? "less" : !*chosen || !strcmp(chosen, "cat") ? NULL : chosen;
}

/* The words of the command, which it cuts at its blanks; NULL after the last. */
static void split(char *command, char *words[static WORDS_MAX + 1])
{
	char *rest = NULL, *word = strtok_r(command, " \t", &rest);
	size_t nr = 0;

	for (; word && nr < WORDS_MAX; word = strtok_r(NULL, " \t", &rest))
		words[nr++] = word;
	words[nr] = NULL;
}

/* Runs the command, with in as its standard input.  Returns a negative errno. */
static int spawn_command(const char *command, int in, pid_t *ret_pid)
{
	char *argv[WORDS_MAX + 1], *copy = strdup(command);
	int r;

	if (!copy)
		return -ENOMEM;
	split(copy, argv);
	r = argv[0] ? process_start(argv, in, -1, -1, ret_pid) : -ENOENT;
	free(copy);
	return r;
}

/* Ends at once if all fits, with colours, without wrapping lines or starting other programs. */
static int set_environment(void)
{
	return setenv("LESS", "FRSX", 1) || setenv("LESSSECURE", "1", 1) ? -errno : 0;
}

/* Standard output goes to the pager from now on.  Returns a negative errno. */
static int start(const char *command)
{
	int ends[2], r;

	if (pipe2(ends, O_CLOEXEC))
		return -errno;
	r = spawn_command(command, ends[0], &pager);
	if (!r && dup2(ends[1], STDOUT_FILENO) < 0)
		r = -errno;
	close(ends[0]);
	close(ends[1]);
	return r;
}

void pager_open(void)
{
	const char *command;
	int r;

	if (!allowed || !on_terminal())
		return;
	allowed = false;
	r = set_environment();
	command = chosen_pager();
	if (!command)
		return;
	if (!r)
		r = start(command);
	if (!r) {
		/* The pager is what the user interrupts, or leaves before the end. */
		(void)signal(SIGPIPE, SIG_IGN);
		(void)signal(SIGINT, SIG_IGN);
	} else if (r != -ENOENT || strcmp(command, "less") != 0) {
		/* Without less there is no pager, unless the user named one. */
		warn("cannot run the pager '%s': %s", command, strerror(-r));
	}
}

enum exit_code output_end(enum exit_code code)
{
	bool failed = fflush(stdout) || ferror(stdout);
	int r = errno;

	if (pager) {
		close(STDOUT_FILENO);
		(void)process_wait(pager, NULL);
		return code;
	}
	return !code && failed ? report_error(EXIT_FAILED, "cannot write: %s", strerror(r)) : code;
}
