/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The daemon's state: the table of domains as it is now, and how it comes to be
 * the next one.  Everything in it can be had again from Xen, xenstore and the LCM.
 */
#ifndef HYPERLAUNCHD_DOMAINS_MANAGER_H
#define HYPERLAUNCHD_DOMAINS_MANAGER_H

#include <hyperlaunch/hl.h>
#include <stdbool.h>

#include "domains/domain.h"

struct loop;
struct manager;

#define MANAGER_CHANGED_XENSTORE (1u << 31) /* beside HL_FIELD_*: the xenstore state */

/* One of many; each may leave out what it does not need. */
struct manager_observer {
	/* Still in the table; gone from it when this returns.  The reason is never "". */
	void (*removing)(void *userdata, const struct hl_domain *domain, const char *reason);
	/* The object of a live domain is freed when this returns; its row may go later, or stay. */
	void (*leaving)(void *userdata, const struct domain *domain);
	/* In the table from now on. */
	void (*added)(void *userdata, const struct hl_domain *domain);
	/* fields: HL_FIELD_* and MANAGER_CHANGED_* */
	void (*changed)(void *userdata, const struct hl_domain *domain, uint32_t fields);
	/* The summary: HL_SUMMARY_*.  `before` is valid during the call only. */
	void (*summary)(void *userdata, const struct hl_table *before, const struct hl_table *after,
			uint32_t fields);
	/* The number of rows, or the connection to xenstored, is another one. */
	void (*count)(void *userdata);
	void (*xenstore)(void *userdata);
	/* That was all of it; also called where nothing has changed. */
	void (*done)(void *userdata);
	void *userdata;
	struct manager_observer *next; /* the manager's */
};

/* Takes its own reference to `hl`.  Reads the first table; fails where that fails. */
int manager_new(struct loop *loop, struct hl_ctx *hl, struct manager **ret_manager);
struct manager *manager_free(struct manager *manager);

/* The observer stays the caller's, until it is taken back. */
void manager_observe(struct manager *manager, struct manager_observer *observer);
void manager_unobserve(struct manager *manager, const struct manager_observer *observer);

/* The present table; valid until the loop turns.  Take a reference to keep it. */
struct hl_table *manager_table(const struct manager *manager);
struct hl_ctx *manager_hl(const struct manager *manager);

/* "connected", "unresponsive", "unavailable", or "none" where the hypervisor is simulated. */
const char *manager_xenstore_state(const struct manager *manager);
enum xs_domain_state manager_domain_xenstore(const struct manager *manager,
					     const struct hl_domain *domain);

/* Why the domain could not be introduced to xenstored: a negative errno, or 0. */
int manager_domain_error(const struct manager *manager, const struct hl_domain *domain);

/* Reads everything again, and completes initial domains again that were given up.  Returns libhl's
 * error. */
int manager_reconcile(struct manager *manager);

/* The live domains of the present table, and the watch that follows them in xenstore (NULL: none
 * does). */
struct domains *manager_domains(const struct manager *manager);
struct watch *manager_watch(const struct manager *manager);

/*
 * For a reader: reads the table again if a change was announced, or if it is older
 * than a second, as what is not announced (memory, vCPUs) would be stale otherwise.
 */
void manager_refresh_if_stale(struct manager *manager);

/*
 * For what moves all the time, such as CPU times: reads the table again if the rows of
 * manager_domains() are older.  Returns libhl's error.  While new domains wait for their
 * names these rows are fresh, and the table is not.
 */
int manager_refresh_if_older(struct manager *manager, uint64_t usec);
/* When the rows of manager_domains() were read: microseconds of CLOCK_MONOTONIC. */
uint64_t manager_read_at(const struct manager *manager);

/* Reads the table again.  Where that fails the table stays as it was, and the log says why. */
void manager_refresh(struct manager *manager);

/* The same, later in this turn of the loop or soon: for what comes in numbers. */
void manager_request_refresh(struct manager *manager);

/* The watchdog's beat. */
void manager_heartbeat(struct manager *manager);

#endif
