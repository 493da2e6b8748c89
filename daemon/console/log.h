/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The log of a domain's console. */
#ifndef HYPERLAUNCHD_CONSOLE_LOG_H
#define HYPERLAUNCHD_CONSOLE_LOG_H

#include "console/request.h"

/*
 * domain: NULL: the one with that uuid, which may be gone
 * The descriptor of the answer is a pipe.  Errors as of console_ask().
 */
int console_open_log(struct consoles *consoles, const struct domain *domain, const char *uuid,
		     bool follow, console_done_t done, void *userdata,
		     struct console_request **ret_request);

#endif
