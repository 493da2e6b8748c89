/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The daemon's state: the table of domains as it is now, and how it comes to be
 * the next one.  Everything in it can be had again from Xen, xenstore and the LCM.
 */
#ifndef HYPERLAUNCHD_MANAGER_H
#define HYPERLAUNCHD_MANAGER_H

#include <hl.h>
#include <stdbool.h>

#include "xs-domains.h"

struct loop;
struct manager;

#define MANAGER_CHANGED_XENSTORE (1u << 31) /* beside HL_FIELD_*: the xenstore state */

struct manager_observer {
	/* Still in the table; gone from it when this returns. */
	void (*removing)(void *userdata, const struct hl_domain *domain);
	/* In the table from now on. */
	void (*added)(void *userdata, const struct hl_domain *domain);
	/* fields: HL_FIELD_* and MANAGER_CHANGED_* */
	void (*changed)(void *userdata, const struct hl_domain *domain, uint32_t fields);
	/* fields: HL_SUMMARY_*.  Both are valid during the call only. */
	void (*summary)(void *userdata, const struct hl_summary *before, const struct hl_summary *after,
			uint32_t fields);
	/* The number of rows, or the connection to xenstored, is another one. */
	void (*count)(void *userdata);
	void (*xenstore)(void *userdata);
};

/* Takes its own reference to `hl`.  Reads the first table; fails where that fails. */
int manager_new(struct loop *loop, struct hl_ctx *hl, struct manager **ret_manager);
struct manager *manager_free(struct manager *manager);

/* One observer; NULL: none. */
void manager_observe(struct manager *manager, const struct manager_observer *observer, void *userdata);

/* The present table; valid until the loop turns.  Take a reference to keep it. */
struct hl_table *manager_table(const struct manager *manager);
struct hl_ctx *manager_hl(const struct manager *manager);

/* "connected", "unavailable", or "none" where the hypervisor is simulated. */
const char *manager_xenstore_state(const struct manager *manager);
enum xs_domain_state manager_domain_xenstore(const struct manager *manager, const struct hl_domain *domain);

/*
 * For a reader: reads the table anew if it is older than a second, as what does
 * not announce itself (memory, vCPUs) would be stale else.
 */
void manager_freshen(struct manager *manager);

/* Reads the table anew.  Where that fails the table stays as it was, and the log says why. */
void manager_refresh(struct manager *manager);

/*
 * Requests to the hypervisor, with the errors of hl_set_console() and hl_release();
 * but -EALREADY: it is not held.  The table has the change when they return 0, and the
 * observer was told.
 */
int manager_set_console_owner(struct manager *manager, uint32_t domid);
int manager_release(struct manager *manager, uint32_t domid);

/* The watchdog's beat. */
void manager_heartbeat(struct manager *manager);

#endif
