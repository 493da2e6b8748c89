// SPDX-License-Identifier: LGPL-2.1-or-later
/* A guest's first output in its log: a copy of a file, and a rename. */
#include "insert.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>

#include "common/io.h"
#include "filter.h"

static void copy_name(const char *name, char copy[LOG_FILE_SIZE])
{
	log_file(name, LOG_SEGMENTS, copy);
}

/* The age of the log's file with that number; -ENOENT. */
static int find_file(int dir, const char *name, uint64_t ino, uint64_t *ret_size)
{
	char file[LOG_FILE_SIZE];
	struct stat st;

	for (unsigned int age = 0; age < LOG_SEGMENTS; age++) {
		log_segment_name(name, age, file);
		if (fstatat(dir, file, &st, AT_SYMLINK_NOFOLLOW) == 0 && st.st_ino == ino &&
		    S_ISREG(st.st_mode)) {
			*ret_size = (uint64_t)st.st_size;
			return (int)age;
		}
	}
	return -ENOENT;
}

/* Bytes of a file from there on. */
static int copy_range(int from, int to, uint64_t offset, uint64_t size)
{
	off_t at = (off_t)offset;

	while (size > 0) {
		ssize_t n = sendfile(to, from, &at, size);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -EIO;
		size -= (uint64_t)n;
	}
	return 0;
}

static int write_output(int fd, const uint8_t *data, size_t size, uint64_t dropped,
			size_t *ret_length)
{
	_cleanup_(freep) char *text = malloc(size * FILTER_GROWTH + LOG_MARKER_SIZE);
	size_t length;
	int r;

	if (!text)
		return -ENOMEM;
	length = filter(data, size, text);
	if (dropped > 0)
		length += log_marker(dropped, text + length);
	r = write_all(fd, text, length);
	*ret_length = length;
	return r;
}

/* Copies `size` bytes of a file, and the output in between. */
static int fill(int from, int to, uint64_t size, const uint8_t *data, size_t nr, uint64_t dropped,
		struct saved_slot *slot, size_t *ret_length)
{
	uint64_t begin = slot->begin < size ? slot->begin : size;
	struct stat st;
	int r = copy_range(from, to, 0, begin);

	if (r == 0)
		r = write_output(to, data, nr, dropped, ret_length);
	if (r == 0)
		r = copy_range(from, to, begin, size - begin);
	if (r < 0)
		return r;
	if (fstat(to, &st) < 0)
		return -errno;
	slot->early_ino = st.st_ino;
	slot->early_dropped = dropped;
	return 0;
}

static int open_copy(int dir, const char *copy)
{
	int fd;

	if (unlinkat(dir, copy, 0) < 0 && errno != ENOENT)
		return -errno;
	fd = openat(dir, copy, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	return fd < 0 ? -errno : fd;
}

int insert_prepare(struct console_log *log, const uint8_t *data, size_t size, uint64_t dropped,
		   struct saved_slot *slot, size_t *ret_length)
{
	_cleanup_(closep) int from = -1;
	_cleanup_(closep) int to = -1;
	char file[LOG_FILE_SIZE], copy[LOG_FILE_SIZE];
	uint64_t end = 0;
	int r = log_begin(log, slot), dir, age;

	if (r < 0)
		return r;
	dir = log_place(log);
	age = find_file(dir, log_file_name(log), slot->begin_ino, &end);
	if (age < 0)
		return age;
	if (end > INSERT_FILE_SIZE)
		return -E2BIG;
	log_segment_name(log_file_name(log), (unsigned int)age, file);
	copy_name(log_file_name(log), copy);
	from = openat(dir, file, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (from < 0)
		return -errno;
	to = open_copy(dir, copy);
	if (to < 0)
		return to;
	r = fill(from, to, end, data, size, dropped, slot, ret_length);
	if (r < 0)
		(void)unlinkat(dir, copy, 0);
	return r;
}

static int move(int dir, const char *name, const struct saved_slot *slot)
{
	char file[LOG_FILE_SIZE], copy[LOG_FILE_SIZE];
	struct stat st;
	uint64_t size;
	int age;

	copy_name(name, copy);
	if (fstatat(dir, copy, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : -errno;
	if (st.st_ino != slot->early_ino)
		return 0;
	age = find_file(dir, name, slot->begin_ino, &size);
	if (age < 0)
		return age;
	log_segment_name(name, (unsigned int)age, file);
	return renameat(dir, copy, dir, file) < 0 ? -errno : 0;
}

int insert_finish(struct log_dir *dir, const char *name, struct saved_slot *slot)
{
	char copy[LOG_FILE_SIZE];
	uint64_t size = 0;
	int place = log_dir_fd(dir), age, r;

	if (place < 0)
		return place;
	r = move(place, name, slot);
	age = r < 0 ? r : find_file(place, name, slot->early_ino, &size);
	if (age < 0) {
		copy_name(name, copy);
		(void)unlinkat(place, copy, 0);
		slot->early_ino = 0;
		slot->early_dropped = 0;
		return age;
	}
	slot->begin_ino = slot->early_ino;
	slot->early_ino = 0;
	slot->early_given = true;
	if (age == 0) {
		slot->log_ino = slot->begin_ino;
		slot->log_size = size;
	}
	return 0;
}
