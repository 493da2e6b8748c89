/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Parses the boot domain's configuration, which bootdom(7) describes.  Pure. */
#ifndef BOOTDOM_CONFIG_H
#define BOOTDOM_CONFIG_H

#include <stddef.h>
#include <stdint.h>

#include <xen/lib/hyperlaunch/lcm.h>

#include "cpus.h"

#define READY_TIMEOUT_MS    30000 /* default */
#define CONFIG_MAX_SETTINGS 128
#define CONFIG_ALL_VCPUS    UINT32_MAX

/* Settings that are applied to a domain before it starts. */
enum config_kind {
	CONFIG_HARD_AFFINITY,
	CONFIG_SOFT_AFFINITY,
	CONFIG_WEIGHT,
	CONFIG_CAP,
	CONFIG_MEMORY_LIMIT,
};

struct config_setting {
	enum config_kind kind;
	unsigned int line;   /* from 1 */
	unsigned int domain; /* index in lcm->domains */
	uint32_t vcpu;	     /* affinities: a vCPU, or CONFIG_ALL_VCPUS */
	uint64_t number;     /* others: weight, cap in % of one CPU, or KiB */
	struct cpus cpus;    /* affinities */
};

struct config {
	uint32_t ready_timeout_ms[LCM_MAX_DOMAINS]; /* by index in lcm->domains; 0: no limit */
	unsigned int nr_settings;
	struct config_setting settings[CONFIG_MAX_SETTINGS]; /* in the order of lines */
};

struct config_error {
	unsigned int line; /* from 1 */
	const char *text;  /* a constant */
};

/* Makes the configuration of a boot domain that has none. */
void config_default(struct config *ret_config);

/* Parses size bytes of text.  Returns 0, or -EINVAL and sets *err. */
int config_parse(const char *text, size_t size, const struct lcm *lcm, struct config *ret_config,
		 struct config_error *err);

/* Returns the keyword of a setting. */
const char *config_kind_word(enum config_kind kind);

#endif /* BOOTDOM_CONFIG_H */
