// SPDX-License-Identifier: LGPL-2.1-or-later
/* What can happen to a domain after the launch. */
#include "sim.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

struct hl_launch_domain *sim_initial(struct sim *sim, uint32_t domid)
{
	if (domid == HL_NO_DOMID)
		return NULL;
	for (uint32_t i = 0; i < sim->launch.nr_domains; i++)
		if (sim->domains[i].domid == domid)
			return &sim->domains[i];
	return NULL;
}

struct hl_launch_domain *sim_initial_live(struct sim *sim, uint32_t domid)
{
	struct hl_launch_domain *d = sim_initial(sim, domid);

	return d && d->state != HL_DOMAIN_RECLAIMED && d->state != HL_DOMAIN_FAILED ? d : NULL;
}

/* Never the boot domain's, nor one that lives; 0 was dom0's. */
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
	int rc;

	if (sim->nr_live >= SIM_MAX_POST_BOOT)
		return -ENOSPC;
	rc = pick_domid(sim, wanted->domid, &live.domid);
	if (rc)
		return rc;
	live.running = !live.paused;
	rc = sim_add_live(sim, &live);
	if (!rc)
		*ret_domid = live.domid;
	return rc;
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

uint32_t sim_find_holder(struct sim *sim, uint32_t permissions, uint32_t functions)
{
	for (uint32_t i = 0; i < sim->launch.nr_domains; i++) {
		const struct hl_launch_domain *d = &sim->domains[i];
		const struct hl_live_domain *live = sim_find_live(sim, d->domid);

		if ((d->permissions & permissions || d->functions & functions) &&
		    sim_initial_live(sim, d->domid) && live && !live->dying)
			return d->domid;
	}
	return HL_NO_DOMID;
}

/* The owner has gone: as for the first one, of those that are left. */
static int default_console(struct sim *sim)
{
	uint32_t domid = sim_find_holder(sim, 0, HL_FUNC_CONSOLE);

	if (domid == HL_NO_DOMID)
		domid = sim_find_holder(sim, HL_PERM_CONTROL, 0);
	if (domid == HL_NO_DOMID)
		domid = sim_find_holder(sim, HL_PERM_HARDWARE, 0);
	if (domid != HL_NO_DOMID)
		return sim_move_console(sim, domid);
	sim->launch.console_owner = HL_NO_DOMID;
	sim_changed(sim);
	return 0;
}

int sim_domain_remove(struct sim *sim, uint32_t domid)
{
	struct hl_launch_domain *d = sim_initial_live(sim, domid);
	int rc;

	if (!sim_find_live(sim, domid))
		return -ENOENT;
	if (d) {
		rc = sim_event(sim, HL_EVENT_RECLAIMED, domid, d->index);
		if (rc)
			return rc;
		d->state = HL_DOMAIN_RECLAIMED;
		drop_roles(&sim->launch, domid);
	}
	sim_remove_live(sim, domid);
	return sim->launch.console_owner == domid ? default_console(sim) : 0;
}

int sim_domain_shutdown(struct sim *sim, uint32_t domid, uint32_t code)
{
	struct hl_live_domain *live = sim_find_live(sim, domid);
	int rc;

	if (!live)
		return -ENOENT;
	if (sim_initial_live(sim, domid)) {
		rc = sim_event(sim, HL_EVENT_DIED, domid, code);
		if (rc)
			return rc;
	}
	live->shutdown = true;
	live->running = live->blocked = false;
	live->shutdown_code = code;
	sim_changed(sim);
	return 0;
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

int sim_domain_pause(struct sim *sim, uint32_t domid, bool paused)
{
	struct hl_live_domain *live = sim_find_live(sim, domid);

	if (!live)
		return -ENOENT;
	if (live->paused == paused)
		return -EALREADY;
	live->paused = paused;
	live->running = !paused && !live->shutdown && !live->dying;
	sim_changed(sim);
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

int sim_domain_ready(struct sim *sim, uint32_t domid)
{
	struct hl_launch_domain *d = sim_initial_live(sim, domid);
	int rc;

	if (!d)
		return -EPERM;
	if (d->state == HL_DOMAIN_READY)
		return 0;
	if (d->state != HL_DOMAIN_STARTED)
		return -EBUSY;		/* it does not run: it cannot have said so */
	rc = sim_event(sim, HL_EVENT_READY, domid, d->index);
	if (rc)
		return rc;
	d->state = HL_DOMAIN_READY;
	d->ready_ns = sim->clock_ns;
	return 0;
}

int sim_domain_release(struct sim *sim, uint32_t domid)
{
	struct hl_launch_domain *d = sim_initial_live(sim, domid);
	int rc;

	if (!d)
		return -ESRCH;
	if (d->state != HL_DOMAIN_HELD)
		return -EBUSY;
	rc = sim_event(sim, HL_EVENT_RELEASED, domid, d->index);
	return rc ? rc : sim_start(sim, d);
}

int sim_domain_fail(struct sim *sim, uint32_t domid, uint32_t code, const char *prop)
{
	struct hl_launch_domain *d = sim_initial_live(sim, domid);
	int rc;

	if (!d)
		return -ENOENT;
	if (strlen(prop) >= sizeof(d->error_prop))
		return -ENAMETOOLONG;
	rc = sim_event(sim, HL_EVENT_BUILD_FAILED, domid, code);
	if (rc)
		return rc;
	sim_remove_live(sim, domid);
	d->state = HL_DOMAIN_FAILED;
	d->error = code;
	snprintf(d->error_prop, sizeof(d->error_prop), "%s", prop);
	sim->launch.error = code;
	sim->launch.error_domain = d->index;
	snprintf(sim->launch.error_prop, sizeof(sim->launch.error_prop), "%s", prop);
	return sim_recover(sim);
}

int sim_set_console(struct sim *sim, uint32_t domid)
{
	struct hl_live_domain *live = sim_find_live(sim, domid);
	const struct hl_launch_domain *d;

	if (!live || live->dying)
		return -ESRCH;
	d = sim_initial_live(sim, domid);
	if (d && d->state == HL_DOMAIN_PAUSED)
		return -ENXIO;
	return sim_move_console(sim, domid);
}
