/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Has our own helper relay each console that another domain serves: to a terminal here, which it
 * names in xenstore for xl console.
 */
#ifndef HYPERLAUNCHD_CONSOLE_RELAY_H
#define HYPERLAUNCHD_CONSOLE_RELAY_H

struct consoles;
struct manager;
struct relays;

int relays_new(struct manager *manager, struct consoles *consoles, struct relays **ret_relays);

/* Before the consoles are stopped. */
struct relays *relays_free(struct relays *relays);

#endif
