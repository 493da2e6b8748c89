/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What hldom's files share.  Functions that return enum exit_code have reported the
 * error on stderr unless it is EXIT_OK, or EXIT_FAILED as the answer to a question: the
 * domain does not have a role.
 */
#ifndef HLDOM_H
#define HLDOM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <hyperlaunch/hl.h>

#include "common/verbs.h"

/* self.c */

/* Returns the text for an errno of libhl. */
const char *reason(int r);

/* The launch, as reported by Xen, and the domain that this process runs in. */
struct self {
	struct hl_ctx *hl;
	struct hl_launch launch;
	uint32_t roles; /* of this domain, now: bits 1 << enum hl_role */
};

/*
 * Reads the launch.  A Xen without Hyperlaunch counts as one that booted without an LCM.
 * self_close() must be called on failure too.
 * @verb: for the error message
 *
 * Returns 0, -EPERM: this domain has no role that may read it; or another errno.  The
 * error has been reported.
 */
int self_open(struct self *self, const char *verb);
void self_close(struct self *self);

/*
 * Iterates over the initial domains that exist: *index starts at 0.
 * Returns 0, with *ret_found false after the last, or an errno.
 */
int self_next(struct self *self, uint32_t *index, struct hl_launch_domain *ret_domain,
	      bool *ret_found);

/*
 * Finds the first control domain; HL_NO_DOMID: the launch is static.
 * Returns 0, or an errno, which has been reported.
 */
int first_control(struct self *self, uint32_t *ret_domid);

struct xs_handle;

/*
 * toolstack.c: writes the nodes that stock libxl needs to create domains, unless they
 * exist.
 * @store: the domain where xenstored runs
 * @control: the domain where libxl runs
 *
 * Returns 0, or an errno, which has been reported.
 */
int toolstack_introduce(struct xs_handle *h, uint32_t store, uint32_t control);

/*
 * console.c: runs a program with the Xen console as its terminal: argv[1] and its arguments.
 * Returns its exit code.
 */
int run_on_console(int argc, char *argv[]);

/* The verbs: struct verb.run.  They return enum exit_code, or the exit code of a program. */
int verb_console(int argc, char *argv[]);
int verb_domid(int argc, char *argv[]);
int verb_introduce(int argc, char *argv[]);
int verb_print(int argc, char *argv[]);
int verb_ready(int argc, char *argv[]);
int verb_roles(int argc, char *argv[]);
int verb_xenstored(int argc, char *argv[]);

#endif /* HLDOM_H */
