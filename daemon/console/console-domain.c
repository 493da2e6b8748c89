// SPDX-License-Identifier: LGPL-2.1-or-later
/* Follows the table, and has one helper of consoles.c more or less. */
#include "console/console-domain.h"

#include <errno.h>
#include <hyperlaunch/hl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "console/consoles.h"
#include "domains/manager.h"
#include "domains/watch.h"
#include "loop/log.h"
#include "peers/peer.h"
#include "peers/remote.h"

struct console_domain {
	struct loop *loop;
	struct manager *manager;
	struct consoles *consoles;
	struct manager_observer observer;
	struct console_helper *helper; /* NULL: there is no such domain */
	uint32_t domid;
	uint64_t generation;
};

static uint32_t self_domid(const struct console_domain *domain)
{
	uint32_t self = hl_table_summary(manager_table(domain->manager))->self_domid;

	return self == HL_NO_DOMID ? 0 : self;
}

/* CONSOLE is the LCM's, and stays with it; Xen's own console may have another owner. */
static const struct domain *find_domain(const struct console_domain *domain)
{
	const struct domain *d = domains_first(manager_domains(domain->manager));

	while (d && (d->row->origin != HL_ORIGIN_BOOT || !(d->row->functions & HL_FUNC_CONSOLE) ||
		     d->row->state == HL_DOMAIN_DYING))
		d = d->next;
	return d && d->domid != self_domid(domain) ? d : NULL;
}

static int add_helper(struct console_domain *domain, uint32_t domid)
{
	struct store *store = watch_store(manager_watch(domain->manager));
	struct peer_config way = {.carrier = NULL};
	int r = remote_new(domain->loop, store, self_domid(domain), domid, CONSOLES_KIND,
			   &way.carrier);

	return r < 0 ? r : consoles_add_helper(domain->consoles, &way, domid, &domain->helper);
}

static void on_domains(void *userdata)
{
	struct console_domain *domain = userdata;
	const struct domain *found = find_domain(domain);
	int r = 0;

	if (domain->helper && found && domain->domid == found->domid &&
	    domain->generation == found->generation)
		return;
	domain->helper = consoles_remove_helper(domain->helper);
	/* A simulated one has been added already. */
	if (!found || consoles_find_helper(domain->consoles, found->domid))
		return;
	domain->domid = found->domid;
	domain->generation = found->generation;
	r = add_helper(domain, found->domid);
	if (r < 0)
		log_error("cannot look for the back end of consoles in domain %" PRIu32 ": %s",
			  found->domid, strerror(-r));
}

int console_domain_new(struct loop *loop, struct manager *manager, struct consoles *consoles,
		       struct console_domain **ret_domain)
{
	struct console_domain *domain = calloc(1, sizeof(*domain));

	if (!domain)
		return -ENOMEM;
	domain->loop = loop;
	domain->manager = manager;
	domain->consoles = consoles;
	domain->observer = (struct manager_observer){.userdata = domain};
	if (manager_watch(manager)) {
		domain->observer.done = on_domains;
		on_domains(domain);
	}
	manager_observe(manager, &domain->observer);
	*ret_domain = domain;
	return 0;
}

struct console_domain *console_domain_free(struct console_domain *domain)
{
	if (!domain)
		return NULL;
	manager_unobserve(domain->manager, &domain->observer);
	consoles_remove_helper(domain->helper);
	free(domain);
	return NULL;
}
