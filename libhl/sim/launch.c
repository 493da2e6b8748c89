// SPDX-License-Identifier: LGPL-2.1-or-later
/* The simulated launch: the same steps, records and events as in Xen. */
#include "sim/launch.h"

#include <errno.h>
#include <sha2.h>
#include <stdio.h>
#include <string.h>

#include "bounds.h"

/* Pages and event channels as Xen assigns them to a PVH guest. */
#define STORE_GFN    0xfeffc
#define CONSOLE_GFN  0xfeffd
#define STORE_PORT   1
#define CONSOLE_PORT 2

static void no_domids(struct hl_launch *launch)
{
	launch->hardware_domid = HL_NO_DOMID;
	launch->boot_domid = HL_NO_DOMID;
	launch->crash_domid = HL_NO_DOMID;
	launch->console_domid = HL_NO_DOMID;
	launch->xenstore_domid = HL_NO_DOMID;
	launch->console_owner = HL_NO_DOMID;
	launch->error_domain = HL_NO_INDEX;
}

int sim_boot_classic(struct sim *sim)
{
	struct hl_live_domain dom0 = {
		.running = true,
		.memory_max = HL_UNLIMITED,
		.memory_current = 1ull << 30,
		.vcpus_max = 1,
		.vcpus_online = 1,
	};

	sim->launch.state = HL_LAUNCH_NONE;
	no_domids(&sim->launch);
	return sim_add_live(sim, &dom0);
}

/* Makes records for as many modules as the LCM refers to. */
static int fill_modules(struct sim *sim, const struct hl_lcm *l)
{
	uint32_t last = 0;

	for (uint32_t i = 0; i < hl_lcm_nr_modules(l); i++)
		if (l->modules[i].index != HL_NO_INDEX && l->modules[i].index > last)
			last = l->modules[i].index;
	if (last > MAX_MODULE_RECORDS)
		return -EINVAL;
	sim->modules = calloc(last ? last : 1, sizeof(*sim->modules));
	if (!sim->modules)
		return -ENOMEM;
	sim->launch.nr_modules = last;
	for (uint32_t i = 0; i < last; i++)
		sim->modules[i] = (struct hl_launch_module){
			.index = i + 1,
			.type = HL_MODULE_UNUSED,
		};
	for (uint32_t i = 0; i < hl_lcm_nr_modules(l); i++) {
		const struct hl_lcm_module *m = &l->modules[i];
		struct hl_launch_module *record;

		if (m->index == HL_NO_INDEX)
			continue;
		record = &sim->modules[m->index - 1];
		record->type = m->type;
		if (m->domain != HL_NO_INDEX)
			record->users |= 1u << m->domain;
		if (m->digest_sha256)
			memcpy(record->sha256, m->digest_sha256, sizeof(record->sha256));
	}
	return 0;
}

static void give_pages(struct hl_launch_domain *d, bool have_xenstore)
{
	if (!(d->functions & HL_FUNC_XENSTORE) && have_xenstore) {
		d->store_port = STORE_PORT;
		d->store_gfn = STORE_GFN;
	}
	if (!(d->functions & HL_FUNC_CONSOLE)) {
		d->console_port = CONSOLE_PORT;
		d->console_gfn = CONSOLE_GFN;
	}
}

static int build(struct sim *sim, const struct hl_lcm *l, struct hl_launch_domain *d)
{
	struct hl_live_domain live = {
		.domid = hl_lcm_get_domain(l, d->index)->domid,
		.hvm = !(d->mode & HL_MODE_PV),
		.paused = true,
		.xenstore = d->functions & HL_FUNC_XENSTORE,
		.memory_max = kib_to_bytes(d->memory_kib),
		.memory_current = kib_to_bytes(d->memory_kib),
		.vcpus_max = d->cpus,
		.vcpus_online = d->cpus,
	};
	int r;

	memcpy(live.handle, d->uuid, sizeof(live.handle));
	r = sim_add_live(sim, &live);
	if (!r)
		r = sim_event(sim, HL_EVENT_BUILT, live.domid, d->index);
	if (r)
		return r;
	d->domid = live.domid;
	d->state = HL_DOMAIN_BUILT;
	d->built_ns = sim->clock_ns;
	give_pages(d, sim->launch.xenstore_domid != HL_NO_DOMID);
	return 0;
}

int sim_start(struct sim *sim, struct hl_launch_domain *d)
{
	struct hl_live_domain *live = sim_find_live(sim, d->domid);
	struct sim_placement *placement = sim_find_placement(sim, d->domid);
	int r = sim_event(sim, HL_EVENT_STARTED, d->domid, d->index);

	if (r)
		return r;
	d->state = HL_DOMAIN_STARTED;
	d->started_ns = sim->clock_ns;
	if (live) {
		live->paused = false;
		live->running = true;
		placement->more_pauses = 0;
	}
	return 0;
}

int sim_move_console(struct sim *sim, uint32_t domid)
{
	uint32_t before = sim->launch.console_owner;
	int r;

	if (domid == before)
		return 0;
	r = sim_event(sim, HL_EVENT_CONSOLE, domid, before);
	if (!r)
		sim->launch.console_owner = domid;
	return r;
}

/* Whether a domain is for recovery only. */
static bool crash_only(const struct hl_launch_domain *d)
{
	return d->functions == HL_FUNC_CRASH && !d->permissions;
}

int sim_recover(struct sim *sim)
{
	struct hl_launch_domain *crash = sim_initial(sim, sim->launch.crash_domid);
	int r;

	if (!crash || crash->state == HL_DOMAIN_FAILED || !sim_find_live(sim, crash->domid))
		return sim_set_launch_state(sim, HL_LAUNCH_FAILED);
	r = sim_move_console(sim, crash->domid);
	if (!r && crash->state != HL_DOMAIN_STARTED && crash->state != HL_DOMAIN_READY)
		r = sim_start(sim, crash);
	return r ? r : sim_set_launch_state(sim, HL_LAUNCH_RECOVERY);
}

static uint32_t domid_of(const struct hl_lcm *l, int index)
{
	return index == LCM_NONE ? HL_NO_DOMID : l->domains[index].domid;
}

static void hold_back(struct sim *sim, const struct hl_lcm *l)
{
	for (uint32_t i = 0; i < sim->launch.nr_domains; i++) {
		struct hl_launch_domain *d = &sim->domains[i];

		if (d->state != HL_DOMAIN_BUILT)
			continue;
		if (crash_only(d))
			d->state = HL_DOMAIN_PAUSED;
		else if (hl_lcm_get_domain(l, i)->hold)
			d->state = HL_DOMAIN_HELD;
	}
}

static int finalize(struct sim *sim, const struct hl_lcm *l)
{
	int r;

	hold_back(sim, l);
	r = sim_set_launch_state(sim, HL_LAUNCH_FINALIZING);
	if (!r)
		r = sim_move_console(sim, domid_of(l, lcm_console_owner(&l->lcm)));
	if (!r)
		r = sim_set_launch_state(sim, HL_LAUNCH_COMPLETE);
	for (uint32_t i = 0; !r && i < sim->launch.nr_domains; i++)
		if (sim->domains[i].state == HL_DOMAIN_BUILT)
			r = sim_start(sim, &sim->domains[i]);
	return r;
}

/* Runs the boot domain, which takes no time. */
static int prepare(struct sim *sim)
{
	struct hl_launch_domain *boot = sim_initial(sim, sim->launch.boot_domid);
	int r;

	if (!boot)
		return 0;
	r = sim_set_launch_state(sim, HL_LAUNCH_PREPARING);
	if (!r)
		r = sim_move_console(sim, boot->domid);
	if (!r)
		r = sim_start(sim, boot);
	if (!r)
		r = sim_event(sim, HL_EVENT_RECLAIMED, boot->domid, boot->index);
	if (r)
		return r;
	sim_remove_live(sim, boot->domid);
	boot->state = HL_DOMAIN_RECLAIMED;
	return 0;
}

static void fill_roles(struct hl_launch *launch, const struct hl_lcm *l)
{
	launch->hardware_domid = domid_of(l, lcm_find_permission(&l->lcm, LCM_PERM_HARDWARE));
	launch->boot_domid = domid_of(l, lcm_find_function(&l->lcm, LCM_FUNC_BOOT));
	launch->crash_domid = domid_of(l, lcm_find_function(&l->lcm, LCM_FUNC_CRASH));
	launch->console_domid = domid_of(l, lcm_find_function(&l->lcm, LCM_FUNC_CONSOLE));
	launch->xenstore_domid = domid_of(l, lcm_find_function(&l->lcm, LCM_FUNC_XENSTORE));
}

/* Builds the hardware domain first, as Xen does. */
static int build_all(struct sim *sim, const struct hl_lcm *l)
{
	int hardware = lcm_find_permission(&l->lcm, LCM_PERM_HARDWARE);
	int r = fill_modules(sim, l);

	if (r)
		return r;
	fill_roles(&sim->launch, l);
	sim->launch.nr_domains = hl_lcm_nr_domains(l);
	for (uint32_t i = 0; i < sim->launch.nr_domains; i++)
		lcm_planned(l, i, &sim->domains[i]);
	if (hardware != LCM_NONE)
		r = build(sim, l, &sim->domains[hardware]);
	for (uint32_t i = 0; !r && i < sim->launch.nr_domains; i++)
		if ((int)i != hardware)
			r = build(sim, l, &sim->domains[i]);
	return r;
}

/* Launches the crash domain of an invalid LCM alone, if that is valid. */
static int refuse(struct sim *sim, const struct hl_lcm_error *error)
{
	struct hl_lcm *l;
	int r;

	sim->launch.error = error->code;
	/* Cut off to the sizes of the sysctl's record. */
	snprintf(sim->launch.error_node, sizeof(sim->launch.error_node), "%.*s",
		 (int)sizeof(sim->launch.error_node) - 1, error->node);
	snprintf(sim->launch.error_prop, sizeof(sim->launch.error_prop), "%s", error->prop);
	r = lcm_recovery_view(sim->blob, sim->blob_size, &l);
	if (r == -EINVAL)
		return sim_set_launch_state(sim, HL_LAUNCH_FAILED);
	if (r)
		return r;
	r = build_all(sim, l);
	hl_lcm_unref(l);
	return r ? r : sim_recover(sim);
}

int sim_launch(struct sim *sim)
{
	struct hl_lcm_error error;
	struct hl_lcm *l;
	SHA2_CTX sha256;
	int r;

	no_domids(&sim->launch);
	sim->launch.lcm_size = (uint32_t)sim->blob_size;
	SHA256Init(&sha256);
	SHA256Update(&sha256, sim->blob, sim->blob_size);
	SHA256Final(sim->launch.lcm_sha256, &sha256);
	r = sim_event(sim, HL_EVENT_LCM_FOUND, HL_NO_DOMID, sim->launch.lcm_size);
	sim->launch.start_ns = sim->clock_ns;
	if (!r)
		r = sim_set_launch_state(sim, HL_LAUNCH_BUILDING);
	if (r)
		return r;
	r = hl_lcm_new(sim->blob, sim->blob_size, NULL, &error, &l);
	if (r == -EINVAL)
		return refuse(sim, &error);
	if (r)
		return r;
	r = build_all(sim, l);
	if (!r)
		r = prepare(sim);
	if (!r)
		r = finalize(sim, l);
	hl_lcm_unref(l);
	return r;
}
