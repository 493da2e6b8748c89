/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What keeps a console from being handed over. */
#ifndef HYPERLAUNCHD_CONSOLE_HANDOFF_CHECK_H
#define HYPERLAUNCHD_CONSOLE_HANDOFF_CHECK_H

#include <stdbool.h>
#include <stdint.h>

#include "jobs/job.h"

struct consoles;
struct domain;

struct handoff_refusal {
	enum job_error error;
	char why[256];
};

/* 0, or -ECANCELED: *ret_refusal says why.  Arguments as of console_handoff_new(). */
int console_handoff_check(struct consoles *consoles, const struct domain *domain, uint32_t target,
			  bool xenconsoled, struct handoff_refusal *ret_refusal);

#endif
