// SPDX-License-Identifier: LGPL-2.1-or-later
/* Ownership of the Xen console after the launch, loans included. */
#include "sim/console.h"

#include <errno.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <xen/sched.h>

#include "sim/launch.h"

/* Xen waits this long for the end of a line. */
#define HANDOFF_MS 2000

/* Returns 0, -ESRCH: no such domain, or it is dying; -ENXIO: it does not run. */
static int can_own(struct sim *sim, uint32_t domid)
{
	const struct hl_live_domain *live = sim_find_live(sim, domid);
	const struct hl_launch_domain *d;

	if (!live || live->dying)
		return -ESRCH;
	d = sim_initial_live(sim, domid);
	return live->shutdown || (d && d->state == HL_DOMAIN_PAUSED) ? -ENXIO : 0;
}

/* Starts a timer; ms: 0 stops it. */
static int set_timer(int fd, uint32_t ms)
{
	const struct itimerspec at = {
		.it_value = {.tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000},
	};

	return timerfd_settime(fd, 0, &at, NULL) ? -errno : 0;
}

static void end_loan(struct sim *sim)
{
	if (!sim->lent)
		return;
	sim->lent = false;
	/* Cannot fail with these arguments; an expiry without a loan has no effect. */
	(void)set_timer(sim->loan_fd, 0);
}

static void end_handoff(struct sim *sim)
{
	sim->pending_owner = HL_NO_DOMID;
	(void)set_timer(sim->handoff_fd, 0);
}

/* The first domain that can own the console and has one of these; HL_NO_DOMID: none. */
static uint32_t find_candidate(struct sim *sim, uint32_t permissions, uint32_t functions)
{
	for (uint32_t i = 0; i < sim->launch.nr_domains; i++) {
		const struct hl_launch_domain *d = &sim->domains[i];

		if ((d->permissions & permissions || d->functions & functions) &&
		    sim_initial_live(sim, d->domid) && !can_own(sim, d->domid))
			return d->domid;
	}
	return HL_NO_DOMID;
}

/* Moves the console to the lender, else to the domain that Xen would choose. */
static int default_console(struct sim *sim)
{
	uint32_t domid = sim->lent ? sim->lender : HL_NO_DOMID;

	end_handoff(sim);
	end_loan(sim);
	if (domid != HL_NO_DOMID && can_own(sim, domid))
		domid = HL_NO_DOMID;
	if (domid == HL_NO_DOMID)
		domid = find_candidate(sim, 0, HL_FUNC_CONSOLE);
	if (domid == HL_NO_DOMID)
		domid = find_candidate(sim, HL_PERM_CONTROL, 0);
	if (domid == HL_NO_DOMID)
		domid = find_candidate(sim, HL_PERM_HARDWARE, 0);
	if (domid != HL_NO_DOMID)
		return sim_move_console(sim, domid);
	if (sim_find_live(sim, sim->launch.console_owner))
		return 0;
	sim->launch.console_owner = HL_NO_DOMID;
	sim_changed(sim);
	return 0;
}

/* A domain in suspend or soft-reset has not ended: a control domain may resume it. */
static bool has_ended(struct sim *sim, const struct hl_live_domain *live)
{
	bool suspended = live->shutdown_code == SHUTDOWN_suspend ||
			 live->shutdown_code == SHUTDOWN_soft_reset;

	return !suspended || find_candidate(sim, HL_PERM_CONTROL, 0) == HL_NO_DOMID;
}

int sim_console_lost(struct sim *sim, uint32_t domid, bool gone)
{
	const struct hl_live_domain *live = sim_find_live(sim, domid);

	if (gone && sim->pending_owner == domid)
		end_handoff(sim);
	if (gone && sim->lent && sim->lender == domid)
		sim->lender = HL_NO_DOMID;
	if (sim->launch.console_owner != domid)
		return 0;
	return gone || (live && has_ended(sim, live)) ? default_console(sim) : 0;
}

int sim_lend_console(struct sim *sim, uint32_t domid, uint32_t loan_ms, bool keeps_loan)
{
	uint32_t before = sim->launch.console_owner;
	int r = can_own(sim, domid);

	if (!r)
		r = sim_move_console(sim, domid);
	if (r)
		return r;
	if (sim->lent && domid == sim->lender) {
		end_loan(sim);
		return 0;
	}
	if (keeps_loan)
		return 0;
	if (!loan_ms || (!sim->lent && domid == before)) {
		end_loan(sim);
		return 0;
	}
	if (!sim->lent)
		sim->lender = before;
	sim->lent = true;
	return set_timer(sim->loan_fd, loan_ms);
}

static int complete_handoff(struct sim *sim)
{
	uint32_t domid = sim->pending_owner;

	if (domid == HL_NO_DOMID)
		return 0;
	end_handoff(sim);
	/* A domain that can no longer own the console does not get it, as on Xen. */
	(void)sim_lend_console(sim, domid, sim->pending_loan_ms, sim->pending_keeps_loan);
	return 0;
}

int sim_request_handoff(struct sim *sim, uint32_t domid, uint32_t loan_ms, bool keeps_loan)
{
	int r;

	if (sim->pending_owner != HL_NO_DOMID && sim->pending_owner != domid)
		return -EBUSY;
	r = can_own(sim, domid);
	if (r)
		return r;
	if (!sim->typing || domid == sim->launch.console_owner ||
	    can_own(sim, sim->launch.console_owner))
		return sim_lend_console(sim, domid, loan_ms, keeps_loan);
	sim->pending_loan_ms = loan_ms;
	sim->pending_keeps_loan = keeps_loan;
	if (sim->pending_owner == HL_NO_DOMID)
		r = set_timer(sim->handoff_fd, HANDOFF_MS);
	sim->pending_owner = domid;
	return r ? r : -EAGAIN;
}

int sim_set_typing(struct sim *sim, bool typing)
{
	sim->typing = typing;
	return typing ? 0 : complete_handoff(sim);
}

int sim_set_console(struct sim *sim, uint32_t domid)
{
	end_handoff(sim);
	return sim_lend_console(sim, domid, 0, false);
}

int sim_console_due(struct sim *sim)
{
	uint64_t times;

	if (read(sim->handoff_fd, &times, sizeof(times)) > 0)
		(void)complete_handoff(sim);
	if (read(sim->loan_fd, &times, sizeof(times)) < 0)
		return 0;
	return sim->lent ? default_console(sim) : 0;
}
