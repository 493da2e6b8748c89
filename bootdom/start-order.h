/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Which domains the boot domain starts, and when.  Sets of domains are masks: bit i is
 * lcm->domains[i].  The LCM must have passed lcm_check().  Pure.
 */
#ifndef BOOTDOM_START_ORDER_H
#define BOOTDOM_START_ORDER_H

#include <stdint.h>

#include <xen/lib/hyperlaunch/lcm.h>

struct order {
	uint32_t needed; /* named in a start-after: must become ready */
	uint32_t wanted; /* these and those that wait for them: to be started */
};

enum order_fault {
	ORDER_FINE,
	ORDER_HELD,  /* needed, but only a control domain can release it */
	ORDER_CRASH, /* needed, but runs only after a failed launch */
	ORDER_BOOT,  /* the boot domain has start-after, but runs before all others */
};

/*
 * Plans the order.  The boot domain counts as ready if a start-after names it.
 * Returns ORDER_FINE and sets *ret_order, or a fault and sets *ret_domain to the index of
 * the domain that has it.
 */
enum order_fault order_plan(const struct lcm *lcm, struct order *ret_order,
			    unsigned int *ret_domain);

/* Returns the wanted domains that are not started yet and whose start-after is ready. */
uint32_t order_next(const struct lcm *lcm, const struct order *order, uint32_t started,
		    uint32_t ready);

/* Whether Xen runs a domain only after a failed launch. */
bool order_is_crash_only(const struct lcm_domain *domain);

/* Returns a description of a fault, to follow the name of the domain. */
const char *order_fault_text(enum order_fault fault);

#endif /* BOOTDOM_START_ORDER_H */
