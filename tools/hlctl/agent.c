// SPDX-License-Identifier: LGPL-2.1-or-later
/* Starts and stops polkit's agent. */
#include "agent.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "common/process.h"

#define NOTIFY_FD	  3
#define NOTIFY_FD_TEXT	  "3"
#define REGISTRATION_MSEC 10000

static pid_t agent; /* 0: none */

/* The agent closes its end of the pipe when polkit knows it. */
static void run_agent(pid_t parent, int notify)
{
	/* It must not outlive hlctl, which may be gone already. */
	if (prctl(PR_SET_PDEATHSIG, SIGTERM) < 0 || getppid() != parent)
		_exit(EXIT_FAILURE);
	/* A descriptor that has the number already would be closed by exec. */
	if (notify == NOTIFY_FD ? fcntl(notify, F_SETFD, 0) < 0 : dup2(notify, NOTIFY_FD) < 0)
		_exit(EXIT_FAILURE);
	(void)execlp("pkttyagent", "pkttyagent", "--notify-fd", NOTIFY_FD_TEXT, "--fallback", NULL);
	_exit(EXIT_FAILURE);
}

static bool is_wanted(const struct options *options)
{
	return !agent && !options->no_ask_password && options->bus != BUS_KIND_HOST &&
	       geteuid() != 0 && isatty(STDIN_FILENO);
}

void agent_start(const struct options *options)
{
	struct pollfd end;
	pid_t self = getpid();
	int ends[2];

	if (!is_wanted(options) || pipe2(ends, O_CLOEXEC))
		return;
	agent = fork();
	if (!agent)
		run_agent(self, ends[1]);
	close(ends[1]);
	end = (struct pollfd){.fd = ends[0]};
	while (agent > 0 && poll(&end, 1, REGISTRATION_MSEC) < 0 && errno == EINTR)
		;
	close(ends[0]);
	if (agent < 0)
		agent = 0;
}

void agent_stop(void)
{
	if (!agent)
		return;
	(void)kill(agent, SIGTERM);
	/* Where it was stopped, it goes on to its end. */
	(void)kill(agent, SIGCONT);
	(void)process_wait(agent, NULL);
	agent = 0;
}
