// SPDX-License-Identifier: LGPL-2.1-or-later
/* What can happen to a domain after the launch. */
#include "sim/domain.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "sim/console.h"
#include "sim/launch.h"
#include "sim/output.h"

#define MAX_PAUSES 255 /* of one domain, as in Xen */

/* Pages and event channels that libxl gives to a PVH domain. */
#define STORE_GFN    0xfeffc
#define CONSOLE_GFN  0xfeffd
#define STORE_PORT   1
#define CONSOLE_PORT 2

/* 0 is dom0's, and the domid of the boot domain is not used again. */
static bool domid_free(struct sim *sim, uint32_t domid)
{
	return domid && domid < LCM_DOMID_BOOT_REAL && !sim_find_live(sim, domid);
}

static int pick_domid(struct sim *sim, uint32_t wanted, uint32_t *ret_domid)
{
	if (wanted != HL_NO_DOMID) {
		if (!domid_free(sim, wanted))
			return -EEXIST;
		*ret_domid = wanted;
		return 0;
	}
	while (!domid_free(sim, sim->next_domid))
		sim->next_domid = sim->next_domid % LCM_DOMID_MAX + 1;
	*ret_domid = sim->next_domid++;
	return 0;
}

int sim_domain_add(struct sim *sim, const struct hl_live_domain *wanted, uint32_t *ret_domid)
{
	struct hl_live_domain live = *wanted;
	int r;

	if (sim->nr_live >= SIM_MAX_POST_BOOT)
		return -ENOSPC;
	r = pick_domid(sim, wanted->domid, &live.domid);
	if (r)
		return r;
	live.running = !live.paused;
	r = sim_add_live(sim, &live);
	if (r)
		return r;
	sim_find_placement(sim, live.domid)->has_run = live.running;
	*ret_domid = live.domid;
	return 0;
}

static void drop_role(uint32_t *holder, uint32_t domid)
{
	if (*holder == domid)
		*holder = HL_NO_DOMID;
}

static void drop_roles(struct hl_launch *launch, uint32_t domid)
{
	drop_role(&launch->hardware_domid, domid);
	drop_role(&launch->crash_domid, domid);
	drop_role(&launch->console_domid, domid);
	drop_role(&launch->xenstore_domid, domid);
}

int sim_domain_remove(struct sim *sim, uint32_t domid)
{
	struct hl_launch_domain *d = sim_initial_live(sim, domid);
	int r;

	if (!sim_find_live(sim, domid))
		return -ENOENT;
	if (d) {
		r = sim_event(sim, HL_EVENT_RECLAIMED, domid, d->index);
		if (r)
			return r;
		d->state = HL_DOMAIN_RECLAIMED;
		drop_roles(&sim->launch, domid);
	}
	sim_remove_live(sim, domid);
	return sim_console_lost(sim, domid, true);
}

int sim_domain_shutdown(struct sim *sim, uint32_t domid, uint32_t code)
{
	struct hl_live_domain *live = sim_find_live(sim, domid);
	int r;

	if (!live)
		return -ENOENT;
	if (sim_initial_live(sim, domid)) {
		r = sim_event(sim, HL_EVENT_DIED, domid, code);
		if (r)
			return r;
	}
	live->shutdown = true;
	live->running = live->blocked = false;
	live->shutdown_code = code;
	sim_changed(sim);
	return sim_console_lost(sim, domid, false);
}

int sim_domain_dying(struct sim *sim, uint32_t domid)
{
	struct hl_live_domain *live = sim_find_live(sim, domid);

	if (!live)
		return -ENOENT;
	live->dying = true;
	live->running = live->blocked = false;
	sim_changed(sim);
	return 0;
}

int sim_domain_pause(struct sim *sim, uint32_t domid)
{
	struct hl_live_domain *live = sim_find_live(sim, domid);
	struct sim_placement *placement = sim_find_placement(sim, domid);

	if (!live)
		return -ENOENT;
	if (live->paused && placement->more_pauses == MAX_PAUSES - 1)
		return -EOVERFLOW;
	if (live->paused)
		placement->more_pauses++;
	live->paused = true;
	live->running = live->blocked = false;
	sim_changed(sim);
	return 0;
}

/* Its wait is one of the pauses that Xen counts, so the last unpause starts it. */
static bool waits_to_start(const struct hl_launch_domain *d)
{
	return d && (d->state == HL_DOMAIN_BUILT || d->state == HL_DOMAIN_HELD ||
		     d->state == HL_DOMAIN_PAUSED);
}

int sim_domain_unpause(struct sim *sim, uint32_t domid)
{
	struct hl_live_domain *live = sim_find_live(sim, domid);
	struct sim_placement *placement = sim_find_placement(sim, domid);
	struct hl_launch_domain *d = sim_initial_live(sim, domid);

	if (!live)
		return -ENOENT;
	if (!live->paused)
		return -EINVAL;
	sim_changed(sim);
	if (placement->more_pauses > 0) {
		placement->more_pauses--;
		return 0;
	}
	if (waits_to_start(d))
		return sim_start(sim, d);
	live->paused = false;
	live->running = !live->shutdown && !live->dying;
	placement->has_run = true;
	return 0;
}

int sim_domain_rename(struct sim *sim, uint32_t domid, const char *name)
{
	struct hl_live_domain *live = sim_find_live(sim, domid);

	if (!live)
		return -ENOENT;
	if (strlen(name) >= sizeof(live->name))
		return -ENAMETOOLONG;
	snprintf(live->name, sizeof(live->name), "%s", name);
	sim_changed(sim);
	return 0;
}

int sim_domain_handle(struct sim *sim, uint32_t domid, const uint8_t handle[16])
{
	struct hl_live_domain *live = sim_find_live(sim, domid);

	if (!live)
		return -ENOENT;
	memcpy(live->handle, handle, sizeof(live->handle));
	sim_changed(sim);
	return 0;
}

int sim_domain_label(struct sim *sim, uint32_t domid, const char *label)
{
	struct hl_live_domain *live = sim_find_live(sim, domid);

	if (!live)
		return -ENOENT;
	if (strlen(label) >= sizeof(live->label))
		return -ENAMETOOLONG;
	memcpy(live->label, label, strlen(label) + 1);
	sim_changed(sim);
	return 0;
}

int sim_domain_memory(struct sim *sim, uint32_t domid, uint64_t bytes)
{
	struct hl_live_domain *live = sim_find_live(sim, domid);

	if (!live)
		return -ENOENT;
	live->memory_max = bytes;
	if (live->memory_current > bytes)
		live->memory_current = bytes;
	sim_changed(sim);
	return 0;
}

/* Xen announces no change of the scheduler's parameters. */
int sim_domain_weight(struct sim *sim, uint32_t domid, uint32_t weight)
{
	struct sim_placement *placement = sim_find_placement(sim, domid);

	if (!placement)
		return -ENOENT;
	placement->scheduling.weight = weight;
	return 0;
}

int sim_domain_cap(struct sim *sim, uint32_t domid, uint32_t cap)
{
	struct sim_placement *placement = sim_find_placement(sim, domid);

	if (!placement)
		return -ENOENT;
	placement->scheduling.cap = cap;
	return 0;
}

int sim_domain_affinity(struct sim *sim, uint32_t domid, const char *text)
{
	struct sim_placement *placement = sim_find_placement(sim, domid);

	if (!placement)
		return -ENOENT;
	if (strlen(text) >= sizeof(placement->affinity.hard))
		return -ENAMETOOLONG;
	snprintf(placement->affinity.hard, sizeof(placement->affinity.hard), "%s", text);
	return 0;
}

int sim_domain_figure(struct sim *sim, uint32_t domid, enum sim_figure figure, uint64_t value)
{
	struct hl_live_domain *live = sim_find_live(sim, domid);
	uint64_t *const members[SIM_NR_FIGURES] = {
		[SIM_FIGURE_CPU_TIME] = live ? &live->cpu_time_ns : NULL,
		[SIM_FIGURE_CURRENT] = live ? &live->memory_current : NULL,
		[SIM_FIGURE_OUTSTANDING] = live ? &live->memory_outstanding : NULL,
		[SIM_FIGURE_SHARED] = live ? &live->memory_shared : NULL,
		[SIM_FIGURE_PAGED] = live ? &live->memory_paged : NULL,
	};

	if (!live)
		return -ENOENT;
	sim_settle(sim);
	if (members[figure]) {
		*members[figure] = value;
	} else if (figure == SIM_FIGURE_LOAD) {
		sim_find_placement(sim, domid)->load = (uint32_t)value;
	} else {
		if (value > live->vcpus_max)
			return -ERANGE;
		live->vcpus_online = (uint32_t)value;
	}
	return 0;
}

/* Those that are online have the domain's time in equal parts; the first one runs. */
int sim_domain_vcpu(struct sim *sim, uint32_t domid, uint32_t vcpu, struct hl_vcpu *ret_vcpu)
{
	const struct hl_live_domain *live = sim_find_live(sim, domid);
	int r = sim_fault(sim, SIM_GET_VCPU);
	uint32_t nr;

	if (r)
		return r;
	if (!live || vcpu >= live->vcpus_max)
		return -ESRCH;
	nr = live->vcpus_online;
	*ret_vcpu = (struct hl_vcpu){
		.online = vcpu < nr,
		.running = vcpu < nr && !vcpu && live->running,
		.blocked = vcpu < nr && vcpu && live->running,
		.cpu = vcpu % SIM_CPUS,
		.cpu_time_ns = vcpu < nr ? live->cpu_time_ns / nr : 0,
	};
	if (!vcpu && nr)
		ret_vcpu->cpu_time_ns += live->cpu_time_ns % nr;
	return 0;
}

int sim_domain_ready(struct sim *sim, uint32_t domid)
{
	struct hl_launch_domain *d = sim_initial_live(sim, domid);
	int r;

	if (!d)
		return -EPERM;
	if (d->state == HL_DOMAIN_READY)
		return 0;
	if (d->state != HL_DOMAIN_STARTED)
		return -EBUSY; /* a domain that does not run cannot report */
	r = sim_event(sim, HL_EVENT_READY, domid, d->index);
	if (r)
		return r;
	d->state = HL_DOMAIN_READY;
	d->ready_ns = sim->clock_ns;
	return 0;
}

int sim_domain_release(struct sim *sim, uint32_t domid)
{
	struct hl_launch_domain *d = sim_initial_live(sim, domid);
	struct sim_placement *placement = sim_find_placement(sim, domid);
	int r;

	if (!d)
		return -ESRCH;
	if (d->state != HL_DOMAIN_HELD)
		return -EBUSY;
	r = sim_event(sim, HL_EVENT_RELEASED, domid, d->index);
	if (r || placement->more_pauses == 0)
		return r ? r : sim_start(sim, d);
	/* It does not run yet, as a toolstack has paused it too. */
	placement->more_pauses--;
	d->state = HL_DOMAIN_BUILT;
	return 0;
}

static int check_record(const struct sim *sim, const struct hl_launch_domain *d)
{
	if (d->permissions || d->functions & ~HL_FUNC_CONSOLE)
		return -EPERM;
	return d->state != HL_DOMAIN_RECLAIMED || sim->launch.state == HL_LAUNCH_FAILED ? -EBUSY
											: 0;
}

static int check_candidate(struct sim *sim, const struct hl_launch_domain *d, uint32_t domid)
{
	static const uint8_t nil[sizeof(d->uuid)];
	const struct hl_live_domain *live = sim_find_live(sim, domid);

	if (!live || live->dying)
		return -ESRCH;
	if (sim_initial_live(sim, domid))
		return -EEXIST;
	if (sim_find_placement(sim, domid)->has_run)
		return -ENXIO;
	if (live->hvm != !(d->mode & HL_MODE_PV) ||
	    (memcmp(d->uuid, nil, sizeof(nil)) != 0 &&
	     memcmp(d->uuid, live->handle, sizeof(d->uuid)) != 0))
		return -EINVAL;
	return 0;
}

/* What Xen reads from the parameters of a PVH domain, and does not know of a PV one. */
static void set_rings(struct hl_launch_domain *d)
{
	bool pvh = !(d->mode & HL_MODE_PV);

	d->store_port = pvh ? STORE_PORT : 0;
	d->console_port = pvh ? CONSOLE_PORT : 0;
	d->store_gfn = pvh ? STORE_GFN : HL_NO_GFN;
	d->console_gfn = pvh ? CONSOLE_GFN : HL_NO_GFN;
}

int sim_domain_adopt(struct sim *sim, uint32_t index, uint32_t domid)
{
	struct hl_launch_domain *d = index < sim->launch.nr_domains ? &sim->domains[index] : NULL;
	int r;

	if (!d)
		return -ENOENT;
	r = check_record(sim, d);
	if (!r)
		r = check_candidate(sim, d, domid);
	if (!r)
		r = sim_event(sim, HL_EVENT_ADOPTED, domid, index);
	if (r)
		return r;
	sim_clear_output(sim, index);
	set_rings(d);
	d->domid = domid;
	d->adoption = ++sim->adoptions;
	d->built_ns = sim->clock_ns;
	d->started_ns = d->ready_ns = 0;
	d->state = HL_DOMAIN_BUILT;
	if (d->functions & HL_FUNC_CONSOLE)
		sim->launch.console_domid = domid;
	return 0;
}

int sim_domain_fail(struct sim *sim, uint32_t domid, uint32_t code, const char *prop)
{
	struct hl_launch_domain *d = sim_initial_live(sim, domid);
	int r;

	if (!d)
		return -ENOENT;
	if (strlen(prop) >= sizeof(d->error_prop))
		return -ENAMETOOLONG;
	r = sim_event(sim, HL_EVENT_BUILD_FAILED, domid, code);
	if (r)
		return r;
	sim_remove_live(sim, domid);
	d->state = HL_DOMAIN_FAILED;
	d->error = code;
	snprintf(d->error_prop, sizeof(d->error_prop), "%s", prop);
	sim->launch.error = code;
	sim->launch.error_domain = d->index;
	snprintf(sim->launch.error_prop, sizeof(sim->launch.error_prop), "%s", prop);
	return sim_recover(sim);
}

int sim_set_weak_hwdom(struct sim *sim, bool weak)
{
	for (uint32_t i = 0; i < sim->launch.nr_domains; i++) {
		const struct hl_launch_domain *d = &sim->domains[i];

		if (!(d->permissions & HL_PERM_HARDWARE) || d->permissions & HL_PERM_CONTROL)
			continue;
		sim->launch.weak_hardware = weak;
		sim_changed(sim);
		return 0;
	}
	return -ENOENT;
}
