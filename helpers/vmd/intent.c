// SPDX-License-Identifier: LGPL-2.1-or-later
/* Writes, reads and removes the file: a line with the domid, the type and the device. */
#include "intent.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/io.h"
#include "order.h"

/* A number, a type, a device, what is between them, and the end of the line. */
#define LINE_MAX_SIZE 96

static int name_file(const char *dir, const struct order *order, const char *suffix,
		     char path[PATH_MAX])
{
	int length = snprintf(path, PATH_MAX, "%s/%s.attach%s", dir, order->uuid_text, suffix);

	return length < PATH_MAX ? 0 : -ENAMETOOLONG;
}

static int write_file(const char *path, const char *line)
{
	_cleanup_(closep) int fd =
		open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);

	return fd < 0 ? -errno : write_all(fd, line, strlen(line));
}

/* Renamed, so that no half of it is ever read. */
int intent_write(const char *dir, const struct order *order, const struct intent *intent)
{
	char path[PATH_MAX], temporary[PATH_MAX], line[LINE_MAX_SIZE];
	int r = name_file(dir, order, "", path);

	if (r == 0)
		r = name_file(dir, order, ".new", temporary);
	if (r < 0)
		return r;
	snprintf(line, sizeof(line), "%" PRIu32 " %s %s\n", intent->domid, intent->type,
		 intent->device);
	r = write_file(temporary, line);
	if (r == 0 && rename(temporary, path) < 0)
		r = -errno;
	if (r < 0)
		(void)unlink(temporary);
	return r;
}

/* The next word of the line, which ends with `end`.  -EBADMSG: there is none, or it is too long. */
static int take_word(const char **line, char end, char *to, size_t size)
{
	size_t length = strcspn(*line, " \n");

	if (length == 0 || length >= size || (*line)[length] != end)
		return -EBADMSG;
	memcpy(to, *line, length);
	to[length] = '\0';
	*line += length + 1;
	return 0;
}

static int parse(const char *line, struct intent *ret_intent)
{
	struct intent intent = {.domid = 0};
	char number[16], *end;
	int r = take_word(&line, ' ', number, sizeof(number));

	if (r == 0)
		r = take_word(&line, ' ', intent.type, sizeof(intent.type));
	if (r == 0)
		r = take_word(&line, '\n', intent.device, sizeof(intent.device));
	if (r < 0 || *line != '\0')
		return -EBADMSG;
	intent.domid = (uint32_t)strtoul(number, &end, 10);
	if (*end != '\0')
		return -EBADMSG;
	*ret_intent = intent;
	return 0;
}

int intent_read(const char *dir, const struct order *order, struct intent *ret_intent)
{
	char path[PATH_MAX], line[LINE_MAX_SIZE];
	_cleanup_(closep) int fd = -1;
	ssize_t n;
	int r = name_file(dir, order, "", path);

	if (r < 0)
		return r;
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return -errno;
	n = read(fd, line, sizeof(line) - 1);
	if (n < 0)
		return -errno;
	line[n] = '\0';
	return parse(line, ret_intent);
}

int intent_remove(const char *dir, const struct order *order)
{
	char path[PATH_MAX];
	int r = name_file(dir, order, "", path);

	if (r == 0 && unlink(path) < 0 && errno != ENOENT)
		r = -errno;
	return r;
}
