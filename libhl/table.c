// SPDX-License-Identifier: LGPL-2.1-or-later
/* Looks up rows of a table. */
#include "table.h"

#include <errno.h>
#include <string.h>

int domain_compare(const struct hl_domain *a, const struct hl_domain *b)
{
	if (a->domid != b->domid)
		return a->domid < b->domid ? -1 : 1;
	if (a->generation != b->generation)
		return a->generation < b->generation ? -1 : 1;
	return 0;
}

HL_EXPORT struct hl_table *hl_table_ref(struct hl_table *table)
{
	if (table)
		atomic_fetch_add(&table->refs, 1);
	return table;
}

HL_EXPORT struct hl_table *hl_table_unref(struct hl_table *table)
{
	if (table && atomic_fetch_sub(&table->refs, 1) == 1) {
		arena_free(&table->arena);
		free(table->domains);
		free(table);
	}
	return NULL;
}

HL_EXPORT const struct hl_summary *hl_table_summary(const struct hl_table *table)
{
	return &table->summary;
}

HL_EXPORT uint32_t hl_table_nr_domains(const struct hl_table *table)
{
	return table->nr_domains;
}

HL_EXPORT const struct hl_domain *hl_table_get(const struct hl_table *table, uint32_t i)
{
	return i < table->nr_domains ? &table->domains[i] : NULL;
}

HL_EXPORT uint32_t hl_table_nr_modules(const struct hl_table *table)
{
	return table->nr_modules;
}

HL_EXPORT const struct hl_table_module *hl_table_get_module(const struct hl_table *table,
							    uint32_t i)
{
	return i < table->nr_modules ? &table->modules[i] : NULL;
}

/* Finds the row for which match(row, key) is true, as hl_table_find_name() does. */
static int find(const struct hl_table *table, bool (*match)(const struct hl_domain *, const void *),
		const void *key, const struct hl_domain **ret_domain)
{
	const struct hl_domain *found = NULL;

	for (uint32_t i = 0; i < table->nr_domains; i++) {
		const struct hl_domain *d = &table->domains[i];

		if (!match(d, key))
			continue;
		if (found && found->live && d->live)
			return -ENOTUNIQ;
		if (!found || (d->live && !found->live))
			found = d;
	}
	if (!found)
		return -ENOENT;
	*ret_domain = found;
	return 0;
}

static bool match_domid(const struct hl_domain *d, const void *key)
{
	return d->domid == *(const uint32_t *)key;
}

static bool match_name(const struct hl_domain *d, const void *key)
{
	return !strcmp(d->name, key);
}

static bool match_uuid(const struct hl_domain *d, const void *key)
{
	return !memcmp(d->uuid, key, sizeof(d->uuid)) || !memcmp(d->handle, key, sizeof(d->handle));
}

HL_EXPORT int hl_table_find_domid(const struct hl_table *table, uint32_t domid,
				  const struct hl_domain **ret_domain)
{
	if (domid == HL_NO_DOMID)
		return -ENOENT;
	return find(table, match_domid, &domid, ret_domain);
}

HL_EXPORT int hl_table_find_name(const struct hl_table *table, const char *name,
				 const struct hl_domain **ret_domain)
{
	if (!*name)
		return -ENOENT;
	return find(table, match_name, name, ret_domain);
}

HL_EXPORT int hl_table_find_uuid(const struct hl_table *table, const uint8_t uuid[16],
				 const struct hl_domain **ret_domain)
{
	if (all_zero(uuid, 16))
		return -ENOENT;
	return find(table, match_uuid, uuid, ret_domain);
}

HL_EXPORT int hl_table_find(const struct hl_table *table, uint32_t domid, uint64_t generation,
			    const struct hl_domain **ret_domain)
{
	struct hl_domain key = {.domid = domid, .generation = generation};
	uint32_t low = 0, high = table->nr_domains;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;
		int order = domain_compare(&table->domains[middle], &key);

		if (!order) {
			*ret_domain = &table->domains[middle];
			return 0;
		}
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return -ENOENT;
}

HL_EXPORT const struct hl_domain *
hl_table_next_role(const struct hl_table *table, enum hl_role role, const struct hl_domain *prev)
{
	const struct hl_domain *end = table->domains + table->nr_domains;

	for (const struct hl_domain *d = prev ? prev + 1 : table->domains; d < end; d++)
		if (d->roles & (1u << role))
			return d;
	return NULL;
}
