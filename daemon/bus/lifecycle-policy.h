/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What becomes of a domain that ends by itself: a part of the interface Lifecycle. */
#ifndef HYPERLAUNCHD_BUS_LIFECYCLE_POLICY_H
#define HYPERLAUNCHD_BUS_LIFECYCLE_POLICY_H

#include <systemd/sd-bus.h>

struct bus;

int bus_lifecycle_policy_register(struct bus *bus, sd_bus *connection);

#endif
