/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The job that hands a guest's console from one back end to another while the guest runs: the old
 * one releases it, Xen moves event channel and grant, the new one takes it, and xenstore says so.
 * What was typed and is not in the ring yet is in the job's record meanwhile.  If a step fails, or
 * the daemon is killed, the next one finishes it or gives it back to the old one.
 */
#ifndef HYPERLAUNCHD_CONSOLE_HANDOFF_H
#define HYPERLAUNCHD_CONSOLE_HANDOFF_H

#include <stdbool.h>
#include <stdint.h>

#include "console/handoff-check.h"

#define CONSOLE_HANDOFF_JOB	 "hand-off-console"
#define CONSOLE_HANDOFF_KEY_SIZE 64

struct console_handoff;
struct consoles;
struct domain;
struct jobs;

/* One at a time for each console. */
void console_handoff_key(const struct domain *domain, char key[CONSOLE_HANDOFF_KEY_SIZE]);

/*
 * The data of a job that hands the domain's console to the back end in `target`.  Returns 0, or a
 * negative errno, where *ret_refusal says what keeps it from being done.
 * @xenconsoled: the xenconsoled of that domain instead of the helper
 */
int console_handoff_new(struct consoles *consoles, const struct domain *domain, uint32_t target,
			bool xenconsoled, struct console_handoff **ret_handoff,
			struct handoff_refusal *ret_refusal);

int console_handoff_register(struct jobs *jobs, struct consoles *consoles);

#endif
