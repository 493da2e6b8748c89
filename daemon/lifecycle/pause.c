// SPDX-License-Identifier: LGPL-2.1-or-later
/* The steps of the jobs that pause and unpause a domain. */
#include "lifecycle/pause.h"

#include <errno.h>
#include <json-c/json.h>
#include <stdlib.h>

#include "common/cleanup.h"
#include "common/json-write.h"
#include "common/packet.h"
#include "domains/manager.h"
#include "jobs/job.h"
#include "jobs/subject.h"
#include "lifecycle/check.h"

/* Xen counts no more pauses of one domain. */
#define MAX_PAUSES 255

struct pause {
	bool force;
};

static int check_may_pause(struct job *job, const struct manager *manager,
			   const struct hl_domain *domain)
{
	const struct pause *pause = job->data;
	bool hardware = domain->roles & 1u << HL_ROLE_HARDWARE;
	int r = check_may_stop(job, manager, domain, pause->force || hardware);

	if (r == 0 && hardware)
		r = job_fail(job, JOB_ERROR_NOT_SUPPORTED,
			     "it is the hardware domain, which Xen lets no other domain pause");
	return r;
}

/* One pause is enough: Xen counts them, and each has to be taken back. */
static int pause_domain(struct job *job, bool again)
{
	struct manager *manager = job->context;
	const struct hl_domain *domain;
	int r;

	manager_refresh(manager);
	r = job_get_domain(job, manager, &domain);
	if (r == 0)
		r = check_may_pause(job, manager, domain);
	if (r == 0)
		r = check_started(job, manager, domain);
	if (r < 0 || check_is_paused(domain))
		return r;
	r = hl_pause(manager_hl(manager), domain->domid);
	if (r < 0)
		return job_fail_hypervisor(job, r);
	manager_refresh(manager);
	return 0;
}

/* Also the pauses of others.  -EINVAL: there is none left. */
static int take_back_pauses(struct hl_ctx *hl, uint32_t domid)
{
	int r = 0;

	for (int i = 0; i <= MAX_PAUSES && r == 0; i++)
		r = hl_unpause(hl, domid);
	return r;
}

static int unpause_domain(struct job *job, bool again)
{
	struct manager *manager = job->context;
	const struct hl_domain *domain;
	int r;

	manager_refresh(manager);
	r = job_get_domain(job, manager, &domain);
	if (r == 0)
		r = check_started(job, manager, domain);
	if (r < 0)
		return r;
	r = take_back_pauses(manager_hl(manager), domain->domid);
	manager_refresh(manager);
	if (r == 0)
		return job_fail(job, JOB_ERROR_BUSY, "another control domain keeps pausing it");
	return r == -EINVAL ? 0 : job_fail_hypervisor(job, r);
}

static int save(const struct job *job, json_object *object)
{
	const struct pause *pause = job->data;

	return json_add(object, "force", json_object_new_boolean(pause->force));
}

static int load(struct job *job, json_object *object)
{
	struct pause *pause = calloc(1, sizeof(*pause));

	if (!pause)
		return -ENOMEM;
	job->data = pause;
	return packet_get_bool(object, "force", &pause->force) < 0 ? -EINVAL : 0;
}

/* The opposite verb takes it back, so there is no undo(). */
static const struct job_step pause_steps[] = {
	{.name = "pause", .run = pause_domain},
};

static const struct job_step unpause_steps[] = {
	{.name = "unpause", .run = unpause_domain},
};

static const struct job_type pause_type = {
	.kind = PAUSE_JOB,
	.steps = pause_steps,
	.nr_steps = ARRAY_SIZE(pause_steps),
	.save = save,
	.load = load,
};

static const struct job_type unpause_type = {
	.kind = UNPAUSE_JOB,
	.steps = unpause_steps,
	.nr_steps = ARRAY_SIZE(unpause_steps),
};

struct pause *pause_new(bool force)
{
	struct pause *pause = calloc(1, sizeof(*pause));

	if (pause)
		pause->force = force;
	return pause;
}

int pause_register(struct jobs *jobs, struct manager *manager)
{
	int r = jobs_register(jobs, &pause_type, manager);

	return r < 0 ? r : jobs_register(jobs, &unpause_type, manager);
}
