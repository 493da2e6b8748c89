/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Which domains the boot domain starts, and when.  Sets of domains are masks: bit i is
 * lcm->domains[i], of an LCM that lcm_check() found good.  Pure.
 */
#ifndef BOOTDOM_ORDER_H
#define BOOTDOM_ORDER_H

#include <stdint.h>

#include <xen/lib/hyperlaunch/lcm.h>

struct order {
	uint32_t needed;	/* stand in some start-after: must become ready */
	uint32_t wanted;	/* those, and who waits for them: the boot domain starts them */
};

enum order_fault {
	ORDER_FINE,
	ORDER_HELD,		/* needed, but only a control domain may let it go */
	ORDER_CRASH,		/* needed, but it is only there for a failed launch */
	ORDER_BOOT,		/* the boot domain has start-after: it runs before all others */
};

/*
 * ORDER_FINE with the order, or what is wrong, and with which domain.  The boot domain in a
 * start-after is ready by itself.
 */
enum order_fault order_plan(const struct lcm *lcm, struct order *ret_order, unsigned int *ret_domain);

/* Those that are not started yet and wait for nobody who is not ready. */
uint32_t order_next(const struct lcm *lcm, const struct order *order, uint32_t started, uint32_t ready);

/* A domain that Xen never runs in a good launch. */
bool order_is_crash_only(const struct lcm_domain *domain);

/* A sentence's end for a fault: "is held: only a control domain lets it go". */
const char *order_fault_text(enum order_fault fault);

#endif /* BOOTDOM_ORDER_H */
