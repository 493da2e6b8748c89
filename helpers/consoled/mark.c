// SPDX-License-Identifier: LGPL-2.1-or-later
/* Marks: files early-LOG that contain a domid. */
#include "mark.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/io.h"
#include "message.h"
#include "util.h"

#define TEXT_SIZE 16

static int open_mark(const char *dir, const char *log, int flags)
{
	_cleanup_(freep) char *path = NULL;
	int fd;

	if (asprintf(&path, "%s/early-%s", dir, log) < 0)
		return -ENOMEM;
	fd = open(path, flags | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);
	return fd < 0 ? -errno : fd;
}

void mark_set(const char *dir, const char *log, uint32_t domid)
{
	_cleanup_(closep) int fd = open_mark(dir, log, O_WRONLY | O_CREAT | O_TRUNC);
	char text[TEXT_SIZE];
	int r = fd;

	if (r >= 0) {
		int length = snprintf(text, sizeof(text), "%" PRIu32 "\n", domid);

		r = write_all(fd, text, (size_t)length);
	}
	if (r < 0)
		message(LOG_WARNING, "%s/early-%s: %s", dir, log, strerror(-r));
}

bool mark_is_set(const char *dir, const char *log, uint32_t domid)
{
	_cleanup_(closep) int fd = open_mark(dir, log, O_RDONLY);
	char text[TEXT_SIZE], expected[TEXT_SIZE];
	ssize_t size;

	if (fd < 0)
		return false;
	size = read(fd, text, sizeof(text));
	return size == snprintf(expected, sizeof(expected), "%" PRIu32 "\n", domid) &&
	       memcmp(text, expected, (size_t)size) == 0;
}
