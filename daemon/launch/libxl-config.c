// SPDX-License-Identifier: LGPL-2.1-or-later
/* Writes libxl's file for a domain. */
#include "launch/libxl-config.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <hyperlaunch/hl.h>
#include <inttypes.h>
#include <json-c/json.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "common/cleanup.h"
#include "common/io.h"
#include "common/json-write.h"
#include "domains/libxl-json.h"

#define CONFIG	   "libxl-json"
#define MARK	   "hyperlaunchd"
#define NEW_SUFFIX ".hyperlaunchd-new"

/* As libxl names a domain's files; kind: "d" for data, "n" for what is being written. */
static int name_file(char name[NAME_MAX], const char *kind, uint32_t domid, const char *uuid,
		     const char *what)
{
	int length =
		snprintf(name, NAME_MAX, "userdata-%s.%" PRIu32 ".%s.%s", kind, domid, uuid, what);

	return length < NAME_MAX ? 0 : -ENAMETOOLONG;
}

/* By way of a second name, so that nobody ever sees a part of it. */
static int write_file(int dir, const struct xs_guest *guest, const char *what, const char *data,
		      size_t size)
{
	char name[NAME_MAX], temporary[NAME_MAX], new[64];
	_cleanup_(closep) int fd = -1;
	int r;

	snprintf(new, sizeof(new), "%s" NEW_SUFFIX, what);
	r = name_file(name, "d", guest->domid, guest->uuid, what);
	if (r == 0)
		r = name_file(temporary, "n", guest->domid, guest->uuid, new);
	if (r < 0)
		return r;
	fd = openat(dir, temporary, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	r = write_all(fd, data, size);
	if (r == 0 && renameat(dir, temporary, dir, name) < 0)
		r = -errno;
	if (r < 0)
		unlinkat(dir, temporary, 0);
	return r;
}

/* Whether a mark says that boot.  One that cannot be read says nothing. */
static bool is_of_boot(int dir, const char *mark, const char *boot)
{
	_cleanup_(closep) int fd =
		openat(dir, mark, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	char text[128];
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text));

	return n > 0 && (size_t)n == strlen(boot) && memcmp(text, boot, (size_t)n) == 0;
}

static int remove_file(int dir, const char *name)
{
	return unlinkat(dir, name, 0) < 0 && errno != ENOENT ? -errno : 0;
}

static int write_config(int dir, const struct xs_guest *guest)
{
	const struct libxl_guest wanted = {
		.type = guest->type,
		.name = guest->name,
		.uuid = guest->uuid,
		.vcpus = guest->vcpus,
		.memory_kib = guest->memory_kib,
	};
	_cleanup_(json_putp) json_object *config = NULL;
	const char *text;
	int r = libxl_json_make(&wanted, &config);

	if (r < 0)
		return r;
	text = json_object_to_json_string_ext(config, JSON_C_TO_STRING_PLAIN |
							      JSON_C_TO_STRING_NOSLASHESCAPE);
	/* libxl expects the terminating NUL in the file. */
	return text ? write_file(dir, guest, CONFIG, text, strlen(text) + 1) : -ENOMEM;
}

/* The mark is there before what it is about, and that is never of another boot than the mark. */
int libxl_config_write(const char *path, const char *boot, const struct xs_guest *guest)
{
	_cleanup_(closep) int dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	char config[NAME_MAX], mark[NAME_MAX];
	int r;

	if (dir < 0)
		return -errno;
	r = name_file(config, "d", guest->domid, guest->uuid, CONFIG);
	if (r == 0)
		r = name_file(mark, "d", guest->domid, guest->uuid, MARK);
	if (r < 0)
		return r;
	if (!is_of_boot(dir, mark, boot)) {
		r = remove_file(dir, config);
		if (r == 0)
			r = write_file(dir, guest, MARK, boot, strlen(boot));
	} else if (faccessat(dir, config, F_OK, AT_SYMLINK_NOFOLLOW) == 0) {
		return 0;
	}
	if (r == 0)
		r = write_config(dir, guest);
	return r < 0 ? r : 1;
}

/* Of "userdata-d.DOMID.UUID.hyperlaunchd". */
static bool parse_mark(const char *name, uint32_t *ret_domid, char ret_uuid[HL_UUID_TEXT_SIZE])
{
	static const char prefix[] = "userdata-d.";
	char again[NAME_MAX], *end;
	uint8_t bytes[16];

	if (strncmp(name, prefix, strlen(prefix)) != 0)
		return false;
	*ret_domid = (uint32_t)strtoul(name + strlen(prefix), &end, 10);
	if (*end != '.')
		return false;
	snprintf(ret_uuid, HL_UUID_TEXT_SIZE, "%s", end + 1);
	/* A number or a UUID in another form is the name of another file. */
	return hl_uuid_from_text(ret_uuid, bytes) == 0 &&
	       name_file(again, "d", *ret_domid, ret_uuid, MARK) == 0 && strcmp(again, name) == 0;
}

static bool is_leftover(const char *name)
{
	size_t length = strlen(name), suffix = strlen(NEW_SUFFIX);

	return strncmp(name, "userdata-n.", 11) == 0 && length > suffix &&
	       strcmp(name + length - suffix, NEW_SUFFIX) == 0;
}

static int sweep_domain(int dir, const char *mark, uint32_t domid, const char *uuid, bool foreign)
{
	char config[NAME_MAX];
	int r = name_file(config, "d", domid, uuid, CONFIG);

	if (r == 0 && !foreign)
		r = remove_file(dir, config);
	/* Last: without it nobody knows whose the other is. */
	return r < 0 ? r : remove_file(dir, mark);
}

static void closedirp(DIR **dir)
{
	if (*dir)
		closedir(*dir);
}

int libxl_config_sweep(const char *path, const char *boot,
		       bool (*is_foreign)(void *userdata, uint32_t domid, const char *uuid),
		       void *userdata)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC), r = 0;
	_cleanup_(closedirp) DIR *dir = NULL;
	char uuid[HL_UUID_TEXT_SIZE];
	const struct dirent *entry;
	uint32_t domid;

	if (fd < 0)
		return -errno;
	dir = fdopendir(fd);
	if (!dir) {
		close(fd);
		return -ENOMEM;
	}
	while ((entry = readdir(dir))) {
		const char *name = entry->d_name;
		int r2 = 0;

		if (is_leftover(name))
			r2 = remove_file(fd, name);
		else if (parse_mark(name, &domid, uuid) && !is_of_boot(fd, name, boot))
			r2 = sweep_domain(fd, name, domid, uuid, is_foreign(userdata, domid, uuid));
		r = r < 0 ? r : r2;
	}
	return r;
}
