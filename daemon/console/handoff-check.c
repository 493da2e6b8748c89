// SPDX-License-Identifier: LGPL-2.1-or-later
/* Looks, before anything is done, whether a console can be handed over. */
#include "console/handoff-check.h"

#include <errno.h>
#include <hyperlaunch/hl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "console/consoles.h"
#include "console/event.h"
#include "domains/manager.h"
#include "peers/peer.h"

static int __attribute__((format(printf, 3, 4)))
refuse(struct handoff_refusal *refusal, enum job_error error, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(refusal->why, sizeof(refusal->why), format, args);
	va_end(args);
	refusal->error = error;
	return -ECANCELED;
}

static int check_source(const struct domain *domain, struct handoff_refusal *refusal)
{
	switch (domain->console.state) {
	case CONSOLE_SERVING:
	case CONSOLE_RELEASED:
		return 0;
	case CONSOLE_NONE:
		return refuse(refusal, JOB_ERROR_NOT_SUPPORTED, "it has no console");
	case CONSOLE_UNAVAILABLE:
		return refuse(refusal, JOB_ERROR_NOT_SUPPORTED,
			      "the console's back end does not run now");
	default:
		return refuse(refusal, JOB_ERROR_WRONG_STATE, "the console is not served now: %s",
			      console_state_name(domain->console.state));
	}
}

static int check_new_domain(struct consoles *consoles, const struct domain *domain, uint32_t target,
			    struct handoff_refusal *refusal)
{
	const struct console_helper *helper = consoles_find_helper(consoles, target);
	const struct hl_domain *row;

	if (hl_table_find_domid(manager_table(consoles_manager(consoles)), target, &row) < 0 ||
	    !row->live)
		return refuse(refusal, JOB_ERROR_NO_SUCH_DOMAIN,
			      "domain %" PRIu32 ", which is to serve it, does not exist now",
			      target);
	if (row->state == HL_DOMAIN_DYING || row->state == HL_DOMAIN_PAUSED)
		return refuse(refusal, JOB_ERROR_WRONG_STATE,
			      "domain %" PRIu32 ", which is to serve it, is %s", target,
			      hl_domain_state_name(row->state));
	if (target == domain->domid)
		return refuse(refusal, JOB_ERROR_WRONG_STATE,
			      "a domain cannot serve its own console");
	if (!helper || !peer_is_ready(console_helper_peer(helper)))
		return refuse(refusal, JOB_ERROR_NOT_SUPPORTED,
			      "no back end of consoles runs in domain %" PRIu32
			      " (hyperlaunch-consoled.service)",
			      target);
	return 0;
}

static int check_way(struct consoles *consoles, const struct domain *domain, uint32_t target,
		     bool xenconsoled, struct handoff_refusal *refusal)
{
	const struct console_facts *facts = &domain->console;
	bool same = facts->owner == target;

	if (xenconsoled && console_helper_is_remote(facts->helper))
		return refuse(refusal, JOB_ERROR_NOT_SUPPORTED,
			      "only consoles that are served in this domain are handed to its "
			      "xenconsoled");
	if (xenconsoled && !same)
		return refuse(refusal, JOB_ERROR_NOT_SUPPORTED,
			      "it is served in domain %" PRIu32
			      ", so only the xenconsoled there can have it",
			      facts->owner);
	if (facts->state == CONSOLE_RELEASED && (xenconsoled || !same))
		return refuse(refusal, JOB_ERROR_WRONG_STATE,
			      "xenconsoled has it, and gives it back only by being stopped: then "
			      "hand it to domain %" PRIu32,
			      facts->owner);
	if (facts->state == CONSOLE_SERVING && same && !xenconsoled)
		return refuse(refusal, JOB_ERROR_WRONG_STATE,
			      "domain %" PRIu32 " serves it already", target);
	return check_new_domain(consoles, domain, target, refusal);
}

int console_handoff_check(struct consoles *consoles, const struct domain *domain, uint32_t target,
			  bool xenconsoled, struct handoff_refusal *ret_refusal)
{
	int r = check_source(domain, ret_refusal);

	return r < 0 ? r : check_way(consoles, domain, target, xenconsoled, ret_refusal);
}
