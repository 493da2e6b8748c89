/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The ends of domains that guests are asked for. */
#ifndef HLCTL_LIFECYCLE_H
#define HLCTL_LIFECYCLE_H

#include "hlctl.h"

/* hyperlaunchd's own default; named here, as the call has to wait as long. */
#define LIFECYCLE_TIMEOUT_SECONDS 60

/* Of all VMs that hyperlaunchd has made, each before those that it was started after. */
enum exit_code shutdown_all(const struct options *options, sd_bus *bus);

#endif /* HLCTL_LIFECYCLE_H */
