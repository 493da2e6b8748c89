/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What xenstore knows of the domains: names, and who is introduced.  Also gives
 * initial domains their place in it (xs-guest.h).  Waits for xenstored as long as
 * that takes, and begins anew when it was lost.
 */
#ifndef HYPERLAUNCHD_XS_DOMAINS_H
#define HYPERLAUNCHD_XS_DOMAINS_H

#include <hl.h>
#include <stdbool.h>

struct loop;
struct xenstore;

enum xs_domain_state {
	XS_DOMAIN_NONE,	      /* "none": has no xenstore page, or none that we know of */
	XS_DOMAIN_PAGE_READY, /* "page-ready": xenstored does not serve it yet */
	XS_DOMAIN_INTRODUCED, /* "introduced" */
	XS_DOMAIN_CONNECTED,  /* "connected": and has written something */
};

const char *xs_domain_state_name(enum xs_domain_state state);

struct xenstore_config {
	/* Whether domains without UUID get one in Xen too; a simulated one has no such call. */
	bool set_handles;
	/* Something has changed: domains came or went, or what the functions below tell. */
	void (*changed)(void *userdata);
	void *userdata;
};

/* Begins to look for xenstored at once. */
int xenstore_new(struct loop *loop, const struct xenstore_config *config, struct xenstore **ret_xs);

/* NULL, here and below: a system without xenstore. */
struct xenstore *xenstore_free(struct xenstore *xs);

/*
 * The domains as Xen has them now.  Reads the names of those that are new, then
 * watches them and introduces initial domains, one at a time, from the loop.
 */
void xenstore_sync(struct xenstore *xs, struct hl_table *table);

/* Looks whether a quiet connection is still alive. */
void xenstore_check(struct xenstore *xs);

bool xenstore_is_connected(const struct xenstore *xs);

/* The domain's name there, NULL where it has none of its own. */
const char *xenstore_name(const struct xenstore *xs, const struct hl_domain *domain);

enum xs_domain_state xenstore_domain_state(const struct xenstore *xs, const struct hl_domain *domain);

#endif
