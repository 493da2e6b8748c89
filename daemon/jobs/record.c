// SPDX-License-Identifier: LGPL-2.1-or-later
/* Writes and reads the records of jobs. */
#include "jobs/record.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <json-c/json.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "common/cleanup.h"
#include "common/io.h"
#include "common/json-write.h"
#include "jobs/job.h"
#include "loop/log.h"

#define VERSION	 1
#define MAX_SIZE 65536
#define MAX_JOBS 1024
#define SUFFIX	 ".json"

static void closedirp(DIR **dir)
{
	if (*dir)
		closedir(*dir);
}

int record_open_dir(const char *path)
{
	struct stat st;
	int fd;

	if (mkdir(path, 0700) < 0 && errno != EEXIST)
		return -errno;
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return -errno;
	/* What is read there is acted upon. */
	if (fstat(fd, &st) < 0 || st.st_uid != geteuid() || (st.st_mode & (S_IWGRP | S_IWOTH))) {
		close(fd);
		return -EPERM;
	}
	return fd;
}

static int put_subject(json_object *record, const struct job_subject *subject)
{
	json_object *object = json_object_new_object();
	int r = json_add(record, "subject", object);

	if (r == 0)
		r = json_add(object, "domid", json_object_new_int64(subject->domid));
	if (r == 0)
		r = json_add(object, "generation", json_object_new_uint64(subject->generation));
	if (r == 0)
		r = json_add(object, "uuid", json_object_new_string(subject->uuid));
	if (r == 0)
		r = json_add(object, "name", json_object_new_string(subject->name));
	return r;
}

static int put_data(json_object *object, const struct job *job)
{
	json_object *data;
	int r;

	if (!job->type->save)
		return 0;
	data = json_object_new_object();
	r = json_add(object, "data", data);
	return r < 0 ? r : job->type->save(job, data);
}

/* Of a job that is being undone: how it ends, and why. */
static int put_outcome(json_object *record, const struct job *job)
{
	json_object *object;
	int r;

	if (job->outcome == JOB_WAITING)
		return 0;
	object = json_object_new_object();
	r = json_add(record, "undoing", object);
	if (r == 0)
		r = json_add(object, "cancelled",
			     json_object_new_boolean(job->outcome == JOB_CANCELLED));
	if (r == 0)
		r = json_add(object, "error", json_object_new_int64(job->error));
	if (r == 0)
		r = json_add(object, "errno", json_object_new_int64(-(int64_t)job->errnum));
	if (r == 0)
		r = json_add(object, "message", json_object_new_string(job->message));
	return r;
}

static int make_record(const struct job *job, json_object **ret_object)
{
	_cleanup_(json_putp) json_object *object = json_object_new_object();
	int r = object ? json_add(object, "version", json_object_new_int64(VERSION)) : -ENOMEM;

	if (r == 0)
		r = json_add(object, "kind", json_object_new_string(job->type->kind));
	if (r == 0)
		r = json_add(object, "step",
			     json_object_new_string(job->type->steps[job->step].name));
	if (r == 0)
		r = json_add(object, "key", json_object_new_string(job->key));
	if (r == 0)
		r = json_add(object, "doing", json_object_new_string(job->doing));
	if (r == 0)
		r = json_add(object, "uid", json_object_new_int64(job->uid));
	if (r == 0)
		r = json_add(object, "pid", json_object_new_int64(job->pid));
	if (r == 0)
		r = put_subject(object, &job->subject);
	if (r == 0)
		r = put_data(object, job);
	if (r == 0)
		r = put_outcome(object, job);
	if (r == 0)
		*ret_object = steal(&object);
	return r;
}

static int write_file(int dir, const char *name, const char *text)
{
	int fd = openat(dir, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	int r;

	if (fd < 0)
		return -errno;
	r = write_all(fd, text, strlen(text));
	if (close(fd) < 0 && r == 0)
		r = -errno;
	return r;
}

int record_write(int dir, const struct job *job)
{
	_cleanup_(json_putp) json_object *object = NULL;
	char name[32], temporary[32];
	const char *text;
	int r = make_record(job, &object);

	if (r < 0)
		return r;
	snprintf(name, sizeof(name), "%" PRIu32 SUFFIX, job->id);
	snprintf(temporary, sizeof(temporary), "%" PRIu32 ".new", job->id);
	text = json_object_to_json_string_ext(object, JSON_C_TO_STRING_PLAIN);
	r = text ? write_file(dir, temporary, text) : -ENOMEM;
	if (r == 0 && renameat(dir, temporary, dir, name) < 0)
		r = -errno;
	if (r < 0)
		(void)unlinkat(dir, temporary, 0);
	return r;
}

void record_remove(int dir, uint32_t id)
{
	char name[32];

	snprintf(name, sizeof(name), "%" PRIu32 SUFFIX, id);
	if (unlinkat(dir, name, 0) < 0 && errno != ENOENT)
		log_warning("cannot remove the record of job %" PRIu32 ": %m", id);
}

static int get_text(json_object *object, const char *key, const char **ret_text)
{
	json_object *value;

	if (!json_object_object_get_ex(object, key, &value) ||
	    !json_object_is_type(value, json_type_string))
		return -EINVAL;
	*ret_text = json_object_get_string(value);
	return 0;
}

static int get_number(json_object *object, const char *key, uint64_t max, uint64_t *ret_number)
{
	json_object *value;

	if (!json_object_object_get_ex(object, key, &value) ||
	    !json_object_is_type(value, json_type_int) || json_object_get_int64(value) < 0)
		return -EINVAL;
	*ret_number = json_object_get_uint64(value);
	return *ret_number > max ? -EINVAL : 0;
}

static int get_u32(json_object *object, const char *key, uint32_t *ret_number)
{
	uint64_t number;
	int r = get_number(object, key, UINT32_MAX, &number);

	if (r == 0)
		*ret_number = (uint32_t)number;
	return r;
}

/* Copies a text that must fit. */
static int copy_text(json_object *object, const char *key, char *to, size_t size)
{
	const char *text;
	int r = get_text(object, key, &text);

	if (r < 0)
		return r;
	if (strlen(text) >= size)
		return -EINVAL;
	memcpy(to, text, strlen(text) + 1);
	return 0;
}

static int parse_subject(json_object *record, struct job_subject *subject)
{
	json_object *object;
	const char *name;
	int r = json_object_object_get_ex(record, "subject", &object) &&
				json_object_is_type(object, json_type_object)
			? get_u32(object, "domid", &subject->domid)
			: -EINVAL;

	if (r == 0)
		r = get_number(object, "generation", UINT64_MAX, &subject->generation);
	if (r == 0)
		r = copy_text(object, "uuid", subject->uuid, sizeof(subject->uuid));
	if (r == 0)
		r = get_text(object, "name", &name);
	if (r < 0)
		return r;
	subject->name = strdup(name);
	return subject->name ? 0 : -ENOMEM;
}

static int parse_outcome(json_object *record, struct job *job)
{
	json_object *object, *cancelled;
	uint32_t error = 0, errnum = 0;
	int r;

	if (!json_object_object_get_ex(record, "undoing", &object))
		return 0;
	if (!json_object_object_get_ex(object, "cancelled", &cancelled) ||
	    !json_object_is_type(cancelled, json_type_boolean))
		return -EINVAL;
	r = get_u32(object, "error", &error);
	if (r == 0)
		r = get_u32(object, "errno", &errnum);
	if (r == 0)
		r = copy_text(object, "message", job->message, sizeof(job->message));
	if (r < 0 || error >= JOB_NR_ERRORS || errnum > 4095)
		return -EINVAL;
	job->outcome = json_object_get_boolean(cancelled) ? JOB_CANCELLED : JOB_FAILED;
	job->error = (enum job_error)error;
	job->errnum = -(int)errnum;
	return 0;
}

int record_parse(json_object *object, struct job *job, struct record_type *ret_type)
{
	uint64_t version = 0;
	int r = get_number(object, "version", VERSION, &version);

	if (r == 0 && version != VERSION)
		r = -EINVAL;
	if (r == 0)
		r = get_text(object, "kind", &ret_type->kind);
	if (r == 0)
		r = get_text(object, "step", &ret_type->step);
	if (r == 0)
		r = copy_text(object, "key", job->key, sizeof(job->key));
	if (r == 0)
		r = copy_text(object, "doing", job->doing, sizeof(job->doing));
	if (r == 0)
		r = get_u32(object, "uid", &job->uid);
	if (r == 0)
		r = get_u32(object, "pid", &job->pid);
	if (r == 0)
		r = parse_subject(object, &job->subject);
	if (r == 0)
		r = parse_outcome(object, job);
	if (r == 0 && !json_object_object_get_ex(object, "data", &ret_type->data))
		ret_type->data = NULL;
	return r;
}

/* -EINVAL: it is no record; any other error may pass. */
static int read_record(int dir, const char *name, json_object **ret_object)
{
	_cleanup_(closep) int fd =
		openat(dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	_cleanup_(json_putp) json_object *object = NULL;
	struct stat st;

	if (fd < 0)
		return errno == ELOOP ? -EINVAL : -errno;
	if (fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode) || st.st_size > MAX_SIZE)
		return -EINVAL;
	object = json_object_from_fd(fd);
	if (!json_object_is_type(object, json_type_object))
		return -EINVAL;
	*ret_object = steal(&object);
	return 0;
}

/* 0: not the name of a record. */
static uint32_t id_of(const char *name)
{
	unsigned long id;
	char *end;

	if (name[0] < '1' || name[0] > '9')
		return 0;
	id = strtoul(name, &end, 10);
	return id < UINT32_MAX && strcmp(end, SUFFIX) == 0 ? (uint32_t)id : 0;
}

static int compare_ids(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

static size_t list_ids(DIR *stream, int dir, uint32_t ids[MAX_JOBS])
{
	const struct dirent *entry;
	size_t nr = 0;

	while (nr < MAX_JOBS && (entry = readdir(stream))) {
		uint32_t id = id_of(entry->d_name);

		if (id > 0)
			ids[nr++] = id;
		else if (strstr(entry->d_name, ".new"))
			(void)unlinkat(dir, entry->d_name,
				       0); /* written when the daemon was killed */
	}
	qsort(ids, nr, sizeof(ids[0]), compare_ids);
	return nr;
}

int record_for_each(int dir, void (*each)(void *userdata, uint32_t id, json_object *object),
		    void *userdata)
{
	_cleanup_(closedirp) DIR *stream = NULL;
	uint32_t ids[MAX_JOBS] = {0};
	int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	size_t nr;

	stream = fd < 0 ? NULL : fdopendir(fd);
	if (!stream) {
		int r = -errno;

		closep(&fd);
		return r;
	}
	nr = list_ids(stream, dir, ids);
	for (size_t i = 0; i < nr; i++) {
		_cleanup_(json_putp) json_object *object = NULL;
		char name[32];
		int r;

		snprintf(name, sizeof(name), "%" PRIu32 SUFFIX, ids[i]);
		r = read_record(dir, name, &object);
		if (r == 0)
			each(userdata, ids[i], object);
		else
			log_error("the job record %s cannot be read%s: %s", name,
				  r == -EINVAL ? ": it is removed" : "", strerror(-r));
		if (r == -EINVAL)
			record_remove(dir, ids[i]);
	}
	return 0;
}
