/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Ownership of the Xen console after the launch, loans included. */
#ifndef LIBHL_SIM_CONSOLE_H
#define LIBHL_SIM_CONSOLE_H

#include "sim/state.h"

/*
 * Both: -ESRCH: no such domain, or it is dying; -ENXIO: it does not run.
 *
 * sim_set_console() moves the console permanently.  sim_lend_console() does so for
 * loan_ms milliseconds; 0: permanently.  keeps_loan: the caller may pass the console
 * on, but neither end nor extend the loan that is running.
 */
int sim_set_console(struct sim *sim, uint32_t domid);
int sim_lend_console(struct sim *sim, uint32_t domid, uint32_t loan_ms, bool keeps_loan);

/*
 * As sim_lend_console(), but between two lines of input only.
 * -EAGAIN: the hand-off follows at the end of the line; -EBUSY: another domain gets the
 * console at the end of the line.
 */
int sim_request_handoff(struct sim *sim, uint32_t domid, uint32_t loan_ms, bool keeps_loan);

/* Begins a line of input, or ends it, which completes a pending hand-off. */
int sim_set_typing(struct sim *sim, bool typing);

/* To be called after a domain was destroyed (gone) or shut down: chooses another owner. */
int sim_console_lost(struct sim *sim, uint32_t domid, bool gone);

/* Does what is due by the timers: a pending hand-off, the end of a loan. */
int sim_console_due(struct sim *sim);

#endif /* LIBHL_SIM_CONSOLE_H */
