/* SPDX-License-Identifier: (GPL-2.0-or-later OR BSD-2-Clause) */
/*
 * Functions of the parser that only its own files call.  Those that fail
 * return -EINVAL, with *cur->err filled.
 */
#ifndef LIB__HYPERLAUNCH__LCM_INTERNAL_H
#define LIB__HYPERLAUNCH__LCM_INTERNAL_H

#include "lcm-fdt.h"

/* Adds a warning; the last one is LCM_WARN_LOST if there are too many. */
void lcm_warn(struct lcm *lcm, enum lcm_warn code, int node, const char *prop,
              uint64_t value);

/*
 * Warns of each property that nodes of this kind do not have, and that
 * resembles one that they do.
 */
void lcm_warn_of_misspelt(struct lcm *lcm, int node, enum lcm_node_kind kind);

/* Returns 0..15, or LCM_NONE. */
int lcm_hex_digit(char c);

/* Reads a cell of at most max; *ret_has is set if it is there. */
int lcm_get_bounded(const struct lcm_cursor *cur, const char *prop,
                    uint32_t max, uint32_t *ret_value, bool *ret_has);

/* Returns 1 if `compatible` is a module's, of *ret_type; 0 if it is not. */
int lcm_get_module_type(const struct lcm_cursor *cur, int *ret_type);

/* Fails if a node that is no module has properties of modules. */
int lcm_refuse_untyped_module(const struct lcm_cursor *cur);

/*
 * Adds the node to lcm->modules and returns its index.  domain is an index in
 * lcm->domains, or LCM_NONE for a module of the config node; parent is the
 * node above, for its #address-cells and #size-cells.
 */
int lcm_parse_module(struct lcm *lcm, const struct lcm_cursor *cur,
                     const struct lcm_cursor *parent, int domain,
                     enum lcm_module_type type);

/* Sets *slot to index; fails with `twice` if it is set already. */
int lcm_take_slot(const struct lcm_cursor *cur, const struct lcm *lcm,
                  int *slot, int index, enum lcm_err twice);

/* Adds the node to lcm->pci.  domain is an index in lcm->domains. */
int lcm_parse_pci(struct lcm *lcm, const struct lcm_cursor *cur,
                  unsigned int domain);

/* The same for lcm->vcpus, lcm->disks and lcm->nics. */
int lcm_parse_vcpu(struct lcm *lcm, const struct lcm_cursor *cur,
                   unsigned int domain);
int lcm_parse_disk(struct lcm *lcm, const struct lcm_cursor *cur,
                   unsigned int domain);
int lcm_parse_nic(struct lcm *lcm, const struct lcm_cursor *cur,
                  unsigned int domain);

/*
 * Returns true if Xen 4.20 cannot build this domain on x86, with the reason in
 * *ret_node and *ret_prop, which may be NULL.
 */
bool lcm_is_unsupported(const struct lcm *lcm, const struct lcm_domain *dom,
                        int *ret_node, const char **ret_prop);

/* The rules across pci, vcpu, disk and nic nodes, in lcm-check-nodes.c. */
int lcm_check_nodes(struct lcm *lcm, const struct lcm_limits *limits,
                    struct lcm_error *err);

/*
 * lcm-query.c.  The first domain from `from` on that has the permission or the
 * function, or LCM_NONE.
 */
int lcm_find_role(const struct lcm *lcm, uint32_t permission,
                  uint32_t function, unsigned int from);

/* The first domain of that name, or LCM_NONE. */
int lcm_find_name(const struct lcm *lcm, const char *name);

#endif /* LIB__HYPERLAUNCH__LCM_INTERNAL_H */
