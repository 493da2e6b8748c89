/* SPDX-License-Identifier: (GPL-2.0-or-later OR BSD-2-Clause) */
/*
 * Cursors: the only way in which the parser reads the blob.
 *
 * A cursor is one node and the place to report errors to.  Each getter
 * checks length, termination and byte order, and returns
 *   1        the property is there and valid; *ret_... is set
 *   0        there is no such property; *ret_... is untouched
 *   -EINVAL  it is there and invalid; *cur->err is filled
 * Property names are compared whole.  Names given to a cursor must be string
 * constants, as struct lcm_error keeps them.
 */
#ifndef LIB__HYPERLAUNCH__LCM_FDT_H
#define LIB__HYPERLAUNCH__LCM_FDT_H

#include "env.h"

struct lcm_cursor {
    const void *fdt;
    int node;
    struct lcm_error *err;
};

/* Fills *cur->err for this node.  Returns -EINVAL. */
int lcm_fail(const struct lcm_cursor *cur, enum lcm_err code,
             const char *prop, uint64_t value);

/* The same with the limit of the value. */
int lcm_fail_limit(const struct lcm_cursor *cur, enum lcm_err code,
                   const char *prop, uint64_t value, uint64_t limit);

/* The limit of LCM_ERR_LENGTH if two lengths are valid. */
#define LCM_LENGTHS(a, b) ((a) | (uint64_t)(b) << 32)

/* The same for two nodes that clash. */
int lcm_fail_other(const struct lcm_cursor *cur, enum lcm_err code,
                   const char *prop, uint64_t value, int other_node);

/* Children, in blob order; LCM_NONE after the last. */
int lcm_first_child(const void *fdt, int node);
int lcm_next_child(const void *fdt, int node);

/* The root's child with the LCM, or LCM_NONE. */
int lcm_find_chosen(const void *fdt);

/* The node's name with its unit address, never NULL. */
const char *lcm_node_name(const void *fdt, int node, int *ret_len);

/* Length of a name up to its unit address. */
int lcm_base_len(const char *name, int len);

/* True if the node's name, without its unit address, is this. */
bool lcm_is_named(const void *fdt, int node, const char *base);

/* Length in bytes of a property, or LCM_NONE if there is none. */
int lcm_prop_len(const struct lcm_cursor *cur, const char *prop);
bool lcm_has(const struct lcm_cursor *cur, const char *prop);

/* True if it has one of these properties; *ret_prop is the first. */
bool lcm_has_any(const struct lcm_cursor *cur, const char *const *props,
                 unsigned int nr, const char **ret_prop);

/* One cell. */
int lcm_get_u32(const struct lcm_cursor *cur, const char *prop,
                uint32_t *ret_value);

/* One number, of one cell or two. */
int lcm_get_number(const struct lcm_cursor *cur, const char *prop,
                   uint64_t *ret_value);

/* An address of addr_cells and a size of size_cells, each 0..2, nothing more. */
int lcm_get_range(const struct lcm_cursor *cur, const char *prop,
                  unsigned int addr_cells, unsigned int size_cells,
                  uint64_t *ret_addr, uint64_t *ret_size);

/* Exactly len bytes. */
int lcm_get_bytes(const struct lcm_cursor *cur, const char *prop, int len,
                  const uint8_t **ret_bytes);

/* A property without a value. */
int lcm_get_flag(const struct lcm_cursor *cur, const char *prop,
                 bool *ret_set);

/* Exactly one string; it may be empty. */
int lcm_get_text(const struct lcm_cursor *cur, const char *prop,
                 const char **ret_text);

/* Exactly one string of at least one character, all printable. */
int lcm_get_string(const struct lcm_cursor *cur, const char *prop,
                   const char **ret_string);

/* One string or more, each terminated; walk them with lcm_next_string(). */
int lcm_get_strings(const struct lcm_cursor *cur, const char *prop,
                    const char **ret_list, int *ret_len);

/* The string at *pos of lcm_get_strings()'s list, or NULL at its end. */
const char *lcm_next_string(const char *list, int len, int *pos);

/* True if the value is one or more strings, none of them empty. */
bool lcm_is_names(const struct lcm_cursor *cur, const char *prop);

/*
 * True if the value is text rather than cells: one terminated printable
 * string, and if its length is valid for cells too, digits up to its last
 * character.
 */
bool lcm_is_size_text(const struct lcm_cursor *cur, const char *prop);

/* True if `compatible` has this entry; false if the property is invalid. */
bool lcm_is_compatible(const void *fdt, int node, const char *entry);

#endif /* LIB__HYPERLAUNCH__LCM_FDT_H */
