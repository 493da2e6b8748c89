/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The log of a console: files NAME.log, the one that is written, NAME.log.1 and so on, the older
 * ones, in a directory that all logs share.  NAME is the domain's uuid, or domain-N.
 *
 * A failure to write never stops a console: what is not written is counted, and the count is
 * written in line as soon as that works again.
 */
#ifndef CONSOLED_LOG_H
#define CONSOLED_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "saved.h"

#define LOG_NAME_SIZE	64
#define LOG_FILE_SIZE	(LOG_NAME_SIZE + 16)
#define LOG_SEGMENTS	4		   /* files of a log, at most */
#define LOG_FILES	(LOG_SEGMENTS + 1) /* the same, and a copy that is being made */
#define LOG_REMOVED	UINT64_MAX	   /* in the place of a file's number: it was removed */
#define LOG_MARKER_SIZE 64		   /* that says how many bytes are missing */

struct log_dir {
	const char *path;
	uint64_t log_size; /* bytes of a log, at most */
	int fd;		   /* -1: not open */
	uint64_t retry;	   /* when to open it again */
	int error;	   /* that was reported, 0: none */
};

struct console_log;

/* Makes the directory if it is not there; a failure is reported, and tried again later. */
void log_dir_open(struct log_dir *dir, const char *path, uint64_t log_size);
void log_dir_close(struct log_dir *dir);

/* Its descriptor, which stays the directory's; -EAGAIN: it could not be opened, and it is too early
 * to try again. */
int log_dir_fd(struct log_dir *dir);

/* The name of a log; uuid: "" where there is none. */
void log_name(const char *uuid, uint32_t domid, char name[LOG_NAME_SIZE]);

/* The name of the file that is `age` rotations old. */
void log_segment_name(const char *name, unsigned int age, char file[LOG_FILE_SIZE]);

/* The name of the i-th of all files that a log may have, up to LOG_FILES. */
void log_file(const char *name, unsigned int i, char file[LOG_FILE_SIZE]);

/* The line about bytes that are missing; returns its length. */
size_t log_marker(uint64_t dropped, char text[LOG_MARKER_SIZE]);

/*
 * slot: what is recorded of the file; what it has beyond that was written by a process that was
 * killed before it recorded it, and is cut off.  -ENOMEM.
 */
int log_new(struct log_dir *dir, const char *name, const struct saved_slot *slot,
	    struct console_log **ret_log);
struct console_log *log_free(struct console_log *log);

/* Writes output, and records in `slot` where the log ends, or what was dropped. */
void log_append(struct console_log *log, const uint8_t *data, size_t size, struct saved_slot *slot);

/* Opens the file that is written, and says in `slot` where it ends, and that the console's output
 * begins there unless it has begun.  Returns 0, or an error of files. */
int log_begin(struct console_log *log, struct saved_slot *slot);

/* The descriptor of the directory of a log that has begun, and the log's name. */
int log_place(const struct console_log *log);
const char *log_file_name(const struct console_log *log);

/* NAME.log is another file, as `slot` says. */
void log_replaced(struct console_log *log, const struct saved_slot *slot);

/* Puts the end of the log into a replay; returns its size, at most REPLAY_SIZE. */
size_t log_tail(struct log_dir *dir, const char *name, uint8_t replay[REPLAY_SIZE]);

bool log_exists(struct log_dir *dir, const char *name);

/* Opens the files of a log, the oldest first.  Returns their number, 0: there is no log. */
size_t log_open_segments(struct log_dir *dir, const char *name, int fds[LOG_SEGMENTS]);

/* Changes whenever NAME.log may be another file. */
unsigned int log_rotations(const struct console_log *log);

#endif
