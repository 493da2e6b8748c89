// SPDX-License-Identifier: LGPL-2.1-or-later
/* Reads and writes the files of definitions.  Each write replaces a file at once, or not at all. */
#include "lifecycle/definition-dir.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/io.h"
#include "lifecycle/name.h"

#define SOURCE	 ".dts"
#define JSON	 ".json"
#define SETTINGS ".conf"
#define NEW	 ".new"
/* Of a file's name: that of a domain, the longest ending, and the zero byte. */
#define FILE_NAME_SIZE (XS_GUEST_NAME_MAX + sizeof(JSON))

const char *definition_name_refusal(const char *name)
{
	const char *why = name_refusal(name);

	if (why)
		return why;
	if (name[0] == '.')
		return "the name of a file that begins with a dot is not listed";
	return name[0] == ' ' || name[strlen(name) - 1] == ' '
		       ? "a blank at its end would be lost in NAME.conf of others"
		       : NULL;
}

static void file_name(const char *name, const char *ending, char ret[static FILE_NAME_SIZE])
{
	snprintf(ret, FILE_NAME_SIZE, "%s%s", name, ending);
}

static int open_dir(const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

static int make_dir(const char *path)
{
	if (mkdir(path, 0755) < 0 && errno != EEXIST)
		return -errno;
	return open_dir(path);
}

static int read_regular(int fd, char **ret_text)
{
	_cleanup_(freep) char *text = NULL;
	struct stat st;
	ssize_t n;

	if (fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -ENXIO;
	if (st.st_size > DEFINITION_MAX)
		return -EFBIG;
	text = malloc((size_t)st.st_size + 1);
	if (!text)
		return -ENOMEM;
	n = pread(fd, text, (size_t)st.st_size, 0);
	if (n != st.st_size)
		return n < 0 ? -errno : -EAGAIN;
	text[n] = '\0';
	if (strlen(text) != (size_t)n)
		return -EILSEQ;
	*ret_text = steal(&text);
	return 0;
}

/* -ENOENT: there is no such file. */
static int read_text(int dir, const char *name, const char *ending, char **ret_text)
{
	char file[FILE_NAME_SIZE];
	_cleanup_(closep) int fd = -1;

	file_name(name, ending, file);
	fd = openat(dir, file, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	return fd < 0 ? -errno : read_regular(fd, ret_text);
}

static int refuse_file(struct definition_refusal *refusal, const char *name, const char *ending,
		       int r)
{
	return definition_refuse(refusal, r == -ENOMEM ? JOB_ERROR_NO_MEMORY : JOB_ERROR_FAILED,
				 "%s%s cannot be read: %s", name, ending,
				 r == -ENXIO	? "it is no regular file"
				 : r == -EILSEQ ? "it has a zero byte"
						: strerror(-r));
}

static int read_settings(int dir, struct definition_file *file, struct definition_refusal *refusal)
{
	_cleanup_(freep) char *text = NULL;
	char why[256];
	int r = read_text(dir, file->name, SETTINGS, &text);

	if (r == -ENOENT)
		return 0;
	if (r < 0)
		return refuse_file(refusal, file->name, SETTINGS, r);
	r = definition_settings_parse(text, &file->settings, why, sizeof(why));
	if (r == 0)
		return 0;
	return definition_refuse(refusal,
				 r == -ENOMEM ? JOB_ERROR_NO_MEMORY : JOB_ERROR_INVALID_ARGS,
				 "%s" SETTINGS ": %s", file->name, why);
}

static int read_definition(int dir, struct definition_file *file,
			   struct definition_refusal *refusal)
{
	_cleanup_(freep) char *source = NULL;
	int r = read_text(dir, file->name, JSON, &file->text);
	int other;

	file->json = r != -ENOENT;
	if (r < 0 && r != -ENOENT)
		return refuse_file(refusal, file->name, JSON, r);
	other = read_text(dir, file->name, SOURCE, &source);
	if (other < 0 && other != -ENOENT)
		return refuse_file(refusal, file->name, SOURCE, other);
	if (r == 0 && other == 0)
		return definition_refuse(refusal, JOB_ERROR_INVALID_ARGS,
					 "there are %s" SOURCE " and %s" JSON
					 ": remove the one that is not meant",
					 file->name, file->name);
	if (other == 0)
		file->text = steal(&source);
	return file->text ? 0 : -ENOENT;
}

static int read_file(int dir, const char *name, struct definition_file *file,
		     struct definition_refusal *refusal)
{
	int r;

	*file = (struct definition_file){.text = NULL};
	if (definition_name_refusal(name))
		return -ENOENT;
	memcpy(file->name, name, strlen(name) + 1);
	r = read_definition(dir, file, refusal);
	return r < 0 ? r : read_settings(dir, file, refusal);
}

int definition_dir_read(const char *dir, const char *name, struct definition_file *ret_file,
			struct definition_refusal *ret_refusal)
{
	_cleanup_(closep) int fd = open_dir(dir);

	*ret_file = (struct definition_file){.text = NULL};
	if (fd < 0)
		return fd == -ENOENT ? -ENOENT : refuse_file(ret_refusal, dir, "", fd);
	return read_file(fd, name, ret_file, ret_refusal);
}

/* The name of the domain that a file defines, in `ret`; false: it defines none. */
static bool name_of(const char *file, char ret[static XS_GUEST_NAME_MAX + 1])
{
	static const char *const endings[] = {SOURCE, JSON};
	size_t length = strlen(file);

	for (size_t i = 0; i < ARRAY_SIZE(endings); i++) {
		size_t ending = strlen(endings[i]);

		if (length <= ending || length - ending > XS_GUEST_NAME_MAX ||
		    strcmp(file + length - ending, endings[i]) != 0)
			continue;
		snprintf(ret, XS_GUEST_NAME_MAX + 1, "%.*s", (int)(length - ending), file);
		return !definition_name_refusal(ret);
	}
	return false;
}

static int is_definition(const struct dirent *entry)
{
	char name[XS_GUEST_NAME_MAX + 1];

	return name_of(entry->d_name, name);
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

/* Of two files that define one name, which is an error, the second is passed over. */
static bool is_second(int dir, const char *file)
{
	char name[XS_GUEST_NAME_MAX + 1], source[FILE_NAME_SIZE];

	if (!name_of(file, name) || strcmp(file + strlen(name), JSON) != 0)
		return false;
	file_name(name, SOURCE, source);
	return faccessat(dir, source, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

static int give(int dir, const char *file,
		int (*each)(void *userdata, const struct definition_file *definition,
			    const struct definition_refusal *refusal),
		void *userdata)
{
	char name[XS_GUEST_NAME_MAX + 1];
	struct definition_refusal refusal;
	struct definition_file definition;
	int r = name_of(file, name) ? read_file(dir, name, &definition, &refusal) : -ENOENT;

	/* It has been removed meanwhile. */
	if (r == -ENOENT)
		return 0;
	r = each(userdata, &definition, r < 0 ? &refusal : NULL);
	definition_file_clear(&definition);
	return r;
}

int definition_dir_for_each(const char *dir,
			    int (*each)(void *userdata, const struct definition_file *file,
					const struct definition_refusal *refusal),
			    void *userdata)
{
	_cleanup_(closep) int fd = open_dir(dir);
	struct dirent **entries;
	int nr, r = 0;

	if (fd < 0)
		return fd == -ENOENT ? 0 : fd;
	nr = scandirat(fd, ".", &entries, is_definition, by_name);
	if (nr < 0)
		return -errno;
	for (int i = 0; i < nr; i++) {
		if (r == 0 && !is_second(fd, entries[i]->d_name))
			r = give(fd, entries[i]->d_name, each, userdata);
		free(entries[i]);
	}
	free(entries);
	return r;
}

/* Also on the disk, before the old one goes. */
static int write_text(int dir, const char *name, const char *ending, const char *text)
{
	char file[FILE_NAME_SIZE], new[FILE_NAME_SIZE + sizeof(NEW)];
	_cleanup_(closep) int fd = -1;
	int r;

	file_name(name, ending, file);
	snprintf(new, sizeof(new), "%s" NEW, file);
	fd = openat(dir, new, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	r = fd < 0 ? -errno : write_all(fd, text, strlen(text));
	if (r == 0 && (fsync(fd) < 0 || renameat(dir, new, dir, file) < 0))
		r = -errno;
	if (r < 0)
		(void)unlinkat(dir, new, 0);
	return r;
}

static int write_settings(int dir, const char *name, const struct definition_settings *settings)
{
	_cleanup_(freep) char *text = definition_settings_print(settings);

	return text ? write_text(dir, name, SETTINGS, text) : -ENOMEM;
}

static int remove_one(int dir, const char *name, const char *ending)
{
	char file[FILE_NAME_SIZE];

	file_name(name, ending, file);
	return unlinkat(dir, file, 0) < 0 ? -errno : 0;
}

int definition_dir_write(const char *dir, const struct definition_file *file)
{
	_cleanup_(closep) int fd = make_dir(dir);
	int r = fd;

	if (r >= 0)
		r = write_settings(fd, file->name, &file->settings);
	if (r == 0)
		r = write_text(fd, file->name, file->json ? JSON : SOURCE, file->text);
	if (r < 0)
		return r;
	r = remove_one(fd, file->name, file->json ? SOURCE : JSON);
	return r == -ENOENT ? 0 : r;
}

int definition_dir_write_settings(const char *dir, const char *name,
				  const struct definition_settings *settings)
{
	_cleanup_(closep) int fd = open_dir(dir);

	return fd < 0 ? fd : write_settings(fd, name, settings);
}

/* The settings go last, so that no definition is left without its own. */
int definition_dir_remove(const char *dir, const char *name)
{
	_cleanup_(closep) int fd = open_dir(dir);
	int source, json, settings;

	if (fd < 0)
		return fd;
	source = remove_one(fd, name, SOURCE);
	json = remove_one(fd, name, JSON);
	if (source < 0 && json < 0)
		return source == -ENOENT ? json : source;
	settings = remove_one(fd, name, SETTINGS);
	return settings == -ENOENT ? 0 : settings;
}

char *definition_dir_source_path(const char *dir, const char *name)
{
	char *path;

	return asprintf(&path, "%s/%s" SOURCE, dir, name) < 0 ? NULL : path;
}

void definition_file_clear(struct definition_file *file)
{
	definition_settings_clear(&file->settings);
	free(file->text);
	file->text = NULL;
}
