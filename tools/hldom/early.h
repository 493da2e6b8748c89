/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* hldom console early: what guests printed before anybody served them goes into their logs. */
#ifndef HLDOM_EARLY_H
#define HLDOM_EARLY_H

#include "guests.h"
#include "peer.h"

/*
 * Gives the helper what Xen kept of each console that wants it, now and later, until the helper
 * ends the connection.
 *
 * Returns EXIT_FAILED after it reported an error, or an errno of the helper.
 */
int early_run(struct peer *peer, struct guests *guests);

#endif /* HLDOM_EARLY_H */
