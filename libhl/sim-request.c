// SPDX-License-Identifier: LGPL-2.1-or-later
/* The sub-ops that change something, as the domain that this process would run in asks for them. */
#include "sim.h"

#include <errno.h>

/* A toolstack runs in a control domain; a launch without one has only the hardware domain. */
uint32_t sim_self(struct sim *sim)
{
	uint32_t control = sim_find_holder(sim, HL_PERM_CONTROL, 0);

	if (sim->kind == SIM_CLASSIC)
		return 0;
	return control != HL_NO_DOMID ? control : sim_find_holder(sim, HL_PERM_HARDWARE, 0);
}

/* -ENOENT: no launch; -EPERM: the caller has not the permission, nor is it `exempt`. */
static int check_caller(struct sim *sim, uint32_t exempt)
{
	if (sim->kind == SIM_CLASSIC)
		return -ENOENT;
	if (sim_find_holder(sim, HL_PERM_CONTROL, 0) != HL_NO_DOMID)
		return 0;
	return exempt != HL_NO_DOMID && sim_self(sim) == exempt ? 0 : -EPERM;
}

int sim_request_console(void *backend, uint32_t domid)
{
	struct sim *sim = backend;
	int rc = sim_fault(sim, SIM_SET_CONSOLE);

	if (!rc)
		rc = check_caller(sim, sim->launch.console_owner);
	return rc ? rc : sim_set_console(sim, domid);
}

int sim_request_release(void *backend, uint32_t domid)
{
	struct sim *sim = backend;
	int rc = sim_fault(sim, SIM_RELEASE);

	if (!rc)
		rc = check_caller(sim, HL_NO_DOMID);
	return rc ? rc : sim_domain_release(sim, domid);
}

static bool stays(struct sim *sim, uint32_t domid)
{
	const struct hl_live_domain *live = sim_find_live(sim, domid);

	return live && !live->dying;
}

/* No record says who serves a ring, so none changes. */
int sim_request_console_backend(void *backend, uint32_t domid, uint32_t server)
{
	const struct hl_launch_domain *d;
	struct sim *sim = backend;
	int rc = sim_fault(sim, SIM_MOVE_CONSOLE_BACKEND);

	if (!rc)
		rc = check_caller(sim, HL_NO_DOMID);
	if (rc)
		return rc;
	if (!stays(sim, domid) || !stays(sim, server))
		return -ESRCH;
	d = sim_initial_live(sim, domid);
	return d && d->console_port ? 0 : -ENOENT;
}

int sim_request_ready(void *backend)
{
	struct sim *sim = backend;
	int rc = sim_fault(sim, SIM_READY);

	if (rc)
		return rc;
	return sim_self(sim) == HL_NO_DOMID ? -EPERM : sim_domain_ready(sim, sim_self(sim));
}
