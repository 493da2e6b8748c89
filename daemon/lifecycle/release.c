// SPDX-License-Identifier: LGPL-2.1-or-later
/* The step of the job that releases a held domain. */
#include "lifecycle/release.h"

#include <errno.h>

#include "common/cleanup.h"
#include "domains/manager.h"
#include "jobs/job.h"
#include "jobs/subject.h"

static int fail(struct job *job, const struct hl_domain *domain, int r)
{
	/* Xen knows the domains of a toolstack by no record that could be held. */
	if (r == -EBUSY || r == -EALREADY || (r == -ESRCH && domain->origin == HL_ORIGIN_POST_BOOT))
		return job_fail(job, JOB_ERROR_WRONG_STATE, "it is not held");
	return job_fail_hypervisor(job, r);
}

static int release(struct job *job, bool again)
{
	struct manager *manager = job->context;
	const struct hl_domain *domain;
	int r;

	manager_refresh(manager);
	r = job_get_domain(job, manager, &domain);
	if (r < 0)
		return r;
	if (job->resumed && domain->state != HL_DOMAIN_HELD)
		return 0;
	r = hl_release(manager_hl(manager), domain->domid);
	if (r < 0)
		return fail(job, domain, r);
	manager_refresh(manager);
	return 0;
}

/* A domain that has started cannot be held again, so there is no undo(). */
static const struct job_step steps[] = {
	{.name = "release", .run = release},
};

static const struct job_type type = {
	.kind = RELEASE_JOB,
	.steps = steps,
	.nr_steps = ARRAY_SIZE(steps),
};

int release_register(struct jobs *jobs, struct manager *manager)
{
	return jobs_register(jobs, &type, manager);
}
