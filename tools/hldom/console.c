// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * hldom console: runs a program with the Xen console as its terminal.  The console owner
 * reads input by hypercall; Linux's own driver does that in dom0 only.
 */
#include "hldom.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <xencall.h>
#include <xenevtchn.h>

#include <xen/xen.h>

#define CHUNK 1024
/* While another domain owns the console, output is kept, and writing it retried. */
#define RETRY_MS 1000

struct console {
	xencall_handle *call;
	xenevtchn_handle *events;
	char *buffer;	     /* for hypercalls, CHUNK bytes */
	char pending[CHUNK]; /* output that is not written yet */
	size_t nr_pending;
	bool held_back;	   /* another domain owns the console */
	char input[CHUNK]; /* that the program has not taken yet: from input_start on */
	size_t input_start, nr_input;
	pid_t program;
	int terminal; /* non-blocking: a program that does not read may be about to write */
};

/* Returns bytes, or an errno; -EPERM: another domain owns the console (EACCES with FLASK). */
static int console_io(struct console *console, unsigned int op, size_t size)
{
	int r = xencall3(console->call, __HYPERVISOR_console_io, op, size,
			 (uintptr_t)console->buffer);

	if (r >= 0)
		return r;
	return errno == EACCES ? -EPERM : -errno;
}

/* Reads what was typed, if the last of it is taken.  Returns bytes, or an errno. */
static int read_input(struct console *console)
{
	int n = console->nr_input ? (int)console->nr_input
				  : console_io(console, CONSOLEIO_read, CHUNK);

	if (n > 0 && !console->nr_input) {
		memcpy(console->input, console->buffer, (size_t)n);
		console->input_start = 0;
		console->nr_input = (size_t)n;
	}
	return n;
}

/*
 * Passes input to the program, as far as its terminal has room; Xen keeps the rest.  No
 * error if another domain owns the console, or the program has ended: its output says so.
 */
static int take_input(struct console *console)
{
	int n;

	while ((n = read_input(console)) > 0) {
		ssize_t written = write(console->terminal, console->input + console->input_start,
					console->nr_input);

		if (written < 0 && errno == EINTR)
			continue;
		if (written < 0 && errno == EIO)
			console->nr_input = 0;
		if (written < 0)
			return errno == EAGAIN || errno == EIO ? 0 : -errno;
		console->input_start += (size_t)written;
		console->nr_input -= (size_t)written;
	}
	return n == -EPERM ? 0 : n;
}

static int put_output(struct console *console)
{
	int r;

	memcpy(console->buffer, console->pending, console->nr_pending);
	r = console_io(console, CONSOLEIO_write, console->nr_pending);
	console->held_back = r == -EPERM;
	if (r < 0)
		return r == -EPERM ? 0 : r;
	console->nr_pending = 0;
	return 0;
}

/* Returns 0, -EPIPE: the program has ended; or another errno. */
static int take_output(struct console *console)
{
	ssize_t n = read(console->terminal, console->pending, sizeof(console->pending));

	/* EIO: the other end of the terminal is closed. */
	if (n <= 0)
		return n < 0 && (errno == EINTR || errno == EAGAIN) ? 0 : -EPIPE;
	console->nr_pending = (size_t)n;
	return put_output(console);
}

static int take_event(struct console *console)
{
	xenevtchn_port_or_error_t port = xenevtchn_pending(console->events);

	if (port < 0)
		return -errno;
	if (xenevtchn_unmask(console->events, (evtchn_port_t)port) < 0)
		return -errno;
	return take_input(console);
}

/* What is waited for of the terminal: no output while some is pending. */
static short terminal_events(const struct console *console)
{
	return (short)((console->held_back ? 0 : POLLIN) | (console->nr_input ? POLLOUT : 0));
}

static int turn(struct console *console)
{
	short events = terminal_events(console);
	struct pollfd fds[2] = {
		/* Ignored while input is pending. */
		{.fd = console->nr_input ? -1 : xenevtchn_fd(console->events), .events = POLLIN},
		{.fd = events ? console->terminal : -1, .events = events},
	};
	int r = 0;

	if (poll(fds, 2, console->held_back ? RETRY_MS : -1) < 0)
		return errno == EINTR ? 0 : -errno;
	if (fds[0].revents)
		r = take_event(console);
	else if (console->nr_input && fds[1].revents)
		r = take_input(console);
	if (!r && console->held_back)
		r = put_output(console);
	else if (!r && fds[1].revents & ~POLLOUT)
		r = take_output(console);
	return r;
}

static int start_program(struct console *console, char *argv[])
{
	console->program = forkpty(&console->terminal, NULL, NULL, NULL);
	if (console->program < 0) {
		int r = -errno;

		report_error("console: cannot open a terminal: is devpts mounted?");
		return r;
	}
	if (console->program == 0) {
		/* `hlctl handoff` warns the user of this terminal. */
		setenv("HLDOM_CONSOLE", "1", 1);
		execvp(argv[0], argv);
		report_error("console: %s: %m", argv[0]);
		_exit(127);
	}
	if (fcntl(console->terminal, F_SETFD, FD_CLOEXEC) < 0 ||
	    fcntl(console->terminal, F_SETFL, O_RDWR | O_NONBLOCK) < 0)
		return -errno;
	return 0;
}

static int open_console(struct console *console)
{
	console->terminal = -1;
	console->call = xencall_open(NULL, 0);
	if (!console->call)
		return -errno;
	console->buffer = xencall_alloc_buffer(console->call, CHUNK);
	if (!console->buffer)
		return -ENOMEM;
	console->events = xenevtchn_open(NULL, 0);
	if (!console->events)
		return -errno;
	return xenevtchn_bind_virq(console->events, VIRQ_CONSOLE) < 0 ? -errno : 0;
}

static void close_console(struct console *console)
{
	if (console->events)
		xenevtchn_close(console->events);
	if (console->buffer)
		xencall_free_buffer(console->call, console->buffer);
	if (console->call)
		xencall_close(console->call);
}

/* Returns the exit code of the program, as a shell does: 128 + the signal that ended it. */
static int await_program(const struct console *console)
{
	int status;

	while (waitpid(console->program, &status, 0) < 0)
		if (errno != EINTR)
			return EXIT_FAILED;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int run_on_console(int argc, char *argv[])
{
	struct console console = {};
	int r, code = EXIT_FAILED;

	if (argc < 2)
		return usage_error();
	r = open_console(&console);
	if (!r)
		r = start_program(&console, argv + 1);
	/* Input that arrived before the interrupt was bound raises no event. */
	if (!r)
		r = take_input(&console);
	while (!r)
		r = turn(&console);
	if (r != -EPIPE)
		report_error("console: %s", strerror(-r));
	if (console.terminal >= 0) {
		close(console.terminal);
		code = await_program(&console);
	}
	close_console(&console);
	return r == -EPIPE ? code : EXIT_FAILED;
}
