// SPDX-License-Identifier: LGPL-2.1-or-later
/* hldom roles, hldom domid: print the roles and the domid of this domain. */
#include "hldom.h"

#include <stdio.h>

#define ALL_ROLES (1u << HL_NR_ROLES)

static int ask_for(int argc, char *argv[], uint32_t *ret_asked)
{
	enum hl_role role;

	*ret_asked = 0;
	for (int i = 1; i < argc; i++) {
		if (hl_role_from_name(argv[i], &role)) {
			report_error("roles: no such role: %s", argv[i]);
			return EXIT_USAGE;
		}
		*ret_asked |= 1u << role;
	}
	return EXIT_OK;
}

static void print_roles(uint32_t roles)
{
	for (enum hl_role role = 0; 1u << role < ALL_ROLES; role++)
		if (roles & 1u << role)
			puts(hl_role_name(role));
}

/* A domain that may not read the launch has no role that it could know of: it answers no. */
int verb_roles(int argc, char *argv[])
{
	struct self self = {};
	uint32_t asked;
	int code = ask_for(argc, argv, &asked);
	int r;

	if (code)
		return code;
	r = self_open(&self, argv[0]);
	self_close(&self);
	if (r)
		return EXIT_FAILED;
	if (!asked)
		print_roles(self.roles);
	return asked & ~self.roles ? EXIT_FAILED : EXIT_OK;
}

int verb_domid(int argc, char *argv[])
{
	struct self self = {};
	int r;

	if (argc != 1)
		return usage_error();
	r = self_open(&self, argv[0]);
	self_close(&self);
	if (r)
		return EXIT_FAILED;
	printf("%u\n", self.launch.self_domid);
	return EXIT_OK;
}
