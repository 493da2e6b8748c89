// SPDX-License-Identifier: LGPL-2.1-or-later
/* Removes old logs. */
#include "keep.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "discovery.h"
#include "message.h"

struct old_log {
	char name[LOG_NAME_SIZE];
	uint64_t size;		 /* of all its files */
	struct timespec written; /* the newest of these */
};

struct old_logs {
	struct old_log *list;
	size_t nr, room;
	uint64_t size;
};

/* Whether that is the name of a log, without the rest of a file's. */
static bool is_log(const char *name)
{
	static const char prefix[] = "domain-", suffix[] = ".log";
	char path[UUID_SIZE + 4], uuid[UUID_SIZE] = "";
	size_t length = strlen(name) - strlen(suffix), digits;

	if (strncmp(name, prefix, strlen(prefix)) == 0) {
		digits = strspn(name + strlen(prefix), "0123456789");
		return digits > 0 && digits <= 5 && strlen(prefix) + digits == length;
	}
	if (length != UUID_SIZE - 1)
		return false;
	snprintf(path, sizeof(path), "/vm/%.*s", (int)length, name);
	uuid_from_path(path, uuid);
	return strncmp(uuid, name, length) == 0;
}

/* The log that a file belongs to; false: to none. */
static bool log_of_file(const char *file, char log[LOG_NAME_SIZE])
{
	const char *suffix = strstr(file, ".log");
	size_t length = suffix ? (size_t)(suffix - file) + strlen(".log") : 0;
	char expected[LOG_FILE_SIZE];

	if (length == 0 || length >= LOG_NAME_SIZE)
		return false;
	memcpy(log, file, length);
	log[length] = '\0';
	if (!is_log(log))
		return false;
	for (unsigned int i = 0; i < LOG_FILES; i++) {
		log_file(log, i, expected);
		if (strcmp(file, expected) == 0)
			return true;
	}
	return false;
}

static struct old_log *find(const struct old_logs *logs, const char *name)
{
	for (size_t i = 0; i < logs->nr; i++)
		if (strcmp(logs->list[i].name, name) == 0)
			return &logs->list[i];
	return NULL;
}

static struct old_log *add(struct old_logs *logs, const char *name)
{
	struct old_log *log = find(logs, name);

	if (log)
		return log;
	if (logs->nr == logs->room) {
		size_t room = logs->room ? 2 * logs->room : 64;
		struct old_log *list = realloc(logs->list, room * sizeof(*list));

		if (!list)
			return NULL;
		logs->list = list;
		logs->room = room;
	}
	log = &logs->list[logs->nr++];
	*log = (struct old_log){.size = 0};
	snprintf(log->name, sizeof(log->name), "%s", name);
	return log;
}

static bool is_later(const struct timespec *a, const struct timespec *b)
{
	return a->tv_sec != b->tv_sec ? a->tv_sec > b->tv_sec : a->tv_nsec > b->tv_nsec;
}

static int add_file(struct old_logs *logs, const char *name, const struct stat *st)
{
	struct old_log *log = add(logs, name);

	if (!log)
		return -ENOMEM;
	log->size += (uint64_t)st->st_size;
	logs->size += (uint64_t)st->st_size;
	if (is_later(&st->st_mtim, &log->written))
		log->written = st->st_mtim;
	return 0;
}

static int list_logs(int dir, bool (*is_used)(void *userdata, const char *log), void *userdata,
		     struct old_logs *logs)
{
	int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *stream = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *entry;
	int r = 0;

	if (!stream) {
		r = -errno;
		closep(&fd);
		return r;
	}
	while (r == 0 && (entry = readdir(stream))) {
		char name[LOG_NAME_SIZE];
		struct stat st;

		if (log_of_file(entry->d_name, name) && !is_used(userdata, name) &&
		    fstatat(dir, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
		    S_ISREG(st.st_mode))
			r = add_file(logs, name, &st);
	}
	closedir(stream);
	return r;
}

static int by_age(const void *a, const void *b)
{
	const struct old_log *one = a, *other = b;

	if (is_later(&one->written, &other->written))
		return 1;
	return is_later(&other->written, &one->written) ? -1 : strcmp(one->name, other->name);
}

static void remove_log(const struct log_dir *dir, const struct old_log *log)
{
	char file[LOG_FILE_SIZE];

	for (unsigned int i = 0; i < LOG_FILES; i++) {
		log_file(log->name, i, file);
		if (unlinkat(dir->fd, file, 0) < 0 && errno != ENOENT)
			message(LOG_WARNING, "cannot remove %s/%s: %m", dir->path, file);
	}
	message(LOG_INFO, "%s/%s is removed: there are too many logs of domains that are gone",
		dir->path, log->name);
}

void keep_logs(struct log_dir *dir, const struct keep_limits *limits,
	       bool (*is_used)(void *userdata, const char *log), void *userdata)
{
	struct old_logs logs = {.list = NULL};
	int fd = log_dir_fd(dir), r = fd < 0 ? fd : list_logs(fd, is_used, userdata, &logs);
	size_t nr = logs.nr;

	if (r < 0 && r != -EAGAIN)
		message(LOG_WARNING, "cannot list %s: %s", dir->path, strerror(-r));
	if (r == 0 && nr > 0)
		qsort(logs.list, nr, sizeof(*logs.list), by_age);
	for (size_t i = 0; r == 0 && i < logs.nr && (nr > limits->nr || logs.size > limits->size);
	     i++) {
		remove_log(dir, &logs.list[i]);
		logs.size -= logs.list[i].size;
		nr--;
	}
	free(logs.list);
}
