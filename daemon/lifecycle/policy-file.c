// SPDX-License-Identifier: LGPL-2.1-or-later
/* Writes, reads and removes what lasts of a domain. */
#include "lifecycle/policy-file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <json-c/json.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "common/cleanup.h"
#include "common/io.h"
#include "common/json-write.h"
#include "common/packet.h"
#include "lifecycle/policy.h"
#include "loop/log.h"

#define FILE_NAME "policy"
#define NEW_NAME  "policy.new"
#define MAX_SIZE  8192

static const char *const events[] = {
	[POLICY_POWEROFF] = "poweroff", [POLICY_REBOOT] = "reboot", [POLICY_CRASH] = "crash"};

static void closedirp(DIR **dir)
{
	if (*dir)
		closedir(*dir);
}

int policy_file_open_dir(const char *path)
{
	int fd;

	if (mkdir(path, 0700) < 0 && errno != EEXIST)
		return -errno;
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	return fd < 0 ? -errno : fd;
}

static int add_times(json_object *object, const struct policy *policy)
{
	json_object *times = json_object_new_array();
	int r = json_add(object, "restarts", times);

	for (uint32_t i = 0; r == 0 && i < policy->nr_restarts; i++) {
		json_object *time = json_object_new_uint64(policy->restarts[i]);

		if (!time || json_object_array_add(times, time) < 0)
			r = -ENOMEM;
	}
	return r;
}

static int add_request(json_object *object, const struct policy *policy)
{
	int r = json_add(object, "request", json_object_new_string(policy->request));

	return r < 0 ? r : json_add(object, "uid", json_object_new_int64(policy->request_uid));
}

static int make_object(const struct policy *policy, json_object **ret_object)
{
	_cleanup_(json_putp) json_object *object = json_object_new_object();
	int r = object ? 0 : -ENOMEM;

	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(events); i++)
		r = json_add(object, events[i],
			     json_object_new_string(policy_action_name(policy->actions[i])));
	if (r == 0)
		r = json_add(object, "qemu", json_object_new_boolean(policy->qemu));
	if (r == 0)
		r = json_add(object, "limit", json_object_new_int64(policy->limit));
	if (r == 0 && policy->request[0] != '\0')
		r = add_request(object, policy);
	if (r == 0)
		r = add_times(object, policy);
	if (r == 0)
		*ret_object = steal(&object);
	return r;
}

static int write_in(int dir, const char *text)
{
	_cleanup_(closep) int fd =
		openat(dir, NEW_NAME, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	int r = fd < 0 ? -errno : write_all(fd, text, strlen(text));

	if (r == 0 && renameat(dir, NEW_NAME, dir, FILE_NAME) < 0)
		r = -errno;
	if (r < 0)
		(void)unlinkat(dir, NEW_NAME, 0);
	return r;
}

static int open_domain(int dir, const char *uuid)
{
	int fd = openat(dir, uuid, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);

	return fd < 0 ? -errno : fd;
}

int policy_file_write(int dir, const struct policy *policy)
{
	_cleanup_(json_putp) json_object *object = NULL;
	_cleanup_(closep) int own = -1;
	const char *text;
	int r = make_object(policy, &object);

	if (r < 0)
		return r;
	if (mkdirat(dir, policy->uuid, 0700) < 0 && errno != EEXIST)
		return -errno;
	own = open_domain(dir, policy->uuid);
	if (own < 0)
		return own;
	text = json_object_to_json_string_ext(object, JSON_C_TO_STRING_PLAIN);
	return text ? write_in(own, text) : -ENOMEM;
}

static int read_times(json_object *object, struct policy *policy)
{
	json_object *times;

	if (!json_object_object_get_ex(object, "restarts", &times) ||
	    !json_object_is_type(times, json_type_array) ||
	    json_object_array_length(times) > POLICY_LIMIT_MAX)
		return -EINVAL;
	policy->nr_restarts = (uint32_t)json_object_array_length(times);
	for (uint32_t i = 0; i < policy->nr_restarts; i++) {
		json_object *time = json_object_array_get_idx(times, i);

		if (!json_object_is_type(time, json_type_int) || json_object_get_int64(time) < 0)
			return -EINVAL;
		policy->restarts[i] = json_object_get_uint64(time);
	}
	return 0;
}

/* Most have none. */
static int read_request(json_object *object, struct policy *policy)
{
	const char *request;
	uint64_t uid;

	if (!json_object_object_get_ex(object, "request", NULL))
		return 0;
	if (packet_get_text(object, "request", POLICY_REQUEST_MAX, &request) < 0 ||
	    packet_get_uint(object, "uid", UINT32_MAX, &uid) < 0)
		return -EINVAL;
	memcpy(policy->request, request, strlen(request) + 1);
	policy->request_uid = (uint32_t)uid;
	return 0;
}

static int read_object(json_object *object, struct policy *policy)
{
	uint64_t limit;

	for (size_t i = 0; i < ARRAY_SIZE(events); i++) {
		const char *name;

		if (packet_get_text(object, events[i], 32, &name) < 0 ||
		    policy_action_from_name(name, &policy->actions[i]) < 0)
			return -EINVAL;
	}
	/* Files of earlier daemons do not have it. */
	if (json_object_object_get_ex(object, "qemu", NULL) &&
	    packet_get_bool(object, "qemu", &policy->qemu) < 0)
		return -EINVAL;
	if (packet_get_uint(object, "limit", POLICY_LIMIT_MAX, &limit) < 0)
		return -EINVAL;
	policy->limit = (uint32_t)limit;
	if (read_request(object, policy) < 0)
		return -EINVAL;
	return read_times(object, policy);
}

static int read_file(int dir, struct policy *policy)
{
	_cleanup_(closep) int own = open_domain(dir, policy->uuid);
	_cleanup_(json_putp) json_object *object = NULL;
	_cleanup_(closep) int fd = -1;
	struct stat st;

	if (own < 0)
		return own;
	fd = openat(own, FILE_NAME, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode) || st.st_size > MAX_SIZE)
		return -EINVAL;
	object = json_object_from_fd(fd);
	return json_object_is_type(object, json_type_object) ? read_object(object, policy)
							     : -EINVAL;
}

/* Only the very text of a UUID is the name of a domain's directory. */
static bool is_uuid(const char *name)
{
	char again[HL_UUID_TEXT_SIZE];
	uint8_t uuid[16];

	if (hl_uuid_from_text(name, uuid) < 0)
		return false;
	hl_uuid_to_text(uuid, again);
	return strcmp(again, name) == 0;
}

static bool is_initial(const char *name)
{
	char again[HL_UUID_TEXT_SIZE];
	size_t length = strlen(POLICY_FILE_INITIAL);

	if (strncmp(name, POLICY_FILE_INITIAL, length) != 0)
		return false;
	snprintf(again, sizeof(again), POLICY_FILE_INITIAL "%lu",
		 strtoul(name + length, NULL, 10) % HL_NO_INDEX);
	return strcmp(again, name) == 0;
}

int policy_file_for_each(int dir, void (*each)(void *userdata, const struct policy *policy),
			 void *userdata)
{
	_cleanup_(closedirp) DIR *stream = NULL;
	const struct dirent *entry;
	int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	stream = fd < 0 ? NULL : fdopendir(fd);
	if (!stream) {
		int r = -errno;

		closep(&fd);
		return r;
	}
	while ((entry = readdir(stream))) {
		struct policy policy = {.limit = 0};
		int r;

		if (!is_uuid(entry->d_name) && !is_initial(entry->d_name))
			continue;
		memcpy(policy.uuid, entry->d_name, strlen(entry->d_name) + 1);
		r = read_file(dir, &policy);
		if (r == 0) {
			each(userdata, &policy);
			continue;
		}
		/* Any other error may pass. */
		log_error("%s/" FILE_NAME " cannot be read%s: %s", policy.uuid,
			  r == -EINVAL || r == -ENOENT ? ", and is removed" : "", strerror(-r));
		if (r == -EINVAL || r == -ENOENT)
			policy_file_remove(dir, policy.uuid);
	}
	return 0;
}

bool policy_file_can_restart(int dir, const char *uuid)
{
	_cleanup_(closep) int own = open_domain(dir, uuid);

	return own >= 0 && faccessat(own, "config", F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

void policy_file_remove(int dir, const char *uuid)
{
	static const char *const names[] = {FILE_NAME,	  NEW_NAME, "config",
					    "config.new", "kernel", "ramdisk"};
	_cleanup_(closep) int own = open_domain(dir, uuid);

	for (size_t i = 0; own >= 0 && i < ARRAY_SIZE(names); i++)
		if (unlinkat(own, names[i], 0) < 0 && errno != ENOENT)
			log_warning("cannot remove %s/%s: %m", uuid, names[i]);
	if (unlinkat(dir, uuid, AT_REMOVEDIR) < 0 && errno != ENOENT)
		log_warning("cannot remove the directory %s: %m", uuid);
}
