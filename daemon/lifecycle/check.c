// SPDX-License-Identifier: LGPL-2.1-or-later
/* Holds a domain's roles and state against what a verb does. */
#include "lifecycle/check.h"

#include <inttypes.h>

#include "common/cleanup.h"
#include "common/uuid.h"
#include "domains/manager.h"
#include "jobs/job.h"

/* A Xen without Hyperlaunch has one dom0. */
static bool is_own(const struct manager *manager, const struct hl_domain *domain)
{
	uint32_t self = hl_table_summary(manager_table(manager))->self_domid;

	return domain->domid == (self == HL_NO_DOMID ? 0 : self);
}

int check_may_stop(struct job *job, const struct manager *manager, const struct hl_domain *domain,
		   bool force)
{
	static const struct {
		enum hl_role role;
		const char *why;
	} needed[] = {
		{HL_ROLE_HARDWARE, "it is the hardware domain, which drives the host's devices"},
		{HL_ROLE_XENSTORE, "it is the xenstore domain, without which no other one can be "
				   "asked for anything"},
		{HL_ROLE_CONTROL, "it is a control domain"},
	};

	if (is_own(manager, domain))
		return job_fail(job, JOB_ERROR_NOT_SUPPORTED,
				"hyperlaunchd runs in it and would stop with it");
	for (size_t i = 0; i < ARRAY_SIZE(needed) && !force; i++)
		if (domain->roles & 1u << needed[i].role)
			return job_fail(job, JOB_ERROR_NOT_SUPPORTED,
					"%s; with the option Force it is done all the same",
					needed[i].why);
	return 0;
}

int check_may_destroy(struct job *job, const struct manager *manager,
		      const struct hl_domain *domain, bool force)
{
	if (domain->roles & (1u << HL_ROLE_HARDWARE | 1u << HL_ROLE_LEGACY_DOM0))
		return job_fail(job, JOB_ERROR_NOT_SUPPORTED,
				"it is the hardware domain, which Xen lets nobody end");
	return check_may_stop(job, manager, domain, force);
}

const struct hl_domain *check_acting(const struct manager *manager)
{
	const struct hl_table *table = manager_table(manager);
	const struct hl_domain *domain = NULL;

	while ((domain = hl_table_next_role(table, HL_ROLE_CONTROL, domain)))
		if (domain->live && domain->state != HL_DOMAIN_SHUTDOWN &&
		    domain->state != HL_DOMAIN_DYING)
			return is_own(manager, domain) ? NULL : domain;
	return NULL;
}

int check_is_acting(struct job *job, const struct manager *manager)
{
	const struct hl_domain *acting = check_acting(manager);

	if (!acting)
		return 0;
	return job_fail(job, JOB_ERROR_NOT_SUPPORTED,
			"domain %" PRIu32 " (%s) is the first control domain, and its hyperlaunchd "
			"does that",
			acting->domid, acting->name);
}

/* Its pause is Xen's or the launch's own, and ends with a request or an event of the launch. */
static const char *reason_to_wait(const struct manager *manager, const struct hl_domain *domain)
{
	if (domain->state == HL_DOMAIN_HELD)
		return "it is held, and Release is what lets it run";
	if (domain->state == HL_DOMAIN_BUILT && !domain->adopted &&
	    hl_table_summary(manager_table(manager))->state != HL_LAUNCH_COMPLETE)
		return "it waits for the launch to complete";
	if (domain->state == HL_DOMAIN_PAUSED && domain->origin == HL_ORIGIN_BOOT &&
	    domain->started_ns == 0)
		return "it runs only if the launch fails";
	return NULL;
}

int check_started(struct job *job, const struct manager *manager, const struct hl_domain *domain)
{
	const char *why = reason_to_wait(manager, domain);

	if (why)
		return job_fail(job, JOB_ERROR_WRONG_STATE, "%s", why);
	if (domain->state == HL_DOMAIN_SHUTDOWN)
		return job_fail(job, JOB_ERROR_WRONG_STATE, "it has shut down (%s)",
				domain->reason);
	return 0;
}

int check_has_uuid(struct job *job, const struct hl_domain *domain)
{
	return uuid_is_nil(domain->handle)
		       ? job_fail(job, JOB_ERROR_NOT_SUPPORTED,
				  "Xen has no UUID of it, by which hyperlaunch-vmd finds domains")
		       : 0;
}

/* BUILT: released by a control domain while another one had paused it. */
bool check_is_paused(const struct hl_domain *domain)
{
	return domain->state == HL_DOMAIN_PAUSED || domain->state == HL_DOMAIN_BUILT;
}
