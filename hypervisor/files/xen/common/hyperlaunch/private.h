/* SPDX-License-Identifier: GPL-2.0-only */
/* What the files that build a launch share among themselves. */
#ifndef COMMON__HYPERLAUNCH__PRIVATE_H
#define COMMON__HYPERLAUNCH__PRIVATE_H

#include <xen/hyperlaunch-build.h>

#include <public/xen.h>

/* boot.c.  *ret_err: why the LCM could not be parsed, code LCM_OK if it could. */
struct lcm *hyperlaunch_lcm(size_t *ret_size, struct hl_build_error *ret_err);
const void *hyperlaunch_blob(void);
void hyperlaunch_report_error(const struct hl_build_error *err);

/* Whose fault: a node's path, "/" for the LCM as a whole. */
void hyperlaunch_error_path(const struct hl_build_error *err, char *buf,
                            size_t size);

/*
 * labels.c: what each domain's security-id means to the XSM policy, found out
 * before anything is built.  *err: the policy, or the domain whose label is none.
 */
int hyperlaunch_label(const struct lcm *lcm, struct hl_build_error *err);

/* link.c: rings between each built domain and its XENSTORE and CONSOLE domains. */
int hyperlaunch_link(const struct lcm *lcm, struct domain *const domains[],
                     struct hl_build_error *err);

/* store.c: the port of d's store, and a start that waits for who serves it. */
int hyperlaunch_store_port(struct domain *d, domid_t backend,
                           uint32_t *ret_port);

#endif /* COMMON__HYPERLAUNCH__PRIVATE_H */

/*
 * Local variables:
 * mode: C
 * c-file-style: "BSD"
 * c-basic-offset: 4
 * tab-width: 4
 * indent-tabs-mode: nil
 * End:
 */
