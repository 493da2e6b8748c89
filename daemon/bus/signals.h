/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the bus hears of by itself: changes of the domains, of the launch and of their roles. */
#ifndef HYPERLAUNCHD_BUS_SIGNALS_H
#define HYPERLAUNCHD_BUS_SIGNALS_H

struct bus;
struct bus_signals;

/* Sends signals from now on, until it is freed. */
int bus_signals_new(struct bus *bus, struct bus_signals **ret_signals);
struct bus_signals *bus_signals_free(struct bus_signals *signals);

#endif
