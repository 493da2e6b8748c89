/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The job that gives a domain another name, in xenstore, where all toolstacks look. */
#ifndef HYPERLAUNCHD_LIFECYCLE_RENAME_H
#define HYPERLAUNCHD_LIFECYCLE_RENAME_H

struct jobs;
struct manager;
struct rename;

#define RENAME_JOB "rename"

/* Data of a new job, for a name that is not refused.  NULL: no memory. */
struct rename *rename_new(const char *name);

int rename_register(struct jobs *jobs, struct manager *manager);

#endif
