/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The PV consoles of the domains, as the helpers that serve them report.  Fills in
 * struct console_facts.  There is one helper for each domain that serves consoles, and each is
 * believed for what it says of itself only: where two report the same domain, one that serves it
 * counts more than one whose ring is broken, that one more than one that is not connected now,
 * then one that waits, then one that has released it; of two alike the one in our own domain,
 * then the one that was added first.
 */
#ifndef HYPERLAUNCHD_CONSOLE_CONSOLES_H
#define HYPERLAUNCHD_CONSOLE_CONSOLES_H

#include <stdbool.h>
#include <stdint.h>

#include "domains/domain.h"

#define CONSOLES_KIND "console" /* of helpers */

#define CONSOLE_CHANGED_STATE	 (1u << 0)
#define CONSOLE_CHANGED_TTY	 (1u << 1)
#define CONSOLE_CHANGED_OWNER	 (1u << 2)
#define CONSOLE_CHANGED_ATTACHED (1u << 3)
#define CONSOLE_CHANGED_DROPPED	 (1u << 4)

struct console_helper;
struct consoles;
struct loop;
struct manager;
struct peer;
struct peer_config;

/* Of consoles of domains in the present table.  What comes in numbers is told together. */
struct consoles_observer {
	void (*added)(void *userdata, const struct domain *domain);
	void (*changed)(void *userdata, const struct domain *domain, uint32_t fields);
	void (*removed)(void *userdata, const struct domain *domain);
	void *userdata;
};

/* Without helpers no domain has a console. */
int consoles_new(struct loop *loop, struct manager *manager, struct consoles **ret_consoles);
/* Removes all helpers: requests end with an error, and the observer hears no more. */
void consoles_stop(struct consoles *consoles);
struct consoles *consoles_free(struct consoles *consoles);

/* One, which stays the caller's. */
void consoles_observe(struct consoles *consoles, const struct consoles_observer *observer);

/* Its memory is the caller's for as long as it listens. */
struct consoles_listener {
	/* A helper may have reported something since the last call. */
	void (*reported)(void *userdata);
	void *userdata;
	struct consoles_listener *next; /* set by consoles_listen() */
};

void consoles_listen(struct consoles *consoles, struct consoles_listener *listener);
void consoles_unlisten(struct consoles *consoles, const struct consoles_listener *listener);

/* Tells the observer now what it would hear soon. */
void consoles_flush(struct consoles *consoles);

/*
 * Adds a helper and connects to it in the next turn of the loop.
 * @way: how it is reached: a carrier, which is taken over, also on failure; all other members are
 *       ours to set
 * @domid: the domain that it is in, by what authenticates it; HL_NO_DOMID: our own, and the helper
 *         says which that is.  Terminals of one in another domain are none of ours
 * @ret_helper: valid until it is removed; may be NULL
 */
int consoles_add_helper(struct consoles *consoles, const struct peer_config *way, uint32_t domid,
			struct console_helper **ret_helper);

/* Requests to it end with -ECONNRESET, and what it has reported is forgotten. */
struct console_helper *consoles_remove_helper(struct console_helper *helper);

/* The helper in a domain; NULL: there is none. */
struct console_helper *consoles_find_helper(const struct consoles *consoles, uint32_t domid);

/* The one in our own domain; NULL: there is none. */
struct console_helper *consoles_own_helper(const struct consoles *consoles);

/* The first one (NULL), or the next one, of those in other domains that are there and not dying. */
const struct console_helper *consoles_next_remote(const struct consoles *consoles,
						  const struct console_helper *helper);

/* A domain of which our own helper has a relay, though no other domain serves its console. */
bool consoles_find_stray_relay(const struct consoles *consoles, uint32_t *ret_domid);

struct loop *consoles_loop(const struct consoles *consoles);
struct manager *consoles_manager(const struct consoles *consoles);

/* Whether any helper can be asked. */
bool consoles_any_ready(const struct consoles *consoles);

struct peer *console_helper_peer(const struct console_helper *helper);
uint32_t console_helper_domid(const struct console_helper *helper);
/* Whether it is in another domain than we are. */
bool console_helper_is_remote(const struct console_helper *helper);

#endif
