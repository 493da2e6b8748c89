// SPDX-License-Identifier: LGPL-2.1-or-later
/* The files of a log: written, bounded, counted where that fails. */
#include "log.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "filter.h"
#include "message.h"
#include "ring.h"

struct console_log {
	struct log_dir *dir;
	char name[LOG_NAME_SIZE];
	int fd; /* -1: not open */
	uint64_t ino, size;
	struct saved_slot found; /* what was recorded when it was made */
	bool adopted;		 /* the file was held against that */
	unsigned int rotations;
	int error; /* that was reported, 0: none */
};

static void report_error(struct log_dir *dir, int *error, int r, const char *name)
{
	if (*error == r)
		return;
	*error = r;
	message(LOG_WARNING,
		"cannot write %s/%s: %s; consoles go on, what is not logged is counted", dir->path,
		name, strerror(-r));
}

int log_dir_fd(struct log_dir *dir)
{
	if (dir->fd >= 0)
		return dir->fd;
	if (now_usec() < dir->retry)
		return -EAGAIN;
	dir->retry = now_usec() + USEC_PER_SEC;
	if (mkdir(dir->path, 0700) < 0 && errno != EEXIST && errno != EROFS && errno != EACCES)
		return -errno;
	dir->fd = open(dir->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return dir->fd < 0 ? -errno : dir->fd;
}

void log_dir_open(struct log_dir *dir, const char *path, uint64_t log_size)
{
	int r;

	*dir = (struct log_dir){.path = path, .log_size = log_size, .fd = -1};
	r = log_dir_fd(dir);
	if (r < 0)
		report_error(dir, &dir->error, r, "");
}

void log_dir_close(struct log_dir *dir)
{
	closep(&dir->fd);
	dir->fd = -1;
}

void log_name(const char *uuid, uint32_t domid, char name[LOG_NAME_SIZE])
{
	if (uuid[0] != '\0')
		snprintf(name, LOG_NAME_SIZE, "%s.log", uuid);
	else
		snprintf(name, LOG_NAME_SIZE, "domain-%" PRIu32 ".log", domid);
}

void log_segment_name(const char *name, unsigned int age, char file[LOG_FILE_SIZE])
{
	if (age == 0)
		snprintf(file, LOG_FILE_SIZE, "%s", name);
	else
		snprintf(file, LOG_FILE_SIZE, "%s.%u", name, age);
}

void log_file(const char *name, unsigned int i, char file[LOG_FILE_SIZE])
{
	if (i < LOG_SEGMENTS)
		log_segment_name(name, i, file);
	else
		snprintf(file, LOG_FILE_SIZE, "%s.new", name);
}

size_t log_marker(uint64_t dropped, char text[LOG_MARKER_SIZE])
{
	return (size_t)snprintf(text, LOG_MARKER_SIZE, "\n[consoled: %" PRIu64 " bytes dropped]\n",
				dropped);
}

int log_new(struct log_dir *dir, const char *name, const struct saved_slot *slot,
	    struct console_log **ret_log)
{
	struct console_log *log = calloc(1, sizeof(*log));

	if (!log)
		return -ENOMEM;
	log->dir = dir;
	snprintf(log->name, sizeof(log->name), "%s", name);
	log->fd = -1;
	log->found = *slot;
	*ret_log = log;
	return 0;
}

struct console_log *log_free(struct console_log *log)
{
	if (log) {
		closep(&log->fd);
		free(log);
	}
	return NULL;
}

/* True where a rotation has moved the recorded file, and nothing of the new one is recorded. */
static bool was_rotated(const struct console_log *log, int dir)
{
	char older[LOG_FILE_SIZE];
	struct stat st;

	log_segment_name(log->name, 1, older);
	return fstatat(dir, older, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	       st.st_ino == log->found.log_ino;
}

/* Cuts off what is not recorded: it is still in the ring, and comes once more. */
static int adopt(const struct console_log *log, int dir, int fd, struct stat *st)
{
	uint64_t size = (uint64_t)st->st_size;

	if (log->adopted || log->found.log_ino == 0)
		return 0;
	if (st->st_ino == log->found.log_ino)
		size = size > log->found.log_size ? log->found.log_size : size;
	else if (was_rotated(log, dir))
		size = 0;
	if (size < (uint64_t)st->st_size && ftruncate(fd, (off_t)size) < 0)
		return -errno;
	st->st_size = (off_t)size;
	return 0;
}

static int open_current(struct console_log *log)
{
	_cleanup_(closep) int fd = -1;
	struct stat st;
	int dir = log_dir_fd(log->dir), r;

	if (dir < 0)
		return dir;
	fd = openat(dir, log->name,
		    O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);
	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -ENOTSUP;
	r = adopt(log, dir, fd, &st);
	if (r < 0)
		return r;
	log->adopted = true;
	log->rotations++;
	log->ino = st.st_ino;
	log->size = (uint64_t)st.st_size;
	log->fd = steal_fd(&fd);
	return 0;
}

/* Numbers of files are used again, so it must not be looked for when it is gone. */
static void note_removal(const struct console_log *log, struct saved_slot *slot)
{
	char oldest[LOG_FILE_SIZE];
	struct stat st;

	log_segment_name(log->name, LOG_SEGMENTS - 1, oldest);
	if (fstatat(log->dir->fd, oldest, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	    st.st_ino == slot->begin_ino)
		slot->begin_ino = LOG_REMOVED;
}

static int rotate(struct console_log *log, struct saved_slot *slot)
{
	char from[LOG_FILE_SIZE], to[LOG_FILE_SIZE];

	note_removal(log, slot);
	closep(&log->fd);
	log->fd = -1;
	for (unsigned int age = LOG_SEGMENTS - 1; age > 0; age--) {
		log_segment_name(log->name, age - 1, from);
		log_segment_name(log->name, age, to);
		if (renameat(log->dir->fd, from, log->dir->fd, to) < 0 && errno != ENOENT)
			return -errno;
	}
	return open_current(log);
}

/* Opens the file that is to take so many bytes. */
static int make_room(struct console_log *log, size_t size, struct saved_slot *slot)
{
	int r = log->fd < 0 ? open_current(log) : 0;

	if (r < 0)
		return r;
	if (log->size > 0 && log->size + size > log->dir->log_size / LOG_SEGMENTS)
		return rotate(log, slot);
	return 0;
}

static void record_begin(const struct console_log *log, struct saved_slot *slot)
{
	if (slot->begin_ino != 0)
		return;
	slot->begin_ino = log->ino;
	slot->begin = log->size;
}

/* All of it or nothing. */
static int write_text(struct console_log *log, const char *text, size_t size,
		      struct saved_slot *slot)
{
	ssize_t written;
	int r = make_room(log, size, slot);

	if (r < 0)
		return r;
	record_begin(log, slot);
	written = write(log->fd, text, size);
	if (written == (ssize_t)size) {
		log->size += size;
		return 0;
	}
	r = written < 0 ? -errno : -ENOSPC;
	if (written > 0 && ftruncate(log->fd, (off_t)log->size) < 0) {
		closep(&log->fd);
		log->fd = -1;
	}
	return r;
}

void log_append(struct console_log *log, const uint8_t *data, size_t size, struct saved_slot *slot)
{
	char text[LOG_MARKER_SIZE + RING_OUT_SIZE * FILTER_GROWTH];
	size_t length = 0;
	int r;

	if (slot->unmarked > 0)
		length = log_marker(slot->unmarked, text);
	length += filter(data, size, text + length);
	r = write_text(log, text, length, slot);
	if (r < 0) {
		slot->dropped += size;
		slot->unmarked += size;
		if (r != -EAGAIN)
			report_error(log->dir, &log->error, r, log->name);
	} else {
		slot->unmarked = 0;
		log->error = 0;
	}
	slot->log_ino = log->ino;
	slot->log_size = log->size;
}

int log_begin(struct console_log *log, struct saved_slot *slot)
{
	int r = log->fd < 0 ? open_current(log) : 0;

	if (r < 0)
		return r;
	record_begin(log, slot);
	slot->log_ino = log->ino;
	slot->log_size = log->size;
	return 0;
}

int log_place(const struct console_log *log)
{
	return log->dir->fd;
}

const char *log_file_name(const struct console_log *log)
{
	return log->name;
}

void log_replaced(struct console_log *log, const struct saved_slot *slot)
{
	if (slot->log_ino == log->ino)
		return;
	closep(&log->fd);
	log->fd = -1;
	log->ino = slot->log_ino;
	log->size = slot->log_size;
	log->rotations++;
}

size_t log_open_segments(struct log_dir *dir, const char *name, int fds[LOG_SEGMENTS])
{
	char segment[LOG_FILE_SIZE];
	int place = log_dir_fd(dir);
	size_t nr = 0;

	if (place < 0)
		return 0;
	for (unsigned int age = LOG_SEGMENTS; age-- > 0;) {
		log_segment_name(name, age, segment);
		fds[nr] = openat(place, segment, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
		if (fds[nr] >= 0)
			nr++;
	}
	return nr;
}

bool log_exists(struct log_dir *dir, const char *name)
{
	int place = log_dir_fd(dir);
	struct stat st;

	return place >= 0 && fstatat(place, name, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

size_t log_tail(struct log_dir *dir, const char *name, uint8_t replay[REPLAY_SIZE])
{
	_cleanup_(closep) int fd = -1;
	int place = log_dir_fd(dir);
	struct stat st;
	ssize_t size;

	if (place < 0)
		return 0;
	fd = openat(place, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return 0;
	size = pread(fd, replay, REPLAY_SIZE,
		     st.st_size > (off_t)REPLAY_SIZE ? st.st_size - (off_t)REPLAY_SIZE : 0);
	return size < 0 ? 0 : (size_t)size;
}

unsigned int log_rotations(const struct console_log *log)
{
	return log->rotations;
}
