/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The file of a policy, and the directory that it is in. */
#ifndef HYPERLAUNCHD_LIFECYCLE_POLICY_FILE_H
#define HYPERLAUNCHD_LIFECYCLE_POLICY_FILE_H

#include <stdbool.h>

struct policy;

#define POLICY_FILE_INITIAL "initial-" /* and the index: the directory of an initial domain */

/* Opens the directory of all domains, which is made if missing.  -errno. */
int policy_file_open_dir(const char *path);

/* Makes the domain's directory if need be; the file is replaced as a whole. */
int policy_file_write(int dir, const struct policy *policy);

/* For each domain that has a directory; one whose file cannot be read is removed, and logged. */
int policy_file_for_each(int dir, void (*each)(void *userdata, const struct policy *policy),
			 void *userdata);

/* Whether vmd has kept there what the domain is made of. */
bool policy_file_can_restart(int dir, const char *uuid);

/* With all that vmd has kept there. */
void policy_file_remove(int dir, const char *uuid);

#endif
