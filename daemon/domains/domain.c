// SPDX-License-Identifier: LGPL-2.1-or-later
/* The objects of the live domains, found by domid. */
#include "domains/domain.h"

#include <errno.h>
#include <stdlib.h>

#define BUCKETS 1024u /* a power of two */

struct domains {
	struct domain *first, **end;
	struct domain *buckets[BUCKETS];
};

const char *xs_domain_state_name(enum xs_domain_state state)
{
	static const char *const names[] = {
		[XS_DOMAIN_NONE] = "none",
		[XS_DOMAIN_PAGE_READY] = "page-ready",
		[XS_DOMAIN_INTRODUCED] = "introduced",
		[XS_DOMAIN_CONNECTED] = "connected",
	};

	return names[state];
}

/* Domids rise one by one, so they fill the buckets evenly. */
static unsigned int bucket_of(uint32_t domid)
{
	return domid & (BUCKETS - 1);
}

static void unhash(struct domains *domains, const struct domain *domain)
{
	struct domain **p = &domains->buckets[bucket_of(domain->domid)];

	while (*p != domain)
		p = &(*p)->next_hash;
	*p = domain->next_hash;
}

static void domain_free(struct domain *domain)
{
	free(domain->xenstore.name);
	free(domain);
}

int domains_new(struct domains **ret_domains)
{
	struct domains *domains = calloc(1, sizeof(*domains));

	if (!domains)
		return -ENOMEM;
	domains->end = &domains->first;
	*ret_domains = domains;
	return 0;
}

struct domains *domains_free(struct domains *domains)
{
	if (!domains)
		return NULL;
	for (struct domain *d = domains->first, *next; d; d = next) {
		next = d->next;
		domain_free(d);
	}
	free(domains);
	return NULL;
}

static int add(struct domains *domains, const struct hl_domain *row)
{
	struct domain *domain = calloc(1, sizeof(*domain));
	unsigned int bucket = bucket_of(row->domid);

	if (!domain)
		return -ENOMEM;
	domain->domid = row->domid;
	domain->generation = row->generation;
	domain->row = row;
	domain->present = true;
	domain->is_new = true;
	domain->next_hash = domains->buckets[bucket];
	domains->buckets[bucket] = domain;
	*domains->end = domain;
	domains->end = &domain->next;
	return 0;
}

static void remove_absent(struct domains *domains,
			  void (*leaving)(void *userdata, struct domain *domain), void *userdata)
{
	struct domain **p = &domains->first;

	while (*p) {
		struct domain *domain = *p;

		if (domain->present) {
			p = &domain->next;
			continue;
		}
		leaving(userdata, domain);
		*p = domain->next;
		unhash(domains, domain);
		domain_free(domain);
	}
	domains->end = p;
}

int domains_sync(struct domains *domains, struct hl_table *table,
		 void (*leaving)(void *userdata, struct domain *domain), void *userdata)
{
	int r = 0;

	for (struct domain *d = domains->first; d; d = d->next)
		d->present = false;
	for (uint32_t i = 0; i < hl_table_nr_domains(table); i++) {
		const struct hl_domain *row = hl_table_get(table, i);
		struct domain *domain =
			row->live ? domains_find(domains, row->domid, row->generation) : NULL;

		if (domain) {
			domain->present = true;
			domain->row = row;
		} else if (row->live && add(domains, row) < 0) {
			r = -ENOMEM;
		}
	}
	remove_absent(domains, leaving, userdata);
	return r;
}

struct domain *domains_first(const struct domains *domains)
{
	return domains->first;
}

struct domain *domains_find(const struct domains *domains, uint32_t domid, uint64_t generation)
{
	struct domain *domain = domains->buckets[bucket_of(domid)];

	while (domain && (domain->domid != domid || domain->generation != generation))
		domain = domain->next_hash;
	return domain;
}

struct domain *domains_find_domid(const struct domains *domains, uint32_t domid)
{
	struct domain *domain = domains->buckets[bucket_of(domid)];

	while (domain && domain->domid != domid)
		domain = domain->next_hash;
	return domain;
}
