// SPDX-License-Identifier: LGPL-2.1-or-later
/* A loop between two pairs of descriptors; the terminal is restored however it ends. */
#include "common/relay.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <termios.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/io.h"

#define CHUNK 4096

int relay_parse_escape(const char *text, int *ret_escape)
{
	char c = text[0];

	if (!strcmp(text, "none"))
		*ret_escape = NO_ESCAPE;
	else if (c == '^' && text[1] && !text[2] &&
		 strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_?", text[1]))
		*ret_escape = text[1] ^ 0x40;
	else if (c > ' ' && c < 0x7f && !text[1])
		*ret_escape = (unsigned char)c;
	else
		return -EINVAL;
	return 0;
}

const char *relay_escape_name(int escape, char buf[static 3])
{
	if (escape < 0x20 || escape == 0x7f)
		snprintf(buf, 3, "^%c", escape ^ 0x40);
	else
		snprintf(buf, 3, "%c", escape);
	return buf;
}

struct relay {
	int console, signals;
	int escape;
	bool terminal; /* standard input is one */
	bool input;    /* it is read */
	bool read_only;
	struct termios before; /* of the terminal */
	char pending[CHUNK];   /* what the console has not taken yet */
	size_t nr_pending;
	bool over;
	enum relay_end end;
	int error; /* of RELAY_FAILED: an errno */
};

static void end(struct relay *relay, enum relay_end how)
{
	if (!relay->over)
		relay->end = how;
	relay->over = true;
}

/* Reported when the terminal is no more raw. */
static void fail(struct relay *relay, int error)
{
	relay->error = error;
	end(relay, RELAY_FAILED);
}

static void set_raw(const struct relay *relay)
{
	struct termios raw = relay->before;

	cfmakeraw(&raw);
	(void)tcsetattr(STDIN_FILENO, TCSADRAIN, &raw);
}

/* The console's terminal is as large as ours; a reader changes nothing there. */
static void pass_size(const struct relay *relay)
{
	struct winsize size;

	if (relay->terminal && !relay->read_only && ioctl(STDIN_FILENO, TIOCGWINSZ, &size) == 0)
		(void)ioctl(relay->console, TIOCSWINSZ, &size);
}

/* Only what fits is kept: nobody types so fast, and a program is read when there is room. */
static void pass_on(struct relay *relay, const char *data, size_t size)
{
	size_t room = sizeof(relay->pending) - relay->nr_pending;

	if (relay->read_only)
		return;
	size = size < room ? size : room;
	memcpy(relay->pending + relay->nr_pending, data, size);
	relay->nr_pending += size;
}

static void read_input(struct relay *relay)
{
	size_t room = relay->terminal ? CHUNK : sizeof(relay->pending) - relay->nr_pending;
	char data[CHUNK];
	ssize_t size = read(STDIN_FILENO, data, room);
	const char *escape;

	if (size < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	if (size <= 0) {
		relay->input = false;
		if (relay->terminal)
			end(relay, RELAY_LEFT);
		return;
	}
	escape = relay->terminal && relay->escape != NO_ESCAPE
			 ? memchr(data, relay->escape, (size_t)size)
			 : NULL;
	pass_on(relay, data, escape ? (size_t)(escape - data) : (size_t)size);
	if (escape)
		end(relay, RELAY_LEFT);
}

static void write_console(struct relay *relay)
{
	ssize_t size = write(relay->console, relay->pending, relay->nr_pending);

	if (size < 0 && errno != EINTR && errno != EAGAIN)
		end(relay, RELAY_CLOSED);
	if (size <= 0)
		return;
	relay->nr_pending -= (size_t)size;
	memmove(relay->pending, relay->pending + size, relay->nr_pending);
}

static void read_console(struct relay *relay)
{
	char data[CHUNK];
	ssize_t size = read(relay->console, data, sizeof(data));
	int r;

	if (size < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	if (size <= 0) {
		end(relay, RELAY_CLOSED);
		return;
	}
	r = write_all(STDOUT_FILENO, data, (size_t)size);
	/* Nobody reads it any more. */
	if (r == -EPIPE)
		end(relay, RELAY_LEFT);
	else if (r < 0)
		fail(relay, -r);
}

/* SIGCONT: whoever stopped us has the terminal as it was. */
static void read_signal(struct relay *relay)
{
	struct signalfd_siginfo info;

	if (read(relay->signals, &info, sizeof(info)) != (ssize_t)sizeof(info))
		return;
	if (info.ssi_signo == SIGWINCH)
		pass_size(relay);
	else if (info.ssi_signo != SIGCONT)
		end(relay, RELAY_LEFT);
	else if (relay->terminal)
		set_raw(relay);
}

static void turn(struct relay *relay)
{
	bool room = relay->terminal || relay->nr_pending < sizeof(relay->pending);
	struct pollfd fds[] = {
		{.fd = relay->signals, .events = POLLIN},
		{.fd = relay->input && room ? STDIN_FILENO : -1, .events = POLLIN},
		{.fd = relay->console, .events = relay->nr_pending ? POLLIN | POLLOUT : POLLIN},
		/* Only that its other end is gone. */
		{.fd = STDOUT_FILENO},
	};

	if (poll(fds, ARRAY_SIZE(fds), -1) < 0) {
		if (errno != EINTR)
			fail(relay, errno);
		return;
	}
	if (fds[0].revents)
		read_signal(relay);
	if (!relay->over && fds[1].revents)
		read_input(relay);
	if (relay->nr_pending && fds[2].revents & POLLOUT)
		write_console(relay);
	if (!relay->over && fds[2].revents & ~POLLOUT)
		read_console(relay);
	if (fds[3].revents)
		end(relay, RELAY_LEFT);
}

/* They must not end us while the terminal is raw. */
static int block_signals(sigset_t *before)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGQUIT);
	sigaddset(&set, SIGCONT);
	sigaddset(&set, SIGWINCH);
	if (sigprocmask(SIG_BLOCK, &set, before) < 0 || signal(SIGPIPE, SIG_IGN) == SIG_ERR)
		return -errno;
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

enum relay_end relay_run(int console, int escape, bool read_only, int *ret_error)
{
	struct relay relay = {.console = console, .escape = escape, .read_only = read_only};
	sigset_t before;

	if (fcntl(console, F_SETFL, O_NONBLOCK) < 0)
		return RELAY_CLOSED;
	relay.signals = block_signals(&before);
	if (relay.signals < 0) {
		*ret_error = relay.signals;
		return RELAY_FAILED;
	}
	relay.terminal = isatty(STDIN_FILENO) && !tcgetattr(STDIN_FILENO, &relay.before);
	relay.input = relay.terminal || !read_only;
	if (relay.terminal)
		set_raw(&relay);
	pass_size(&relay);
	while (!relay.over)
		turn(&relay);
	/* What was typed before the escape character. */
	if (relay.nr_pending)
		write_console(&relay);
	if (relay.terminal)
		(void)tcsetattr(STDIN_FILENO, TCSADRAIN, &relay.before);
	close(relay.signals);
	(void)sigprocmask(SIG_SETMASK, &before, NULL);
	*ret_error = -relay.error;
	return relay.end;
}
