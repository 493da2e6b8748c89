/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The job that lets a held initial domain run. */
#ifndef HYPERLAUNCHD_LIFECYCLE_RELEASE_H
#define HYPERLAUNCHD_LIFECYCLE_RELEASE_H

#define RELEASE_JOB "release"

struct jobs;
struct manager;

int release_register(struct jobs *jobs, struct manager *manager);

#endif
