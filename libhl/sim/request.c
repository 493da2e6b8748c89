// SPDX-License-Identifier: LGPL-2.1-or-later
/* The sub-operations that change something, with Xen's permission checks. */
#include "sim/request.h"

#include <errno.h>

#include "sim/console.h"
#include "sim/domain.h"
#include "sim/output.h"

/* A toolstack runs in a control domain; without one, the hardware domain is closest to it. */
uint32_t sim_self(struct sim *sim)
{
	uint32_t control = sim_find_holder(sim, HL_PERM_CONTROL, 0);

	if (sim->kind != SIM_LAUNCHED)
		return 0;
	if (sim->self != HL_NO_DOMID)
		return sim->self;
	return control != HL_NO_DOMID ? control : sim_find_holder(sim, HL_PERM_HARDWARE, 0);
}

/*
 * Returns 0, -ENOENT: no launch; or -EPERM: the caller has no control permission and is
 * not the domain `exempt`.
 */
static int check_caller(struct sim *sim, uint32_t exempt)
{
	if (sim->kind == SIM_CLASSIC)
		return -ENOENT;
	if (sim_find_holder(sim, HL_PERM_CONTROL, 0) != HL_NO_DOMID)
		return 0;
	return exempt != HL_NO_DOMID && sim_self(sim) == exempt ? 0 : -EPERM;
}

int sim_request_console(void *backend, uint32_t domid, uint32_t loan_ms)
{
	struct sim *sim = backend;
	int r = sim_fault(sim, SIM_SET_CONSOLE);

	sim_maybe_kill(sim, SIM_SET_CONSOLE, SIM_KILL_BEFORE);
	if (!r)
		r = check_caller(sim, sim->launch.console_owner);
	if (!r)
		r = sim_request_handoff(sim, domid, loan_ms,
					sim->lent && sim_find_holder(sim, HL_PERM_CONTROL, 0) ==
							     HL_NO_DOMID);
	sim_maybe_kill(sim, SIM_SET_CONSOLE, SIM_KILL_AFTER);
	return r;
}

int sim_request_release(void *backend, uint32_t domid)
{
	struct sim *sim = backend;
	int r = sim_fault(sim, SIM_RELEASE);

	sim_maybe_kill(sim, SIM_RELEASE, SIM_KILL_BEFORE);
	if (!r)
		r = check_caller(sim, HL_NO_DOMID);
	if (!r)
		r = sim_domain_release(sim, domid);
	sim_maybe_kill(sim, SIM_RELEASE, SIM_KILL_AFTER);
	return r;
}

int sim_request_adopt(void *backend, uint32_t index, uint32_t domid)
{
	struct sim *sim = backend;
	int r = sim_fault(sim, SIM_ADOPT);

	sim_maybe_kill(sim, SIM_ADOPT, SIM_KILL_BEFORE);
	if (!r)
		r = check_caller(sim, HL_NO_DOMID);
	if (!r)
		r = sim_domain_adopt(sim, index, domid);
	sim_maybe_kill(sim, SIM_ADOPT, SIM_KILL_AFTER);
	return r;
}

static bool stays(struct sim *sim, uint32_t domid)
{
	const struct hl_live_domain *live = sim_find_live(sim, domid);

	return live && !live->dying;
}

/* Ports of a domain made after boot, as libxl makes them. */
#define STORE_PORT   1
#define CONSOLE_PORT 2

/* Of an adopted PV domain Xen knows as little as of another one made after boot. */
static const struct hl_launch_domain *find_ports(struct sim *sim, uint32_t domid)
{
	const struct hl_launch_domain *d = sim_initial_live(sim, domid);

	return d && d->adoption && !d->console_port ? NULL : d;
}

static int check_port(struct sim *sim, uint32_t domid, uint32_t port)
{
	const struct hl_launch_domain *d = find_ports(sim, domid);
	uint32_t console = d ? d->console_port : CONSOLE_PORT;

	if (!port)
		return d && console ? 0 : -ENOENT;
	if (port == (d ? d->store_port : STORE_PORT))
		return -EINVAL;
	return port == console ? 0 : -ENOENT;
}

/* Only checks: the records do not contain console back ends. */
int sim_request_console_backend(void *backend, uint32_t domid, uint32_t port, uint32_t server)
{
	struct sim *sim = backend;
	int r = sim_fault(sim, SIM_MOVE_CONSOLE_BACKEND);

	sim_maybe_kill(sim, SIM_MOVE_CONSOLE_BACKEND, SIM_KILL_BEFORE);
	if (!r)
		r = check_caller(sim, HL_NO_DOMID);
	if (!r && (!stays(sim, domid) || !stays(sim, server)))
		r = -ESRCH;
	if (!r)
		r = domid == server ? -EINVAL : check_port(sim, domid, port);
	sim_maybe_kill(sim, SIM_MOVE_CONSOLE_BACKEND, SIM_KILL_AFTER);
	return r;
}

/* The console domain is the back end of all initial domains. */
int sim_request_read_console(void *backend, uint32_t domid, char **ret_text, size_t *ret_size,
			     uint64_t *ret_dropped)
{
	struct sim *sim = backend;
	int r = sim_fault(sim, SIM_READ_CONSOLE);

	if (!r)
		r = check_caller(sim, sim->launch.console_domid);
	return r ? r : sim_copy_output(sim, domid, ret_text, ret_size, ret_dropped);
}

/* A control domain's right on any Xen. */
static int check_domctl(struct sim *sim)
{
	return sim->kind == SIM_LAUNCHED && check_caller(sim, HL_NO_DOMID) ? -EPERM : 0;
}

static int pause_domain(struct sim *sim, uint32_t domid)
{
	int r;

	if (domid == sim_self(sim))
		return -EINVAL;
	if (sim->kind == SIM_LAUNCHED && domid == sim->launch.hardware_domid)
		return -EPERM;
	r = sim_domain_pause(sim, domid);
	return r == -ENOENT ? -ESRCH : r;
}

int sim_request_pause(void *backend, uint32_t domid)
{
	struct sim *sim = backend;
	int r = sim_fault(sim, SIM_PAUSE);

	sim_maybe_kill(sim, SIM_PAUSE, SIM_KILL_BEFORE);
	if (!r)
		r = check_domctl(sim);
	if (!r)
		r = pause_domain(sim, domid);
	sim_maybe_kill(sim, SIM_PAUSE, SIM_KILL_AFTER);
	return r;
}

int sim_request_unpause(void *backend, uint32_t domid)
{
	struct sim *sim = backend;
	int r = sim_fault(sim, SIM_UNPAUSE);

	sim_maybe_kill(sim, SIM_UNPAUSE, SIM_KILL_BEFORE);
	if (!r)
		r = check_domctl(sim);
	if (!r)
		r = sim_domain_unpause(sim, domid);
	sim_maybe_kill(sim, SIM_UNPAUSE, SIM_KILL_AFTER);
	return r == -ENOENT ? -ESRCH : r;
}

int sim_request_handle(void *backend, uint32_t domid, const uint8_t handle[16])
{
	struct sim *sim = backend;
	int r = sim_fault(sim, SIM_SET_HANDLE);

	if (!r)
		r = check_domctl(sim);
	if (r)
		return r;
	return sim_domain_handle(sim, domid, handle) == 0 ? 0 : -ESRCH;
}

int sim_request_ready(void *backend)
{
	struct sim *sim = backend;
	int r = sim_fault(sim, SIM_READY);

	if (r)
		return r;
	return sim_self(sim) == HL_NO_DOMID ? -EPERM : sim_domain_ready(sim, sim_self(sim));
}
