/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Job records: one JSON file per job, replaced as a whole, so that a reader never
 * sees half of one.  They are for this daemon only; another version's are ignored.
 */
#ifndef HYPERLAUNCHD_JOBS_RECORD_H
#define HYPERLAUNCHD_JOBS_RECORD_H

#include <stdint.h>

struct job;
struct json_object;

/* Opens the directory, which is made if missing, for this user only.  A descriptor, or a negative
 * errno. */
int record_open_dir(const char *path);

/* A negative errno: there is no record, or it is the previous one. */
int record_write(int dir, const struct job *job);
void record_remove(int dir, uint32_t id);

struct record_type {
	const char *kind, *step;
	struct json_object *data; /* what the type's save() wrote; NULL: nothing */
};

/*
 * Fills the job's members but those that are its type's.  *ret_type is borrowed from
 * `object`.  -EINVAL: not a record of this version; -ENOMEM.
 */
int record_parse(struct json_object *object, struct job *job, struct record_type *ret_type);

/* Calls `each` for each record, in the order of their ids; what cannot be read is removed and
 * logged. */
int record_for_each(int dir, void (*each)(void *userdata, uint32_t id, struct json_object *object),
		    void *userdata);

#endif
