/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Follows the domains in xenstore: their names, whether they are introduced, and
 * whether their kernels have connected.  Fills in struct xenstore_facts.
 */
#ifndef HYPERLAUNCHD_DOMAINS_WATCH_H
#define HYPERLAUNCHD_DOMAINS_WATCH_H

#include "domains/domain.h"
#include "store/client.h"

struct watch;

struct watch_config {
	struct loop *loop;
	struct domains *domains;
	/* Facts have changed, or domains were introduced or released, or the state of the
	 * connection is another. */
	void (*changed)(void *userdata);
	void *userdata;
};

int watch_new(const struct watch_config *config, struct watch **ret_watch);

/* NULL, here and below: a system without xenstore. */
struct watch *watch_free(struct watch *watch);

struct store *watch_store(const struct watch *watch);

/* After each domains_sync(): begins to read and watch the domains that are new.  The table is that
 * of the sync. */
void watch_sync(struct watch *watch, const struct hl_table *table);

/* Before a domain is freed. */
void watch_forget(struct watch *watch, const struct domain *domain);

/* Reads a domain again, as something of ours has changed it. */
void watch_read(struct watch *watch, struct domain *domain);

/* True while a new domain that a toolstack made has not been read: it may have a name. */
bool watch_awaits_names(const struct watch *watch);

/* The domain's name there, NULL where it has none of its own. */
const char *watch_name(const struct domain *domain);

enum xs_domain_state watch_domain_state(const struct domain *domain);

#endif
