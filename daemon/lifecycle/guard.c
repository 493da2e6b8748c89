// SPDX-License-Identifier: LGPL-2.1-or-later
/* Looks at the roles of a domain. */
#include "lifecycle/guard.h"

#include "common/cleanup.h"

static bool has_role(const struct hl_domain *domain, enum hl_role role)
{
	return domain->roles & (1u << role);
}

const char *guard_against_end(const struct hl_table *table, const struct hl_domain *domain,
			      bool force)
{
	static const struct {
		enum hl_role role;
		const char *why;
	} serving[] = {
		{HL_ROLE_CONTROL, "it has control, and is not this domain: option Force ends it"},
		{HL_ROLE_XENSTORE, "it serves xenstore to all domains: option Force ends it"},
		{HL_ROLE_CONSOLE,
		 "it serves the consoles of initial domains: option Force ends it"},
	};

	if (domain->domid == hl_table_summary(table)->self_domid)
		return "it is the domain that hyperlaunchd runs in";
	if (has_role(domain, HL_ROLE_HARDWARE) || has_role(domain, HL_ROLE_LEGACY_DOM0))
		return "it is the hardware domain, which Xen lets nobody end";
	for (size_t i = 0; !force && i < ARRAY_SIZE(serving); i++)
		if (has_role(domain, serving[i].role))
			return serving[i].why;
	return NULL;
}
