/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What makes or ends a domain: shown while it is done, and afterwards. */
#ifndef HLCTL_CREATE_H
#define HLCTL_CREATE_H

#include "hlctl.h"

/* A little more than the daemon allows itself. */
#define CREATE_WORK_USEC (UINT64_C(16) * 60 * 1000000)

/* Shows meanwhile how far the job of that kind is, about the domain of that name. */
enum exit_code create_send(const struct options *options, sd_bus *bus, sd_bus_message *call,
			   const char *kind, const char *name, sd_bus_message **ret_reply);

/* The domain whose path the answer has. */
enum exit_code create_show(const struct options *options, sd_bus *bus, sd_bus_message *reply);

#endif /* HLCTL_CREATE_H */
