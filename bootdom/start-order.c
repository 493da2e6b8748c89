// SPDX-License-Identifier: LGPL-2.1-or-later
/* Which domains the boot domain starts, and when. */
#include "start-order.h"

bool order_is_crash_only(const struct lcm_domain *domain)
{
	return domain->functions == LCM_FUNC_CRASH && !domain->permissions;
}

static uint32_t boot_mask(const struct lcm *lcm)
{
	const int boot = lcm_find_function(lcm, LCM_FUNC_BOOT);

	return boot == LCM_NONE ? 0 : UINT32_C(1) << boot;
}

/* Whether Xen does not start a domain when the boot domain has finished. */
static bool left_behind(const struct lcm_domain *domain)
{
	return domain->hold || order_is_crash_only(domain);
}

static enum order_fault fault_of(const struct lcm_domain *domain)
{
	if (order_is_crash_only(domain))
		return ORDER_CRASH;
	return domain->hold ? ORDER_HELD : ORDER_FINE;
}

enum order_fault order_plan(const struct lcm *lcm, struct order *ret_order,
			    unsigned int *ret_domain)
{
	const uint32_t boot = boot_mask(lcm);
	struct order order = {0};
	enum order_fault fault;

	for (unsigned int i = 0; i < lcm->nr_domains; i++) {
		const struct lcm_domain *domain = &lcm->domains[i];

		*ret_domain = i;
		if (domain->start_after_mask && boot & UINT32_C(1) << i)
			return ORDER_BOOT;
		order.needed |= domain->start_after_mask;
		if (domain->start_after_mask && !left_behind(domain))
			order.wanted |= UINT32_C(1) << i;
	}
	order.needed &= ~boot;
	order.wanted |= order.needed;
	for (unsigned int i = 0; i < lcm->nr_domains; i++) {
		*ret_domain = i;
		fault = order.needed & UINT32_C(1) << i ? fault_of(&lcm->domains[i]) : ORDER_FINE;
		if (fault)
			return fault;
	}
	*ret_order = order;
	return ORDER_FINE;
}

uint32_t order_next(const struct lcm *lcm, const struct order *order, uint32_t started,
		    uint32_t ready)
{
	const uint32_t done = ready | boot_mask(lcm);
	uint32_t next = 0;

	for (unsigned int i = 0; i < lcm->nr_domains; i++)
		if (order->wanted & ~started & UINT32_C(1) << i &&
		    !(lcm->domains[i].start_after_mask & ~done))
			next |= UINT32_C(1) << i;
	return next;
}

const char *order_fault_text(enum order_fault fault)
{
	switch (fault) {
	case ORDER_HELD:
		return "other domains start after it, but it is held until a control domain "
		       "releases it";
	case ORDER_CRASH:
		return "other domains start after it, but a crash domain runs only after a failed "
		       "launch";
	case ORDER_BOOT:
		return "it has start-after, but the boot domain runs before all others";
	case ORDER_FINE:
		break;
	}
	return "valid";
}
