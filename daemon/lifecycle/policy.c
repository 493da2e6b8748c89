// SPDX-License-Identifier: LGPL-2.1-or-later
/* Looks at domains with a policy when domains have changed, and starts the job that each one's end
 * asks for. */
#include "lifecycle/policy.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/clock.h"
#include "domains/manager.h"
#include "jobs/job.h"
#include "lifecycle/check.h"
#include "lifecycle/create.h"
#include "lifecycle/destroy.h"
#include "lifecycle/policy-file.h"
#include "lifecycle/rebuild.h"
#include "lifecycle/restart.h"
#include "loop/log.h"
#include "loop/loop.h"
#include "loop/timer.h"

#define RETRY_DELAY (2 * USEC_PER_SEC)

struct entry {
	struct policy policy;
	uint32_t index; /* of an initial domain, in the LCM; else HL_NO_INDEX */
	/* The domain whose shutdown was acted upon: a job that failed is not tried again. */
	uint32_t handled;
	uint64_t handled_generation;
	struct entry *next;
};

struct policies {
	struct manager *manager;
	struct manager_observer observer;
	struct jobs *jobs;
	struct deferred *look;
	struct timer *retry; /* of what no job could be made for */
	int dir;	     /* -1: none */
	struct entry *first;
};

static const char *const actions[] = {
	[POLICY_DESTROY] = "destroy",
	[POLICY_RESTART] = "restart",
	[POLICY_PRESERVE] = "preserve",
};

const char *policy_action_name(enum policy_action action)
{
	return actions[action];
}

int policy_action_from_name(const char *name, enum policy_action *ret_action)
{
	for (size_t i = 0; i < ARRAY_SIZE(actions); i++) {
		if (strcmp(actions[i], name) != 0)
			continue;
		*ret_action = (enum policy_action)i;
		return 0;
	}
	return -EINVAL;
}

void policy_from_lcm(const struct hl_lcm_domain *domain, enum policy_action otherwise,
		     struct policy *ret_policy)
{
	bool always = strcmp(domain->restart, "always") == 0;
	bool failure = always || strcmp(domain->restart, "on-failure") == 0;

	*ret_policy = (struct policy){.limit = domain->restart_limit};
	ret_policy->actions[POLICY_POWEROFF] = always ? POLICY_RESTART : otherwise;
	ret_policy->actions[POLICY_REBOOT] = failure ? POLICY_RESTART : otherwise;
	ret_policy->actions[POLICY_CRASH] = failure ? POLICY_RESTART : otherwise;
}

bool policy_restarts(const struct policy *policy)
{
	for (size_t i = 0; i < POLICY_NR_EVENTS; i++)
		if (policy->actions[i] == POLICY_RESTART)
			return true;
	return false;
}

static struct entry *find_entry(const struct policies *policies, const char *uuid)
{
	struct entry *entry = policies->first;

	while (entry && strcmp(entry->policy.uuid, uuid) != 0)
		entry = entry->next;
	return entry;
}

/* In the place of one that an earlier domain with that UUID has left. */
static int set_entry(struct policies *policies, const struct policy *policy)
{
	struct entry *entry = find_entry(policies, policy->uuid);

	if (!entry) {
		entry = calloc(1, sizeof(*entry));
		if (!entry)
			return -ENOMEM;
		entry->next = policies->first;
		policies->first = entry;
	}
	entry->policy = *policy;
	entry->index = HL_NO_INDEX;
	entry->handled = HL_NO_DOMID;
	return 0;
}

static void forget(struct policies *policies, const struct entry *entry)
{
	struct entry **p = &policies->first;

	while (*p != entry)
		p = &(*p)->next;
	*p = entry->next;
	if (policies->dir >= 0)
		policy_file_remove(policies->dir, entry->policy.uuid);
	free((struct entry *)entry);
}

/* Of an initial domain: that it is about the one which is its own now. */
static bool is_about(const struct job *job, const struct entry *entry,
		     const struct hl_domain *domain)
{
	if (entry->index == HL_NO_INDEX)
		return strcmp(job->subject.uuid, entry->policy.uuid) == 0;
	return domain && job->subject.domid == domain->domid &&
	       job->subject.generation == domain->generation;
}

/* Whoever has it made or ended has the domains read again at the end. */
static bool is_changing(const struct policies *policies, const struct entry *entry,
			const struct hl_domain *domain)
{
	static const char *const kinds[] = {CREATE_JOB, DESTROY_JOB, RESTART_JOB, REBUILD_JOB};

	for (const struct job *job = jobs_first(policies->jobs); job; job = job->next) {
		if (!is_about(job, entry, domain))
			continue;
		for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
			if (strcmp(job->type->kind, kinds[i]) == 0)
				return true;
	}
	return false;
}

/*
 * The domain with that handle.  Beside it there may be an earlier one whose memory another domain
 * still maps; where there is only that, *ret_left is true.
 */
static const struct hl_domain *find_domain(const struct policies *policies, const char *uuid,
					   bool *ret_left)
{
	const struct hl_table *table = manager_table(policies->manager);

	*ret_left = false;
	for (uint32_t i = 0; i < hl_table_nr_domains(table); i++) {
		const struct hl_domain *domain = hl_table_get(table, i);

		if (!domain->live || strcmp(domain->handle_text, uuid) != 0)
			continue;
		if (domain->state != HL_DOMAIN_DYING)
			return domain;
		*ret_left = true;
	}
	return NULL;
}

/* While it exists. */
static const struct hl_domain *find_initial(const struct policies *policies, uint32_t index)
{
	const struct hl_table *table = manager_table(policies->manager);

	for (uint32_t i = 0; i < hl_table_nr_domains(table); i++) {
		const struct hl_domain *domain = hl_table_get(table, i);

		if (domain->live && domain->origin == HL_ORIGIN_BOOT && domain->index == index)
			return domain;
	}
	return NULL;
}

/* POLICY_NR_EVENTS: no policy covers the reason of its shutdown. */
static enum policy_event event_of(const struct hl_domain *domain)
{
	static const struct {
		const char *reason;
		enum policy_event event;
	} events[] = {
		{"poweroff", POLICY_POWEROFF},
		{"reboot", POLICY_REBOOT},
		{"crash", POLICY_CRASH},
		{"watchdog", POLICY_CRASH},
	};

	for (size_t i = 0; i < ARRAY_SIZE(events); i++)
		if (strcmp(events[i].reason, domain->reason) == 0)
			return events[i].event;
	return POLICY_NR_EVENTS;
}

/* What is longer ago than the period does not count. */
static bool may_restart(struct policy *policy)
{
	uint64_t now = loop_now();
	uint32_t old = 0;

	while (old < policy->nr_restarts && now - policy->restarts[old] > POLICY_PERIOD)
		old++;
	policy->nr_restarts -= old;
	memmove(policy->restarts, policy->restarts + old,
		policy->nr_restarts * sizeof(policy->restarts[0]));
	return policy->nr_restarts < policy->limit;
}

static void note_restart(const struct policies *policies, struct policy *policy)
{
	int r;

	policy->restarts[policy->nr_restarts++] = loop_now();
	r = policies->dir < 0 ? 0 : policy_file_write(policies->dir, policy);
	if (r < 0)
		log_warning("a restart of the domain %s is not recorded: %s", policy->uuid,
			    strerror(-r));
}

/*
 * Whether the job was made; else it is tried again.  Its first step may have the domains read
 * again: the domain is gone then.
 */
static bool start_job(const struct policies *policies, const struct hl_domain *domain,
		      const char *kind, void *data)
{
	char key[64];
	const struct job_request request = {
		.kind = kind,
		.domain = domain,
		.key = key,
		.verb = kind,
		.data = data,
	};
	struct job *job;
	int r;

	snprintf(key, sizeof(key), "domain/%" PRIu32 "_%" PRIu64, domain->domid,
		 domain->generation);
	r = data ? jobs_start(policies->jobs, &request, &job) : -ENOMEM;
	if (r < 0)
		log_warning("cannot %s %s, which has shut down, yet: %s", kind, key, strerror(-r));
	return r == 0;
}

static bool start_again(const struct policies *policies, const struct entry *entry,
			const struct hl_domain *domain)
{
	if (entry->index == HL_NO_INDEX)
		return start_job(policies, domain, RESTART_JOB, restart_new());
	return start_job(policies, domain, REBUILD_JOB, rebuild_new(false));
}

/* Whether it has been acted upon, after which the domain may be gone. */
static bool act(const struct policies *policies, struct entry *entry,
		const struct hl_domain *domain)
{
	struct policy *policy = &entry->policy;
	enum policy_event event = event_of(domain);
	enum policy_action action =
		event == POLICY_NR_EVENTS ? POLICY_PRESERVE : policy->actions[event];

	if (action == POLICY_DESTROY)
		return start_job(policies, domain, DESTROY_JOB, destroy_new(false));
	if (action == POLICY_PRESERVE)
		return true;
	if (!may_restart(policy)) {
		log_warning("domain %" PRIu32 " (%s) has shut down (%s), and is preserved: it was "
			    "restarted %" PRIu32 " times in ten minutes",
			    domain->domid, domain->name, domain->reason, policy->nr_restarts);
		return true;
	}
	if (!start_again(policies, entry, domain))
		return false;
	note_restart(policies, policy);
	return true;
}

static void look_at(struct policies *policies, struct entry *entry)
{
	const struct hl_domain *domain;
	uint64_t generation;
	uint32_t domid;
	bool left = true;

	/* Each control domain has these entries, and one acts. */
	if (entry->index != HL_NO_INDEX && check_acting(policies->manager))
		return;
	domain = entry->index == HL_NO_INDEX ? find_domain(policies, entry->policy.uuid, &left)
					     : find_initial(policies, entry->index);
	if (is_changing(policies, entry, domain))
		return;
	if (!domain && !left)
		forget(policies, entry);
	if (!domain || domain->state != HL_DOMAIN_SHUTDOWN ||
	    (entry->handled == domain->domid && entry->handled_generation == domain->generation))
		return;
	domid = domain->domid;
	generation = domain->generation;
	if (act(policies, entry, domain)) {
		entry->handled = domid;
		entry->handled_generation = generation;
	} else if (timer_set(policies->retry, RETRY_DELAY) < 0) {
		log_error("no timer: domain %s is not acted upon again", entry->policy.uuid);
	}
}

/* In a turn of the loop of its own: jobs have the domains read again. */
static void on_look(void *userdata)
{
	struct policies *policies = userdata;
	struct entry *next;

	for (struct entry *entry = policies->first; entry; entry = next) {
		next = entry->next;
		look_at(policies, entry);
	}
}

static void on_done(void *userdata)
{
	const struct policies *policies = userdata;

	if (policies->first)
		deferred_request(policies->look);
}

static void on_file(void *userdata, const struct policy *policy)
{
	struct policies *policies = userdata;

	if (set_entry(policies, policy) < 0)
		log_error("the policy of the domain %s is not followed: out of memory",
			  policy->uuid);
}

static void open_dir(struct policies *policies, const char *dir)
{
	int r;

	policies->dir = dir ? policy_file_open_dir(dir) : -1;
	r = dir ? policies->dir : 0;
	if (r >= 0 && dir)
		r = policy_file_for_each(policies->dir, on_file, policies);
	if (r < 0)
		log_warning("what becomes of domains that end is not recorded: %s: %s", dir,
			    strerror(-r));
}

/* Of an initial domain, unless an earlier daemon has recorded one, which may have been changed. */
static int add_initial(struct policies *policies, uint32_t index,
		       const struct hl_lcm_domain *domain)
{
	struct policy policy;
	int r = 0;

	policy_from_lcm(domain, POLICY_PRESERVE, &policy);
	if (policy.limit > POLICY_LIMIT_MAX)
		policy.limit = POLICY_LIMIT_MAX;
	snprintf(policy.uuid, sizeof(policy.uuid), POLICY_FILE_INITIAL "%" PRIu32, index);
	if (!find_entry(policies, policy.uuid))
		r = set_entry(policies, &policy);
	if (r == 0)
		find_entry(policies, policy.uuid)->index = index;
	return r;
}

/* What has more than CONSOLE cannot be rebuilt. */
static int add_all_initial(struct policies *policies, const struct hl_lcm *lcm)
{
	int r = 0;

	for (uint32_t i = 0; r == 0 && i < hl_lcm_nr_domains(lcm); i++) {
		const struct hl_lcm_domain *domain = hl_lcm_get_domain(lcm, i);

		if (strcmp(domain->restart, "never") == 0)
			continue;
		if (domain->permissions || domain->functions & ~HL_FUNC_CONSOLE)
			log_warning("%s: restart has no effect: a domain with these permissions or "
				    "functions cannot be rebuilt",
				    domain->node);
		else
			r = add_initial(policies, i, domain);
	}
	return r;
}

/* One that Xen has rejected has no domains that could end. */
static void read_lcm(struct policies *policies)
{
	struct hl_lcm *lcm = NULL;
	_cleanup_(freep) void *blob = NULL;
	size_t size;
	int r = hl_read_lcm(manager_hl(policies->manager), &blob, &size);

	if (r == 0)
		r = hl_lcm_new(blob, size, NULL, NULL, &lcm);
	if (r == 0 && hl_lcm_is_dynamic(lcm))
		r = add_all_initial(policies, lcm);
	if (r == -ENOMEM)
		log_error("initial domains are not restarted: out of memory");
	hl_lcm_unref(lcm);
}

int policies_new(struct loop *loop, struct manager *manager, struct jobs *jobs, const char *dir,
		 struct policies **ret_policies)
{
	struct policies *policies = calloc(1, sizeof(*policies));
	int r;

	if (!policies)
		return -ENOMEM;
	policies->manager = manager;
	policies->jobs = jobs;
	policies->dir = -1;
	r = deferred_new(loop, on_look, policies, &policies->look);
	if (r == 0)
		r = timer_new(loop, on_look, policies, &policies->retry);
	if (r < 0) {
		deferred_free(policies->look);
		free(policies);
		return r;
	}
	open_dir(policies, dir);
	read_lcm(policies);
	policies->observer = (struct manager_observer){.done = on_done, .userdata = policies};
	manager_observe(manager, &policies->observer);
	deferred_request(policies->look);
	*ret_policies = policies;
	return 0;
}

struct policies *policies_free(struct policies *policies)
{
	struct entry *next;

	if (!policies)
		return NULL;
	manager_unobserve(policies->manager, &policies->observer);
	deferred_free(policies->look);
	timer_free(policies->retry);
	for (struct entry *entry = policies->first; entry; entry = next) {
		next = entry->next;
		free(entry);
	}
	closep(&policies->dir);
	free(policies);
	return NULL;
}

/* What an earlier domain with that UUID has left is not this one's. */
int policies_add(struct policies *policies, const struct policy *policy)
{
	int r = 0;

	if (policies->dir >= 0) {
		policy_file_remove(policies->dir, policy->uuid);
		r = policy_file_write(policies->dir, policy);
	}
	return r < 0 ? r : set_entry(policies, policy);
}

/* vmd keeps what a domain is made of where its first policy restarts it; an initial one is rebuilt.
 */
static bool can_restart(const struct policies *policies, const struct entry *entry)
{
	return entry->index != HL_NO_INDEX ||
	       (policies->dir >= 0 && policy_file_can_restart(policies->dir, entry->policy.uuid));
}

int policies_change(struct policies *policies, const char *uuid,
		    const enum policy_action wanted[POLICY_NR_EVENTS])
{
	struct entry *entry = find_entry(policies, uuid);
	struct policy policy;
	int r;

	if (!entry)
		return -ENOENT;
	policy = entry->policy;
	memcpy(policy.actions, wanted, sizeof(policy.actions));
	if (policy_restarts(&policy) && !policy_restarts(&entry->policy) &&
	    !can_restart(policies, entry))
		return -EOPNOTSUPP;
	r = policies->dir < 0 ? 0 : policy_file_write(policies->dir, &policy);
	if (r == 0)
		entry->policy = policy;
	return r;
}

const struct policy *policies_find_request(const struct policies *policies, const char *request,
					   uint32_t uid)
{
	for (const struct entry *entry = policies->first; entry; entry = entry->next)
		if (entry->policy.request[0] != '\0' && entry->policy.request_uid == uid &&
		    strcmp(entry->policy.request, request) == 0)
			return &entry->policy;
	return NULL;
}

const struct policy *policies_find(const struct policies *policies, const char *uuid)
{
	const struct entry *entry = find_entry(policies, uuid);

	return entry ? &entry->policy : NULL;
}

const struct policy *policies_find_of(const struct policies *policies,
				      const struct hl_domain *domain)
{
	const struct entry *entry = policies->first;

	if (domain->origin == HL_ORIGIN_BOOT && domain->index != HL_NO_INDEX)
		while (entry && entry->index != domain->index)
			entry = entry->next;
	else
		entry = domain->live ? find_entry(policies, domain->handle_text) : NULL;
	return entry ? &entry->policy : NULL;
}
