// SPDX-License-Identifier: LGPL-2.1-or-later
/* Steps of the job that hands over Xen's console. */
#include "console/owner.h"

#include <errno.h>
#include <json-c/json.h>

#include "common/cleanup.h"
#include "common/clock.h"
#include "common/json-write.h"
#include "domains/manager.h"
#include "jobs/job.h"
#include "jobs/subject.h"

/* Another hand-off may come first; Xen waits for the end of a line for 2 s at most. */
#define DEADLINE (5 * USEC_PER_SEC)

static void note_previous(struct console_owner *owner, struct hl_table *table)
{
	const struct hl_domain *domain;

	owner->previous = hl_table_summary(table)->console_owner;
	owner->has_previous = hl_table_find_domid(table, owner->previous, &domain) == 0;
	if (owner->has_previous)
		owner->previous_generation = domain->generation;
}

static int ask(struct job *job, struct manager *manager, struct console_owner *owner)
{
	int r = hl_set_console(manager_hl(manager), job->subject.domid, owner->loan_ms);

	/* A change between these two is one too many, which does no harm. */
	if (r == -EAGAIN && !owner->asked)
		owner->since = hl_table_summary(manager_table(manager))->nr_events;
	owner->asked = owner->asked || r == -EAGAIN;
	/* EBUSY: another one is to get it first. */
	if (r == -EAGAIN || r == -EBUSY)
		return -EINPROGRESS;
	manager_refresh(manager);
	return r < 0 ? job_fail_hypervisor(job, r) : 0;
}

/* Since it was asked for; a short loan may be over by now. */
static bool has_had_it(const struct job *job, struct manager *manager,
		       const struct console_owner *owner)
{
	struct hl_events *events;
	bool had = false;

	if (hl_events_read(manager_hl(manager), owner->since, &events) < 0)
		return false;
	for (size_t i = 0; !had && i < hl_events_nr(events); i++) {
		const struct hl_event *event = hl_events_get(events, i);

		had = event->type == HL_EVENT_CONSOLE && event->domid == job->subject.domid;
	}
	hl_events_free(events);
	return had;
}

/*
 * Xen hands over by itself and announces it.  If the console's owner or the next one
 * ends meanwhile it forgets the request, so it is asked again after each change, which
 * changes nothing where it has not.
 */
static int hand_off(struct job *job, bool again)
{
	struct manager *manager = job->context;
	struct console_owner *owner = job->data;
	const struct hl_domain *domain;
	int r;

	if (!again || job->overdue)
		manager_refresh(manager);
	r = job_get_domain(job, manager, &domain);
	if (r < 0)
		return r;
	if (owner->asked && has_had_it(job, manager, owner))
		return 0;
	if (!owner->asked)
		note_previous(owner, manager_table(manager));
	return ask(job, manager, owner);
}

static int save(const struct job *job, json_object *object)
{
	const struct console_owner *owner = job->data;

	return json_add(object, "loan-ms", json_object_new_int64(owner->loan_ms));
}

static int load(struct job *job, json_object *object)
{
	struct console_owner *owner = calloc(1, sizeof(*owner));
	json_object *loan;

	if (!owner)
		return -ENOMEM;
	job->data = owner;
	if (!json_object_object_get_ex(object, "loan-ms", &loan) ||
	    !json_object_is_type(loan, json_type_int) || json_object_get_int64(loan) < 0 ||
	    json_object_get_int64(loan) > UINT32_MAX)
		return -EINVAL;
	owner->loan_ms = (uint32_t)json_object_get_int64(loan);
	return 0;
}

/* Xen cannot be asked to forget a hand-off, so there is no undo(). */
static const struct job_step steps[] = {
	{.name = "hand-off", .run = hand_off, .deadline = DEADLINE},
};

static const struct job_type type = {
	.kind = CONSOLE_OWNER_JOB,
	.steps = steps,
	.nr_steps = ARRAY_SIZE(steps),
	.save = save,
	.load = load,
};

int console_owner_register(struct jobs *jobs, struct manager *manager)
{
	return jobs_register(jobs, &type, manager);
}
