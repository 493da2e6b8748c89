/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Jobs that pause a domain, and let it run again. */
#ifndef HYPERLAUNCHD_LIFECYCLE_PAUSE_H
#define HYPERLAUNCHD_LIFECYCLE_PAUSE_H

#include <stdbool.h>

struct jobs;
struct manager;
struct pause;

#define PAUSE_JOB   "pause"
#define UNPAUSE_JOB "unpause"

/*
 * Data of a new job of the kind PAUSE_JOB.  NULL: no memory.
 * @force: also a domain that others depend on
 */
struct pause *pause_new(bool force);

int pause_register(struct jobs *jobs, struct manager *manager);

#endif
