/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The domain that a job is about, as it is now. */
#ifndef HYPERLAUNCHD_JOBS_SUBJECT_H
#define HYPERLAUNCHD_JOBS_SUBJECT_H

#include <hyperlaunch/hl.h>

struct job;
struct manager;

/*
 * The row of the job's domain in the present table: it exists and is not dying.
 * Otherwise the error of job_fail().
 */
int job_get_domain(struct job *job, const struct manager *manager,
		   const struct hl_domain **ret_domain);

#endif
