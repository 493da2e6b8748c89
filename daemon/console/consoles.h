/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The PV consoles of the domains, as the helper that serves them reports.  Fills in
 * struct console_facts.
 */
#ifndef HYPERLAUNCHD_CONSOLE_CONSOLES_H
#define HYPERLAUNCHD_CONSOLE_CONSOLES_H

#include <stdbool.h>
#include <stdint.h>

#include "domains/domain.h"

#define CONSOLE_CHANGED_STATE	 (1u << 0)
#define CONSOLE_CHANGED_TTY	 (1u << 1)
#define CONSOLE_CHANGED_OWNER	 (1u << 2)
#define CONSOLE_CHANGED_ATTACHED (1u << 3)
#define CONSOLE_CHANGED_DROPPED	 (1u << 4)

struct consoles;
struct loop;
struct manager;
struct peer;

/* Of consoles of domains in the present table.  What comes in numbers is told together. */
struct consoles_observer {
	void (*added)(void *userdata, const struct domain *domain);
	void (*changed)(void *userdata, const struct domain *domain, uint32_t fields);
	void (*removed)(void *userdata, const struct domain *domain);
	void *userdata;
};

/* socket: the helper's; NULL: there is no helper, and no domain has a console. */
int consoles_new(struct loop *loop, struct manager *manager, const char *socket,
		 struct consoles **ret_consoles);
/* Ends the connection: requests end with an error, and the observer hears no more. */
void consoles_stop(struct consoles *consoles);
struct consoles *consoles_free(struct consoles *consoles);

/* One, which stays the caller's. */
void consoles_observe(struct consoles *consoles, const struct consoles_observer *observer);

/* Tells the observer now what it would hear soon. */
void consoles_flush(struct consoles *consoles);

/* The helper; NULL: none. */
struct peer *consoles_peer(const struct consoles *consoles);

/* "" for CONSOLE_NONE. */
const char *console_state_name(enum console_state state);

#endif
