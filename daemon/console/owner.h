/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The job that hands Xen's console over to a domain. */
#ifndef HYPERLAUNCHD_CONSOLE_OWNER_H
#define HYPERLAUNCHD_CONSOLE_OWNER_H

#include <stdbool.h>
#include <stdint.h>

#define CONSOLE_OWNER_JOB "set-console-owner"
/* One hand-off at a time. */
#define CONSOLE_OWNER_KEY "console"

struct jobs;
struct manager;

/* The data of the job. */
struct console_owner {
	uint32_t loan_ms;  /* 0, or the time after which Xen returns the console */
	uint32_t previous; /* domid of the owner before the job, and its row's generation */
	uint64_t previous_generation;
	bool has_previous; /* false: no listed domain had it */
	bool asked;	   /* Xen has it to do, once the owner's line has ended */
	uint32_t since;	   /* number of the first event after that */
};

int console_owner_register(struct jobs *jobs, struct manager *manager);

#endif
