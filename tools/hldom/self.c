// SPDX-License-Identifier: LGPL-2.1-or-later
/* Reads the launch, and the roles of the domain that this process runs in. */
#include "hldom.h"

#include <errno.h>
#include <string.h>

/* The roles of dom0 after a boot without an LCM. */
#define CLASSIC_ROLES                                                           \
	(1u << HL_ROLE_CONTROL | 1u << HL_ROLE_HARDWARE | 1u << HL_ROLE_CRASH | \
	 1u << HL_ROLE_CONSOLE | 1u << HL_ROLE_XENSTORE)

static uint32_t roles_of(const struct hl_launch_domain *domain)
{
	static const struct {
		uint32_t permission, function;
		enum hl_role role;
	} map[] = {
		{HL_PERM_CONTROL, 0, HL_ROLE_CONTROL},
		{HL_PERM_HARDWARE, 0, HL_ROLE_HARDWARE},
		{0, HL_FUNC_BOOT, HL_ROLE_BOOT},
		{0, HL_FUNC_CRASH, HL_ROLE_CRASH},
		{0, HL_FUNC_CONSOLE, HL_ROLE_CONSOLE},
		{0, HL_FUNC_XENSTORE, HL_ROLE_XENSTORE},
		{0, HL_FUNC_LEGACY_DOM0, HL_ROLE_LEGACY_DOM0},
	};
	uint32_t roles = 0;

	for (size_t i = 0; i < sizeof(map) / sizeof(map[0]); i++)
		if (domain->permissions & map[i].permission || domain->functions & map[i].function)
			roles |= 1u << map[i].role;
	return roles;
}

/* Whether a domain exists, according to its record. */
static bool is_there(const struct hl_launch_domain *domain)
{
	switch (domain->state) {
	case HL_DOMAIN_PLANNED:
	case HL_DOMAIN_FAILED:
	case HL_DOMAIN_RECLAIMED:
		return false;
	default:
		return domain->domid != HL_NO_DOMID;
	}
}

int self_next(struct self *self, uint32_t *index, struct hl_launch_domain *ret_domain,
	      bool *ret_found)
{
	*ret_found = false;
	while (*index < self->launch.nr_domains && !*ret_found) {
		int r = hl_get_domain(self->hl, (*index)++, ret_domain);

		if (r)
			return r;
		*ret_found = is_there(ret_domain);
	}
	return 0;
}

int first_control(struct self *self, uint32_t *ret_domid)
{
	struct hl_launch_domain domain;
	uint32_t index = 0;
	bool found;
	int r;

	*ret_domid = HL_NO_DOMID;
	while (!(r = self_next(self, &index, &domain, &found)) && found)
		if (domain.permissions & HL_PERM_CONTROL) {
			*ret_domid = domain.domid;
			return 0;
		}
	if (r)
		report_error("cannot find the control domain: %s", reason(r));
	return r;
}

static int find_roles(struct self *self)
{
	struct hl_launch_domain domain;
	uint32_t index = 0;
	bool found;
	int r;

	if (self->launch.state == HL_LAUNCH_NONE) {
		self->roles = self->launch.self_domid == 0 ? CLASSIC_ROLES : 0;
		return 0;
	}
	while (!(r = self_next(self, &index, &domain, &found)) && found)
		if (domain.domid == self->launch.self_domid)
			self->roles = roles_of(&domain);
	return r;
}

const char *reason(int r)
{
	switch (r) {
	case -ENODEV:
		return "no Xen: does /dev/xen/privcmd exist?";
	case -EACCES:
		return "hypercalls require root";
	case -EPERM:
		return "Xen answers only CONTROL, XENSTORE and BOOT domains";
	default:
		return strerror(-r);
	}
}

int self_open(struct self *self, const char *verb)
{
	int r = hl_new("xen", NULL, NULL, &self->hl);

	if (!r)
		r = hl_get_launch(self->hl, &self->launch);
	/* Without Hyperlaunch only dom0 can make hypercalls like this one. */
	if (r == -EOPNOTSUPP) {
		self->launch = (struct hl_launch){.state = HL_LAUNCH_NONE};
		r = 0;
	}
	if (!r)
		r = find_roles(self);
	if (r)
		report_error("%s: %s", verb, reason(r));
	return r;
}

void self_close(struct self *self)
{
	self->hl = hl_unref(self->hl);
}
