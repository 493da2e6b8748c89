/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Calls that give the Xen console to a domain.  Xen does that between two typed
 * lines, so each may have to wait; they are done in the order in which they came.
 */
#ifndef HYPERLAUNCHD_BUS_HANDOFF_H
#define HYPERLAUNCHD_BUS_HANDOFF_H

#include <systemd/sd-bus.h>

struct bus;
struct bus_subject;
struct handoffs;
struct loop;

int handoffs_new(struct loop *loop, struct bus *bus, struct handoffs **ret_handoffs);
struct handoffs *handoffs_free(struct handoffs *handoffs);

/*
 * Keeps the call of somebody who may, and answers it when it is done or has failed.
 * The error is that of a call that is not kept.
 */
int handoffs_add(struct handoffs *handoffs, sd_bus_message *call, const struct bus_subject *subject,
		 sd_bus_error *error);

#endif
