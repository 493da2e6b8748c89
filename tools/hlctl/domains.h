/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Domains: all from one call, or one. */
#ifndef HLCTL_DOMAINS_H
#define HLCTL_DOMAINS_H

#include <hyperlaunch/hl.h>

#include "json.h"

struct domain_module {
	const char *type, *sha256;
	uint32_t index;
	uint64_t size;
};

struct domain_drift {
	const char *field, *lcm, *actual;
};

struct domain_roles {
	uint32_t nr;
	const char **names;
};

struct domain_modules {
	uint32_t nr;
	struct domain_module *list;
};

struct domain_drifts {
	uint32_t nr;
	struct domain_drift *list;
};

/* Strings are "", and never NULL, where the daemon says nothing. */
struct domain {
	const char *path;
	uint32_t domid; /* UINT32_MAX: none */
	uint64_t generation;
	bool adopted;
	uint32_t requested_domid; /* UINT32_MAX: post-boot */
	const char *name, *uuid, *handle, *origin, *state, *reason, *label, *lcm_node;
	const char *xenstore_state, *xenstore_error;
	uint32_t permissions, functions, mode;
	uint32_t vcpus_max, vcpus_online;
	uint64_t cpu_time_ns;
	uint32_t weight, cap; /* 0: not known, and none */
	const char *hard_affinity, *soft_affinity;
	uint64_t memory_planned, memory_max, memory_current; /* bytes */
	struct domain_roles roles;
	struct domain_modules modules;
	struct domain_drifts drift;
};

struct domains {
	sd_bus_message *reply; /* holds the strings */
	char *path;	       /* of the one, where only that was asked for */
	uint32_t nr;
	struct domain *list; /* by domid; those without one last */
};

enum exit_code domains_get(sd_bus *bus, struct domains *ret_domains);
/* With what a list shows: path, domid, UUID, name, state, origin, roles, vCPUs and memory_max. */
enum exit_code domains_list(sd_bus *bus, struct domains *ret_domains);
/* The one that the user calls so; reports what is wrong. */
enum exit_code domains_get_one(sd_bus *bus, const char *text, struct domains *ret_domains);
/* Likewise, and it exists: another one may have the domid of one that does not. */
enum exit_code domains_get_present(sd_bus *bus, const char *text, struct domains *ret_domains,
				   const struct domain **ret_domain);
/* What that adds to domains_get_one(). */
enum exit_code domain_check_present(const struct domain *domain, const char *text);
void domains_free(struct domains *domains);

/* Reclaimed, or never there: its domid may be another's. */
bool domain_is_gone(const struct domain *domain);
bool domain_has_role(const struct domain *domain, const char *role);
/* For people: "-" where it has none. */
const char *domain_uuid_shown(const struct domain *domain);
/* What the LCM gave it, or else what it may have at most. */
uint64_t domain_memory_kib(const struct domain *domain);
struct json_object *domain_json(const struct domain *domain);

/* "a, b", or "-"; the caller frees it. */
char *join(const char *const *names, uint32_t nr);
/* Names of bits likewise. */
char *join_bits(uint32_t bits, const char *(*next)(uint32_t *, char *, size_t));

#endif /* HLCTL_DOMAINS_H */
