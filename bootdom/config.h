/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The boot domain's configuration, a text; bootdom(7) has its words.  Pure. */
#ifndef BOOTDOM_CONFIG_H
#define BOOTDOM_CONFIG_H

#include <stddef.h>
#include <stdint.h>

#include <xen/lib/hyperlaunch/lcm.h>

#define READY_TIMEOUT_MS 30000	/* of a configuration that says nothing */

struct config {
	uint32_t ready_timeout_ms[LCM_MAX_DOMAINS];	/* as lcm->domains; 0: no limit */
};

struct config_error {
	unsigned int line;	/* from 1 */
	const char *text;	/* a constant */
};

void config_default(struct config *ret_config);

/* 0, or -EINVAL with *err.  The text needs no NUL at its end. */
int config_parse(const char *text, size_t size, const struct lcm *lcm, struct config *ret_config,
		 struct config_error *err);

#endif /* BOOTDOM_CONFIG_H */
