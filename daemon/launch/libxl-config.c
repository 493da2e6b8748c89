// SPDX-License-Identifier: LGPL-2.1-or-later
/* Writes libxl's file for a domain. */
#include "launch/libxl-config.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <json-c/json.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "common/cleanup.h"
#include "common/io.h"
#include "json-write.h"

static int fill_create_info(json_object *info, const struct xs_guest *guest)
{
	int r = json_add(info, "type", json_object_new_string(guest->type));

	if (r == 0)
		r = json_add(info, "name", json_object_new_string(guest->name));
	if (r == 0)
		r = json_add(info, "uuid", json_object_new_string(guest->uuid));
	return r;
}

static int fill_build_info(json_object *info, const struct xs_guest *guest)
{
	char variant[16];
	json_object *vcpus;
	int r = json_add(info, "max_vcpus", json_object_new_int64(guest->vcpus));

	if (r == 0)
		r = json_add(info, "max_memkb", json_object_new_uint64(guest->memory_kib));
	if (r == 0)
		r = json_add(info, "target_memkb", json_object_new_uint64(guest->memory_kib));
	vcpus = r == 0 ? json_object_new_array_ext((int)guest->vcpus) : NULL;
	for (uint32_t i = 0; vcpus && i < guest->vcpus; i++)
		if (json_object_array_add(vcpus, json_object_new_int64(i)) < 0)
			r = -ENOMEM;
	if (r < 0) {
		json_object_put(vcpus);
		return r;
	}
	r = json_add(info, "avail_vcpus", vcpus);
	snprintf(variant, sizeof(variant), "type.%s", guest->type);
	if (r == 0)
		r = json_add(info, variant, json_object_new_object());
	return r;
}

static int make_config(const struct xs_guest *guest, json_object **ret_config)
{
	_cleanup_(json_putp) json_object *config = json_object_new_object();
	json_object *create = json_object_new_object(), *build = json_object_new_object();
	int r, r2;

	if (!config) {
		json_object_put(create);
		json_object_put(build);
		return -ENOMEM;
	}
	r = json_add(config, "c_info", create);
	r2 = json_add(config, "b_info", build);
	if (r == 0)
		r = r2;
	if (r == 0)
		r = fill_create_info(create, guest);
	if (r == 0)
		r = fill_build_info(build, guest);
	if (r < 0)
		return r;
	*ret_config = steal(&config);
	return 0;
}

/* By way of a second name, so that nobody ever sees a part of it. */
static int write_file(const char *path, const char *text)
{
	_cleanup_(closep) int fd = -1;
	char temporary[PATH_MAX];
	int r;

	if (snprintf(temporary, sizeof(temporary), "%s.hyperlaunchd", path) >=
	    (int)sizeof(temporary))
		return -ENAMETOOLONG;
	fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	/* libxl expects the terminating NUL in the file. */
	r = write_all(fd, text, strlen(text) + 1);
	if (r == 0 && rename(temporary, path) < 0)
		r = -errno;
	if (r < 0)
		unlink(temporary);
	return r;
}

int libxl_config_write(const char *dir, const struct xs_guest *guest)
{
	_cleanup_(json_putp) json_object *config = NULL;
	char path[PATH_MAX];
	struct stat st;
	const char *text;
	int r;

	if (snprintf(path, sizeof(path), "%s/userdata-d.%" PRIu32 ".%s.libxl-json", dir,
		     guest->domid, guest->uuid) >= (int)sizeof(path))
		return -ENAMETOOLONG;
	if (stat(path, &st) == 0)
		return 0;
	r = make_config(guest, &config);
	if (r < 0)
		return r;
	text = json_object_to_json_string_ext(config, JSON_C_TO_STRING_PLAIN |
							      JSON_C_TO_STRING_NOSLASHESCAPE);
	if (!text)
		return -ENOMEM;
	r = write_file(path, text);
	return r < 0 ? r : 1;
}
