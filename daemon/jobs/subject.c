// SPDX-License-Identifier: LGPL-2.1-or-later
/* Finds the domain that a job is about. */
#include "jobs/subject.h"

#include "domains/manager.h"
#include "jobs/job.h"

int job_get_domain(struct job *job, const struct manager *manager,
		   const struct hl_domain **ret_domain)
{
	const struct job_subject *subject = &job->subject;
	const struct hl_domain *domain;

	if (hl_table_find(manager_table(manager), subject->domid, subject->generation, &domain) < 0)
		return job_fail(job, JOB_ERROR_NO_SUCH_DOMAIN, "the domain has gone meanwhile");
	if (!domain->live)
		return job_fail(job, JOB_ERROR_NO_SUCH_DOMAIN,
				"the domain does not exist now: it is %s",
				hl_domain_state_name(domain->state));
	if (domain->state == HL_DOMAIN_DYING)
		return job_fail(job, JOB_ERROR_WRONG_STATE, "it is dying");
	*ret_domain = domain;
	return 0;
}
