/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * sd-bus as a source of the main loop.  Before each poll the connection is
 * processed, a bounded number of messages at a time, and asked for its
 * descriptor, events and timeout, all of which may have changed.
 */
#ifndef HYPERLAUNCHD_BUS_EVENT_SOURCE_H
#define HYPERLAUNCHD_BUS_EVENT_SOURCE_H

#include <systemd/sd-bus.h>

struct bus_event;
struct loop;

/* Borrows `bus`, which must outlive it.  When the connection breaks, the loop ends with its error.
 */
int bus_event_new(struct loop *loop, sd_bus *bus, struct bus_event **ret_source);
struct bus_event *bus_event_free(struct bus_event *source);

#endif
