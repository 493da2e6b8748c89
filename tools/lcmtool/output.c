// SPDX-License-Identifier: LGPL-2.1-or-later
/* Writes files completely or not at all. */
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/io.h"
#include "tool.h"

#define MAX_OUTPUTS 8

/* Writes a file under a temporary name in its directory. */
static int write_temporary(const char *dir, const struct output *output, char **ret_path)
{
	_cleanup_(freep) char *path = NULL;
	int fd, r;

	if (asprintf(&path, "%s/.%s.XXXXXX", dir, output->name) < 0) {
		path = NULL;
		return -ENOMEM;
	}
	fd = mkstemp(path);
	if (fd < 0)
		return -errno;
	r = write_all(fd, output->data, output->size);
	if (!r && fchmod(fd, 0644))
		r = -errno;
	if (!r && fsync(fd))
		r = -errno;
	if (close(fd) && !r)
		r = -errno;
	if (r) {
		unlink(path);
		return r;
	}
	*ret_path = path;
	path = NULL;
	return 0;
}

static int move_into_place(const char *dir, const char *from, const char *name)
{
	_cleanup_(freep) char *path = NULL;

	if (asprintf(&path, "%s/%s", dir, name) < 0) {
		path = NULL;
		return -ENOMEM;
	}
	return rename(from, path) ? -errno : 0;
}

/* Writes all files before the first one is moved. */
static int write_and_move(const char *dir, const struct output *outputs, size_t nr, char **paths,
			  const char **ret_name)
{
	int r;

	for (size_t i = 0; i < nr; i++) {
		*ret_name = outputs[i].name;
		r = write_temporary(dir, &outputs[i], &paths[i]);
		if (r)
			return r;
	}
	for (size_t i = 0; i < nr; i++) {
		*ret_name = outputs[i].name;
		r = move_into_place(dir, paths[i], outputs[i].name);
		if (r)
			return r;
		free(paths[i]);
		paths[i] = NULL;
	}
	return 0;
}

enum exit_code write_outputs(const char *dir, const struct output *outputs, size_t nr)
{
	char *paths[MAX_OUTPUTS] = {NULL};
	const char *name = "";
	int r;

	assert(nr <= MAX_OUTPUTS);
	if (mkdir(dir, 0777) && errno != EEXIST) {
		report_error("%s: %m", dir);
		return EXIT_USAGE;
	}
	r = write_and_move(dir, outputs, nr, paths, &name);
	for (size_t i = 0; i < nr; i++) {
		if (paths[i])
			unlink(paths[i]);
		free(paths[i]);
	}
	if (r)
		report_error("%s/%s: %s", dir, name, strerror(-r));
	return r ? EXIT_USAGE : EXIT_OK;
}
