// SPDX-License-Identifier: LGPL-2.1-or-later
/* The simulator's state: records, live domains, events, faults. */
#include "sim/state.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>

#define EVENT_NS   1000000 /* between two events */
#define NS_PER_SEC UINT64_C(1000000000)

static uint64_t monotonic_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * NS_PER_SEC + (uint64_t)ts.tv_nsec;
}

void sim_settle(struct sim *sim)
{
	uint64_t now = monotonic_ns(), passed = now - sim->settled_ns;

	for (size_t i = 0; i < sim->nr_live; i++) {
		struct sim_placement *placement = &sim->placements[i];

		if (placement->ran)
			sim->live[i].cpu_time_ns += passed / 100 * placement->load;
		placement->ran = sim->live[i].running;
	}
	sim->settled_ns = now;
}

void sim_changed(struct sim *sim)
{
	sim_settle(sim);
	if (sim->silent)
		return;
	/* Fails only if the counter is at its maximum, and then it is readable already. */
	(void)eventfd_write(sim->event_fd, 1);
}

int sim_event(struct sim *sim, enum hl_event_type type, uint32_t domid, uint32_t arg)
{
	struct hl_event *grown = reallocarray(sim->events, sim->nr_events + 1, sizeof(*grown));

	if (!grown)
		return -ENOMEM;
	sim->events = grown;
	sim->clock_ns += EVENT_NS;
	grown[sim->nr_events] = (struct hl_event){
		.time_ns = sim->clock_ns,
		.seq = (uint32_t)sim->nr_events,
		.type = type,
		.domid = domid,
		.arg = arg,
	};
	sim->nr_events++;
	sim->launch.nr_events = (uint32_t)sim->nr_events;
	sim_changed(sim);
	return 0;
}

int sim_set_launch_state(struct sim *sim, enum hl_launch_state state)
{
	int r = sim_event(sim, HL_EVENT_STATE, HL_NO_DOMID, state);

	if (r)
		return r;
	sim->launch.state = state;
	sim->launch.end_ns = state >= HL_LAUNCH_COMPLETE ? sim->clock_ns : 0;
	return 0;
}

struct hl_live_domain *sim_find_live(struct sim *sim, uint32_t domid)
{
	size_t low = 0, high = sim->nr_live;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (sim->live[middle].domid == domid)
			return &sim->live[middle];
		if (sim->live[middle].domid < domid)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

struct sim_placement *sim_find_placement(struct sim *sim, uint32_t domid)
{
	const struct hl_live_domain *live = sim_find_live(sim, domid);

	return live ? &sim->placements[live - sim->live] : NULL;
}

static int reserve_live(struct sim *sim)
{
	struct sim_placement *placements;
	struct hl_live_domain *live;

	live = reallocarray(sim->live, sim->nr_live + 1, sizeof(*live));
	if (!live)
		return -ENOMEM;
	sim->live = live;
	placements = reallocarray(sim->placements, sim->nr_live + 1, sizeof(*placements));
	if (!placements)
		return -ENOMEM;
	sim->placements = placements;
	return 0;
}

int sim_add_live(struct sim *sim, const struct hl_live_domain *live)
{
	size_t i = sim->nr_live;
	int r = reserve_live(sim);

	if (r)
		return r;
	for (; i && sim->live[i - 1].domid > live->domid; i--) {
		sim->live[i] = sim->live[i - 1];
		sim->placements[i] = sim->placements[i - 1];
	}
	sim->live[i] = *live;
	/* Xen's defaults for a new domain. */
	sim->placements[i] = (struct sim_placement){
		.scheduling = {.weight = SIM_WEIGHT},
		.affinity = {.hard = "all", .soft = "all"},
		.load = SIM_DEFAULT_LOAD,
	};
	sim->nr_live++;
	sim_changed(sim);
	return 0;
}

void sim_remove_live(struct sim *sim, uint32_t domid)
{
	struct hl_live_domain *live = sim_find_live(sim, domid);
	struct sim_placement *placement = sim_find_placement(sim, domid);
	size_t after;

	if (!live)
		return;
	after = (size_t)(sim->live + sim->nr_live - (live + 1));
	memmove(live, live + 1, after * sizeof(*live));
	memmove(placement, placement + 1, after * sizeof(*placement));
	sim->nr_live--;
	sim_changed(sim);
}

/* True for what a Xen without Hyperlaunch does too. */
static bool is_stock(enum sim_op op)
{
	return op == SIM_LIST_LIVE || op == SIM_PROCESS || op == SIM_GET_HOST || op == SIM_PAUSE ||
	       op == SIM_UNPAUSE || op == SIM_READ_LOG || op == SIM_SET_HANDLE ||
	       op == SIM_GET_FD || op == SIM_GET_VCPU;
}

int sim_fault(struct sim *sim, enum sim_op op)
{
	if (sim->faults[op].left) {
		sim->faults[op].left--;
		return -sim->faults[op].errnum;
	}
	return sim->kind == SIM_UNPATCHED && !is_stock(op) ? -EOPNOTSUPP : 0;
}

static bool has_ended(const struct hl_launch_domain *d)
{
	return d->state == HL_DOMAIN_RECLAIMED || d->state == HL_DOMAIN_FAILED;
}

/* An adopted domain may have the domid that another record's has had. */
static struct hl_launch_domain *find_record(struct sim *sim, uint32_t domid, bool ended)
{
	if (domid == HL_NO_DOMID)
		return NULL;
	for (uint32_t i = 0; i < sim->launch.nr_domains; i++)
		if (sim->domains[i].domid == domid && has_ended(&sim->domains[i]) == ended)
			return &sim->domains[i];
	return NULL;
}

struct hl_launch_domain *sim_initial(struct sim *sim, uint32_t domid)
{
	struct hl_launch_domain *d = find_record(sim, domid, false);

	return d ? d : find_record(sim, domid, true);
}

struct hl_launch_domain *sim_initial_live(struct sim *sim, uint32_t domid)
{
	return find_record(sim, domid, false);
}

uint32_t sim_find_holder(struct sim *sim, uint32_t permissions, uint32_t functions)
{
	for (uint32_t i = 0; i < sim->launch.nr_domains; i++) {
		const struct hl_launch_domain *d = &sim->domains[i];
		const struct hl_live_domain *live = sim_find_live(sim, d->domid);

		if ((d->permissions & permissions || d->functions & functions) && !has_ended(d) &&
		    live && !live->dying)
			return d->domid;
	}
	return HL_NO_DOMID;
}

void sim_maybe_kill(struct sim *sim, enum sim_op op, enum sim_kill when)
{
	if (sim->kills[op] == when)
		raise(SIGKILL);
}
