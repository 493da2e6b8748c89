/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * hldom's parts.  Functions that return an enum exit_code have said on stderr what is
 * wrong where it is not EXIT_YES, but for a plain "no".
 */
#ifndef HLDOM_H
#define HLDOM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <hl.h>

#include "verbs.h"

enum exit_code {
	EXIT_YES = 0,
	EXIT_NO = 1,		/* a role that we have not, or it did not work */
};

/* Of an -errno of libhl's, for people. */
const char *reason(int rc);

/* self.c: what Xen says of the launch, and of the domain that this runs in. */
struct self {
	struct hl_ctx *hl;
	struct hl_launch launch;
	uint32_t roles;		/* bit enum hl_role; those of the moment */
};

/*
 * -errno, said already; -EPERM: our role lets us read nothing.  A Xen without
 * Hyperlaunch has a classic launch.  What was opened is for self_close(), also then.
 */
int self_open(struct self *self, const char *verb);
void self_close(struct self *self);

/* The next one that exists, from *index on, which moves past it.  -errno; *ret_found false: there is none. */
int self_next(struct self *self, uint32_t *index, struct hl_launch_domain *ret_domain, bool *ret_found);

/* The first control domain; HL_NO_DOMID: a static launch.  -errno, said already. */
int first_control(struct self *self, uint32_t *ret_domid);

struct xs_handle;

/*
 * toolstack.c: the nodes that stock libxl in the domain `control` needs to make domains,
 * where `store` serves their xenstore.  Those that are there stay.  -errno, said already.
 */
int toolstack_introduce(struct xs_handle *h, uint32_t store, uint32_t control);

/* The verbs; argv[0] is the verb.  They give an enum exit_code, or a program's own. */
int verb_console(int argc, char *argv[]);
int verb_domid(int argc, char *argv[]);
int verb_introduce(int argc, char *argv[]);
int verb_print(int argc, char *argv[]);
int verb_ready(int argc, char *argv[]);
int verb_roles(int argc, char *argv[]);
int verb_xenstored(int argc, char *argv[]);

#endif /* HLDOM_H */
