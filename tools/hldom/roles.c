// SPDX-License-Identifier: LGPL-2.1-or-later
#include "hldom.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define ALL_ROLES (1u << HL_NR_ROLES)

static enum exit_code ask_for(int argc, char *argv[], uint32_t *ret_asked)
{
	enum hl_role role;

	*ret_asked = 0;
	for (int i = 1; i < argc; i++) {
		if (hl_role_from_name(argv[i], &role)) {
			say("roles: no such role: %s", argv[i]);
			return EXIT_USAGE;
		}
		*ret_asked |= 1u << role;
	}
	return EXIT_YES;
}

static void print_roles(uint32_t roles)
{
	for (enum hl_role role = 0; 1u << role < ALL_ROLES; role++)
		if (roles & 1u << role)
			puts(hl_role_name(role));
}

/* Who may read nothing has no role that reads: of the others it can't be told. */
enum exit_code verb_roles(int argc, char *argv[])
{
	struct self self = {};
	uint32_t asked;
	enum exit_code code = ask_for(argc, argv, &asked);
	int rc;

	if (code)
		return code;
	rc = self_open(&self);
	self_close(&self);
	if (rc == -EPERM && asked & (1u << HL_ROLE_CONTROL | 1u << HL_ROLE_XENSTORE))
		return EXIT_NO;
	if (rc == -EOPNOTSUPP) {
		/* A Xen without Hyperlaunch: whoever gets here asks in dom0. */
		say("roles: this Xen has no Hyperlaunch, and one dom0");
		return EXIT_YES;
	}
	if (rc) {
		say("roles: %s", rc == -EPERM ? "neither control nor xenstore, and so not told" : strerror(-rc));
		return EXIT_NO;
	}
	if (!asked)
		print_roles(self.roles);
	return asked & ~self.roles ? EXIT_NO : EXIT_YES;
}
