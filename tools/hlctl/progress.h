/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How far a job is, on the terminal, while its call is waited for. */
#ifndef HLCTL_PROGRESS_H
#define HLCTL_PROGRESS_H

#include "hlctl.h"

struct progress {
	const char *kind, *name; /* of the job: its kind, and the domain's name */
	char *job;		 /* its path; NULL: not known yet */
	bool shown;		 /* a line stands there */
	sd_bus_slot *added, *changed;
};

/* Nothing is shown where standard error is no terminal, or with --quiet. */
void progress_begin(const struct options *options, sd_bus *bus, const char *kind, const char *name,
		    struct progress *ret_progress);

/* Wipes the line out. */
void progress_end(struct progress *progress);

#endif /* HLCTL_PROGRESS_H */
