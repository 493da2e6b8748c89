// SPDX-License-Identifier: LGPL-2.1-or-later
/* Notes about QEMU, and the end of its processes, which are those of a control group. */
#include "qemu.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <json-c/json.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/io.h"
#include "common/json-write.h"
#include "common/packet.h"
#include "order.h"

#define PREFIX	   "qemu-"
#define NEW	   ".new"
#define CGROUPS	   "/sys/fs/cgroup"
#define UUID_SIZE  37
#define LOOK_MS	   50
#define END_MAX_MS 5000 /* in which QEMU closes its disks */
#define NOTE_MAX   4096

struct note {
	char uuid[UUID_SIZE];
	char cgroup[PATH_MAX];
	uint32_t domid;
};

static void closedirp(DIR **dir)
{
	if (*dir)
		closedir(*dir);
}

/* -ENXIO: this is no unit of the service manager. */
static int note_path(const char *dir, char *path, size_t size)
{
	const char *id = getenv("INVOCATION_ID");

	if (!id)
		return -ENXIO;
	return snprintf(path, size, "%s/" PREFIX "%s", dir, id) >= (int)size ? -ENAMETOOLONG : 0;
}

/* What there is at once: files of the kernel, and short ones of ours. */
static int read_file(const char *path, char *text, size_t size)
{
	_cleanup_(closep) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	ssize_t n = fd < 0 ? -1 : read(fd, text, size - 1);

	if (n < 0)
		return -errno;
	text[n] = '\0';
	return 0;
}

/* Of this process: the line of the unified hierarchy is "0::PATH". */
static int own_cgroup(char *path, size_t size)
{
	char text[NOTE_MAX], *state;
	int r = read_file("/proc/self/cgroup", text, sizeof(text));

	if (r < 0)
		return r;
	for (char *line = strtok_r(text, "\n", &state); line; line = strtok_r(NULL, "\n", &state))
		if (strncmp(line, "0::/", 4) == 0)
			return snprintf(path, size, CGROUPS "%s", line + 3) >= (int)size
				       ? -ENAMETOOLONG
				       : 0;
	return -ENOENT;
}

static int make_note(const char *uuid, uint32_t domid, json_object **ret_note)
{
	_cleanup_(json_putp) json_object *note = json_object_new_object();
	char cgroup[PATH_MAX];
	int r = note ? own_cgroup(cgroup, sizeof(cgroup)) : -ENOMEM;

	if (r == 0)
		r = json_add(note, "uuid", json_object_new_string(uuid));
	if (r == 0)
		r = json_add(note, "cgroup", json_object_new_string(cgroup));
	if (r == 0 && domid != ORDER_NO_DOMID)
		r = json_add(note, "domid", json_object_new_int64(domid));
	if (r == 0)
		*ret_note = steal(&note);
	return r;
}

static int write_file(const char *path, const char *text)
{
	char new[PATH_MAX];
	_cleanup_(closep) int fd = -1;
	int r;

	if (snprintf(new, sizeof(new), "%s" NEW, path) >= (int)sizeof(new))
		return -ENAMETOOLONG;
	fd = open(new, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	r = fd < 0 ? -errno : write_all(fd, text, strlen(text));
	if (r == 0 && rename(new, path) < 0)
		r = -errno;
	if (r < 0)
		(void)unlink(new);
	return r;
}

int qemu_note(const char *dir, const char *uuid, uint32_t domid)
{
	_cleanup_(json_putp) json_object *note = NULL;
	char path[PATH_MAX];
	int r = note_path(dir, path, sizeof(path));

	if (r < 0)
		return r == -ENXIO ? 0 : r;
	r = make_note(uuid, domid, &note);
	return r < 0 ? r : write_file(path, json_object_to_json_string(note));
}

static int parse_note(const char *text, struct note *ret_note)
{
	_cleanup_(json_putp) json_object *object = json_tokener_parse(text);
	const char *uuid, *cgroup;
	uint64_t domid = ORDER_NO_DOMID;

	if (!json_object_is_type(object, json_type_object) ||
	    packet_get_text(object, "uuid", UUID_SIZE - 1, &uuid) < 0 ||
	    packet_get_text(object, "cgroup", sizeof(ret_note->cgroup) - 1, &cgroup) < 0 ||
	    strncmp(cgroup, CGROUPS "/", sizeof(CGROUPS)) != 0)
		return -EBADMSG;
	if (json_object_object_get_ex(object, "domid", NULL) &&
	    packet_get_uint(object, "domid", UINT32_MAX, &domid) < 0)
		return -EBADMSG;
	snprintf(ret_note->uuid, sizeof(ret_note->uuid), "%s", uuid);
	snprintf(ret_note->cgroup, sizeof(ret_note->cgroup), "%s", cgroup);
	ret_note->domid = (uint32_t)domid;
	return 0;
}

static int read_note(const char *path, struct note *ret_note)
{
	char text[NOTE_MAX];
	int r = read_file(path, text, sizeof(text));

	return r < 0 ? r : parse_note(text, ret_note);
}

/* One that was killed as it wrote its note has left a part of it. */
static void remove_part(const char *path)
{
	char new[PATH_MAX];

	if (snprintf(new, sizeof(new), "%s" NEW, path) < (int)sizeof(new))
		(void)unlink(new);
}

int qemu_take_note(const char *dir, char *ret_uuid, uint32_t *ret_domid)
{
	char path[PATH_MAX];
	struct note note;
	int r = note_path(dir, path, sizeof(path));

	if (r == 0) {
		remove_part(path);
		r = read_note(path, &note);
	}
	if (r == 0 && unlink(path) < 0)
		r = -errno;
	if (r == 0 && note.domid == ORDER_NO_DOMID)
		r = -ENOENT;
	if (r < 0)
		return r;
	memcpy(ret_uuid, note.uuid, sizeof(note.uuid));
	*ret_domid = note.domid;
	return 0;
}

/* Whether another unit's note is about that VM: that one, and where it is. */
static bool is_others(const char *path, const char *own, const char *uuid, struct note *ret_note)
{
	int r = strcmp(path, own) == 0 ? -ENOENT : read_note(path, ret_note);

	if (r < 0 && r != -ENOENT)
		fprintf(stderr, "<4>%s cannot be read: %s\n", path, strerror(-r));
	return r == 0 && strcmp(ret_note->uuid, uuid) == 0;
}

static bool find_others(const char *dir, const char *uuid, char *path, size_t size,
			struct note *ret_note)
{
	_cleanup_(closedirp) DIR *stream = opendir(dir);
	const struct dirent *entry;
	char own[PATH_MAX];

	if (note_path(dir, own, sizeof(own)) < 0)
		own[0] = '\0';
	while (stream && (entry = readdir(stream))) {
		if (strncmp(entry->d_name, PREFIX, strlen(PREFIX)) != 0 ||
		    strstr(entry->d_name, NEW))
			continue;
		if (snprintf(path, size, "%s/%s", dir, entry->d_name) < (int)size &&
		    is_others(path, own, uuid, ret_note))
			return true;
	}
	return false;
}

/* Returns how many processes it has.  signal: 0: none is sent */
static int signal_all(const char *cgroup, int signal)
{
	char path[PATH_MAX], text[NOTE_MAX], *state;
	int nr = 0;

	if (snprintf(path, sizeof(path), "%s/cgroup.procs", cgroup) >= (int)sizeof(path) ||
	    read_file(path, text, sizeof(text)) < 0)
		return 0;
	for (char *line = strtok_r(text, "\n", &state); line; line = strtok_r(NULL, "\n", &state)) {
		long pid = strtol(line, NULL, 10);

		nr++;
		if (pid > 1 && kill((pid_t)pid, signal) < 0 && errno != ESRCH)
			fprintf(stderr, "<3>process %ld of %s cannot be ended: %s\n", pid, cgroup,
				strerror(errno));
	}
	return nr;
}

/* What the service manager runs when a unit has ended takes the note away. */
bool qemu_sweep(const char *dir, const char *uuid)
{
	const struct timespec pause = {.tv_nsec = LOOK_MS * 1000000L};
	char path[PATH_MAX];
	struct note note;
	bool found = false;

	for (int waited = 0; find_others(dir, uuid, path, sizeof(path), &note); waited += LOOK_MS) {
		found = true;
		if (waited < END_MAX_MS && signal_all(note.cgroup, 0) > 0) {
			nanosleep(&pause, NULL);
			continue;
		}
		if (signal_all(note.cgroup, SIGKILL) > 0)
			fprintf(stderr, "<4>%s: QEMU was killed, as it did not end\n", uuid);
		if (unlink(path) < 0 && errno != ENOENT) {
			fprintf(stderr, "<3>%s cannot be removed: %s\n", path, strerror(errno));
			break;
		}
	}
	return found;
}
