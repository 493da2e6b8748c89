/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What becomes of a domain when it ends by itself: of one that we have made, and of initial domains
 * with `restart` in their nodes.  It is a file in the domain's directory, beside what vmd keeps of
 * it, so that the next daemon knows it too; with the domain both go.
 */
#ifndef HYPERLAUNCHD_LIFECYCLE_POLICY_H
#define HYPERLAUNCHD_LIFECYCLE_POLICY_H

#include <hyperlaunch/hl.h>
#include <stdbool.h>
#include <stdint.h>

struct jobs;
struct loop;
struct manager;
struct policies;

enum policy_event {
	POLICY_POWEROFF,
	POLICY_REBOOT,
	POLICY_CRASH, /* the watchdog too */
	POLICY_NR_EVENTS
};

enum policy_action {
	POLICY_DESTROY,	 /* "destroy" */
	POLICY_RESTART,	 /* "restart": made again, an initial one rebuilt, as long as the limit
			    permits */
	POLICY_PRESERVE, /* "preserve": stays as it is */
	POLICY_NR_ACTIONS
};

#define POLICY_LIMIT_MAX   64
#define POLICY_REQUEST_MAX 64			     /* bytes */
#define POLICY_PERIOD	   (600 * UINT64_C(1000000)) /* microseconds, of the limit */

struct policy {
	/* Of the domain; of an initial one, which may have none yet, "initial-" and its index. */
	char uuid[HL_UUID_TEXT_SIZE];
	enum policy_action actions[POLICY_NR_EVENTS];
	bool qemu;	/* QEMU serves the domain, so that it is made where QEMU can stay */
	uint32_t limit; /* of restarts in the period: POLICY_LIMIT_MAX at most */
	uint64_t restarts[POLICY_LIMIT_MAX]; /* when, of the monotonic clock; the latest at the end
					      */
	uint32_t nr_restarts;
	/* The RequestId of the call that had it made, and whose that was; "": it had none. */
	char request[POLICY_REQUEST_MAX + 1];
	uint32_t request_uid;
};

const char *policy_action_name(enum policy_action action);
/* -EINVAL: there is none of that name. */
int policy_action_from_name(const char *name, enum policy_action *ret_action);

/*
 * What `restart` of a node says, without the UUID.  The limit is as it is there.
 * @otherwise: what becomes of a domain that is not restarted
 */
void policy_from_lcm(const struct hl_lcm_domain *domain, enum policy_action otherwise,
		     struct policy *ret_policy);

/* Whether what the domain is made of has to be kept. */
bool policy_restarts(const struct policy *policy);

/*
 * Reads what earlier daemons have left, and the LCM.  dir: of all domains, made if missing; NULL:
 * nothing lasts longer than this process.
 */
int policies_new(struct loop *loop, struct manager *manager, struct jobs *jobs, const char *dir,
		 struct policies **ret_policies);
struct policies *policies_free(struct policies *policies);

/* From now on, for a domain that is about to be made.  Returns 0 or a negative errno. */
int policies_add(struct policies *policies, const struct policy *policy);

/*
 * Other actions for a domain that has a policy, from now on; the domain is only acted upon if it
 * ends later.  uuid: as the policy has it
 * Returns 0; -ENOENT: it has none; -EOPNOTSUPP: it cannot be restarted, as nothing was kept of
 * what it is made of; another negative errno: not recorded, and nothing has changed.
 */
int policies_change(struct policies *policies, const char *uuid,
		    const enum policy_action wanted[POLICY_NR_EVENTS]);

/* Of the latest domain that a call with this RequestId has had made; NULL: of none. */
const struct policy *policies_find_request(const struct policies *policies, const char *request,
					   uint32_t uid);
/* NULL: the domain with that UUID is not ours. */
const struct policy *policies_find(const struct policies *policies, const char *uuid);
/* NULL: it is neither ours, nor an initial one with `restart`. */
const struct policy *policies_find_of(const struct policies *policies,
				      const struct hl_domain *domain);

#endif
