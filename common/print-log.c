// SPDX-License-Identifier: LGPL-2.1-or-later
/* Copies a log to standard output; a terminal gets nothing that acts on it. */
#include "common/print-log.h"

#include <errno.h>
#include <hyperlaunch/hl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "common/cleanup.h"

#define CHUNK	 4096
#define UTF8_MAX 4 /* bytes of a character */

/* What a terminal is shown of a log. */
struct filter {
	char rest[CHUNK + UTF8_MAX]; /* what may go on with the next bytes */
	size_t nr_rest;
};

/* Nothing in it acts on the terminal; it has no zero byte. */
static int print_plain(const char *text)
{
	_cleanup_(freep) char *shown = hl_utf8_dup(text);

	if (!shown)
		return -ENOMEM;
	return fputs(shown, stdout) < 0 ? -errno : 0;
}

/* Lines end in CR LF mostly. */
static int print_filtered(char *text, size_t size)
{
	char *at = text;
	int r = 0;

	text[size] = '\0';
	for (char *end = at; r == 0 && end <= text + size; end++) {
		char stop = *end;

		if (stop == '\r' && end[1] != '\n')
			continue;
		if (stop != '\r' && stop != '\n' && stop != '\t' && end < text + size) {
			if (!stop)
				*end = '\x7f';
			continue;
		}
		*end = '\0';
		r = print_plain(at);
		if (stop == '\n' || stop == '\t')
			(void)putchar(stop);
		at = end + 1;
	}
	return r;
}

/* How many bytes at the end begin something that the next ones may end. */
static size_t incomplete(const char *text, size_t size)
{
	for (size_t i = 1; i < UTF8_MAX && i <= size; i++) {
		unsigned char c = (unsigned char)text[size - i];
		size_t length = c >= 0xf0 ? 4 : c >= 0xe0 ? 3 : c >= 0xc0 ? 2 : 1;

		if (c == '\r' && i == 1)
			return 1;
		if (c >= 0xc0)
			return length > i ? i : 0;
		if (c < 0x80)
			return 0;
	}
	return 0;
}

/* size 0: the end. */
static int filter(struct filter *filter, const char *data, size_t size)
{
	char text[sizeof(filter->rest) + CHUNK + 1];
	size_t all = filter->nr_rest + size;

	memcpy(text, filter->rest, filter->nr_rest);
	if (size)
		memcpy(text + filter->nr_rest, data, size);
	filter->nr_rest = size ? incomplete(text, all) : 0;
	memcpy(filter->rest, text + all - filter->nr_rest, filter->nr_rest);
	return print_filtered(text, all - filter->nr_rest);
}

/* -errno; 1: there is more. */
static int copy_chunk(int fd, struct filter *for_terminal)
{
	char data[CHUNK];
	ssize_t size = read(fd, data, sizeof(data));
	int r = 0;

	if (size < 0)
		return errno == EINTR || errno == EAGAIN ? 1 : -errno;
	if (for_terminal)
		r = filter(for_terminal, data, (size_t)size);
	else if (size > 0 && fwrite(data, (size_t)size, 1, stdout) != 1)
		return -errno;
	if (r < 0)
		return r;
	return fflush(stdout) ? -errno : size > 0;
}

/* Until the log ends, the reader is gone, or a signal comes. */
static int copy_log(int fd, int signals, struct filter *for_terminal)
{
	int r = 1;

	while (r > 0) {
		struct pollfd fds[] = {
			{.fd = fd, .events = POLLIN},
			{.fd = signals, .events = POLLIN},
			/* Only that its other end is gone. */
			{.fd = STDOUT_FILENO},
		};

		if (poll(fds, ARRAY_SIZE(fds), -1) < 0)
			r = errno == EINTR ? 1 : -errno;
		else if (fds[1].revents || fds[2].revents)
			return 0;
		else if (fds[0].revents)
			r = copy_chunk(fd, for_terminal);
	}
	return r;
}

/* Those that end what would go on for ever; -1 where it does not. */
static int open_signals(bool follow)
{
	sigset_t set;

	if (!follow)
		return -1;
	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
		return -1;
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

int print_console_log(int fd, bool follow, bool for_terminal)
{
	_cleanup_(closep) int signals = open_signals(follow);
	struct filter state = {.nr_rest = 0};

	return copy_log(fd, signals, for_terminal ? &state : NULL);
}
