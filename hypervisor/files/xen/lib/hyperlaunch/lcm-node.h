/* SPDX-License-Identifier: (GPL-2.0-or-later OR BSD-2-Clause) */
/*
 * The parts of lcm_parse() that read one child of a domain or config node.
 * Like all of it they give -EINVAL with *cur->err filled when they fail.
 */
#ifndef LIB__HYPERLAUNCH__LCM_NODE_H
#define LIB__HYPERLAUNCH__LCM_NODE_H

#include "lcm-fdt.h"

/* 1: `compatible` says that it is a module, of *ret_type; 0: it is none. */
int lcm_get_module_type(const struct lcm_cursor *cur, int *ret_type);

/* 0, or an error where a node that is no module has what only modules have. */
int lcm_refuse_untyped_module(const struct lcm_cursor *cur);

/*
 * Adds the node to lcm->modules and gives its index.  domain is an index in
 * lcm->domains, or LCM_NONE for a module of the config node; parent is at the
 * node above, whose #address-cells and #size-cells count.
 */
int lcm_parse_module(struct lcm *lcm, const struct lcm_cursor *cur,
                     const struct lcm_cursor *parent, int domain,
                     enum lcm_module_type type);

/* *slot = index; where it was not LCM_NONE before, the error `twice`. */
int lcm_take_slot(const struct lcm_cursor *cur, const struct lcm *lcm,
                  int *slot, int index, enum lcm_err twice);

/* Adds the node to lcm->pci.  domain is an index in lcm->domains. */
int lcm_parse_pci(struct lcm *lcm, const struct lcm_cursor *cur,
                  unsigned int domain);

#endif /* LIB__HYPERLAUNCH__LCM_NODE_H */
