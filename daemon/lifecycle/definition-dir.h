/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The directory of the domains that persist: NAME.dts or NAME.json, which CreateDomain would take,
 * and NAME.conf.  It is the administrator's too, so it is read anew each time.
 */
#ifndef HYPERLAUNCHD_LIFECYCLE_DEFINITION_DIR_H
#define HYPERLAUNCHD_LIFECYCLE_DEFINITION_DIR_H

#include <stdbool.h>
#include <stddef.h>

#include "common/guest-nodes.h"
#include "lifecycle/definition-settings.h"
#include "lifecycle/definition.h"

struct definition_file {
	char name[XS_GUEST_NAME_MAX + 1];
	bool json; /* else device-tree source */
	char *text;
	struct definition_settings settings;
};

/* Why a domain of that name cannot be defined; NULL: it can. */
const char *definition_name_refusal(const char *name);

/*
 * Each definition, in the order of names; one that cannot be read has no text, and `refusal` says
 * why.  A negative errno: the directory cannot be read; that it is not there is none.
 */
int definition_dir_for_each(const char *dir,
			    int (*each)(void *userdata, const struct definition_file *file,
					const struct definition_refusal *refusal),
			    void *userdata);

/*
 * -ENOENT: there is none of that name; -EINVAL, -EIO: `ret_refusal` says what is wrong with its
 * files.
 * @ret_file: definition_file_clear() whatever is returned
 */
int definition_dir_read(const char *dir, const char *name, struct definition_file *ret_file,
			struct definition_refusal *ret_refusal);

/* Makes the directory where it is missing; what was defined by that name is replaced. */
int definition_dir_write(const char *dir, const struct definition_file *file);

/* NAME.conf only. */
int definition_dir_write_settings(const char *dir, const char *name,
				  const struct definition_settings *settings);

/* -ENOENT: there is none of that name. */
int definition_dir_remove(const char *dir, const char *name);

/* The path of NAME.dts; NULL: out of memory. */
char *definition_dir_source_path(const char *dir, const char *name);

void definition_file_clear(struct definition_file *file);

#endif
