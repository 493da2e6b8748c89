/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A terminal at a domain's console. */
#ifndef HYPERLAUNCHD_CONSOLE_ATTACH_H
#define HYPERLAUNCHD_CONSOLE_ATTACH_H

#include "console/request.h"

#define CONSOLE_REPLAY_MAX 65536u

struct console_attach_options {
	bool read_only;
	bool exclusive;	 /* and fails if another one may type */
	uint64_t replay; /* bytes of earlier output, CONSOLE_REPLAY_MAX at most */
};

/* The descriptor of the answer is a terminal.  Errors as of console_ask(). */
int console_attach(struct consoles *consoles, const struct domain *domain,
		   const struct console_attach_options *options, console_done_t done,
		   void *userdata, struct console_request **ret_request);

#endif
