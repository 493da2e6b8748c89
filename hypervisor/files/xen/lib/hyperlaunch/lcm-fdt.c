// SPDX-License-Identifier: (GPL-2.0-or-later OR BSD-2-Clause)
/*
 * The cursors of the LCM parser, and the check that a blob is a sound
 * flattened device tree.  No other file of the parser touches the blob's bytes.
 */
#include "lcm-fdt.h"

/* Of the format itself, see the device-tree specification. */
#define FDT_OLDEST_VERSION 16
#define FDT_ALIGN          8

static bool __init is_printable(char c)
{
    return c >= ' ' && c <= '~';
}

static bool __init is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* One big-endian cell at any alignment. */
static uint32_t __init read_cell(const uint8_t *p)
{
    return ((uint32_t)p[0] << 24) | ((uint32_t)p[1] << 16) |
           ((uint32_t)p[2] << 8) | p[3];
}

/* 0, 1 or 2 cells. */
static uint64_t __init read_cells(const uint8_t *p, unsigned int cells)
{
    uint64_t value = 0;

    for ( ; cells; cells--, p += 4 )
        value = (value << 32) | read_cell(p);

    return value;
}

int __init lcm_fail_other(const struct lcm_cursor *cur, enum lcm_err code,
                          const char *prop, uint64_t value, int other_node)
{
    struct lcm_error *err = cur->err;

    err->code = code;
    err->node = cur->node;
    err->other_node = other_node;
    err->prop = prop;
    err->value = value;
    err->fdt_err = 0;

    return -EINVAL;
}

int __init lcm_fail(const struct lcm_cursor *cur, enum lcm_err code,
                    const char *prop, uint64_t value)
{
    return lcm_fail_other(cur, code, prop, value, LCM_NONE);
}

static int __init fail_fdt(const void *blob, int fdt_err, struct lcm_error *err)
{
    const struct lcm_cursor cur = { .fdt = blob, .node = LCM_NONE, .err = err };

    lcm_fail(&cur, LCM_ERR_FDT, NULL, 0);
    err->fdt_err = fdt_err;

    return -EINVAL;
}

int __init lcm_first_child(const void *fdt, int node)
{
    int child = fdt_first_subnode(fdt, node);

    return child >= 0 ? child : LCM_NONE;
}

int __init lcm_next_child(const void *fdt, int node)
{
    int next = fdt_next_subnode(fdt, node);

    return next >= 0 ? next : LCM_NONE;
}

const char *__init lcm_node_name(const void *fdt, int node, int *ret_len)
{
    int len;
    const char *name = fdt_get_name(fdt, node, &len);

    if ( !name || len < 0 )
    {
        name = "";
        len = 0;
    }
    *ret_len = len;

    return name;
}

int __init lcm_base_len(const char *name, int len)
{
    const char *at = memchr(name, '@', len);

    return at ? at - name : len;
}

bool __init lcm_is_named(const void *fdt, int node, const char *base)
{
    int len;
    const char *name = lcm_node_name(fdt, node, &len);

    len = lcm_base_len(name, len);

    return strlen(base) == (size_t)len && !memcmp(name, base, len);
}

int __init lcm_prop_len(const struct lcm_cursor *cur, const char *prop)
{
    int len;

    return fdt_getprop(cur->fdt, cur->node, prop, &len) ? len : LCM_NONE;
}

bool __init lcm_has(const struct lcm_cursor *cur, const char *prop)
{
    return lcm_prop_len(cur, prop) != LCM_NONE;
}

bool __init lcm_has_any(const struct lcm_cursor *cur,
                        const char *const *props, unsigned int nr,
                        const char **ret_prop)
{
    unsigned int i;

    for ( i = 0; i < nr; i++ )
        if ( lcm_has(cur, props[i]) )
        {
            *ret_prop = props[i];
            return true;
        }

    return false;
}

/* The value, or NULL without the property. */
static const uint8_t *__init raw(const struct lcm_cursor *cur, const char *prop,
                                 int *ret_len)
{
    return fdt_getprop(cur->fdt, cur->node, prop, ret_len);
}

int __init lcm_get_bytes(const struct lcm_cursor *cur, const char *prop,
                         int len, const uint8_t **ret_bytes)
{
    int have;
    const uint8_t *value = raw(cur, prop, &have);

    if ( !value )
        return 0;
    if ( have != len )
        return lcm_fail(cur, LCM_ERR_LENGTH, prop, have);
    *ret_bytes = value;

    return 1;
}

int __init lcm_get_u32(const struct lcm_cursor *cur, const char *prop,
                       uint32_t *ret_value)
{
    const uint8_t *value;
    int rc = lcm_get_bytes(cur, prop, 4, &value);

    if ( rc > 0 )
        *ret_value = read_cell(value);

    return rc;
}

int __init lcm_get_number(const struct lcm_cursor *cur, const char *prop,
                          uint64_t *ret_value)
{
    int len;
    const uint8_t *value = raw(cur, prop, &len);

    if ( !value )
        return 0;
    if ( len != 4 && len != 8 )
        return lcm_fail(cur, LCM_ERR_LENGTH, prop, len);
    *ret_value = read_cells(value, len / 4);

    return 1;
}

int __init lcm_get_range(const struct lcm_cursor *cur, const char *prop,
                         unsigned int addr_cells, unsigned int size_cells,
                         uint64_t *ret_addr, uint64_t *ret_size)
{
    const uint8_t *value;
    int rc = lcm_get_bytes(cur, prop, (addr_cells + size_cells) * 4, &value);

    if ( rc > 0 )
    {
        *ret_addr = read_cells(value, addr_cells);
        *ret_size = read_cells(value + addr_cells * 4, size_cells);
    }

    return rc;
}

int __init lcm_get_flag(const struct lcm_cursor *cur, const char *prop,
                        bool *ret_set)
{
    const uint8_t *value;
    int rc = lcm_get_bytes(cur, prop, 0, &value);

    if ( rc >= 0 )
        *ret_set = rc;

    return rc;
}

int __init lcm_get_strings(const struct lcm_cursor *cur, const char *prop,
                           const char **ret_list, int *ret_len)
{
    int len;
    const uint8_t *value = raw(cur, prop, &len);

    if ( !value )
        return 0;
    if ( !len || value[len - 1] )
        return lcm_fail(cur, LCM_ERR_STRING, prop, len);
    *ret_list = (const char *)value;
    *ret_len = len;

    return 1;
}

const char *__init lcm_next_string(const char *list, int len, int *pos)
{
    const char *string = list + *pos;

    if ( *pos >= len )
        return NULL;
    *pos += strnlen(string, len - *pos) + 1;

    return string;
}

int __init lcm_get_text(const struct lcm_cursor *cur, const char *prop,
                        const char **ret_text)
{
    const char *text;
    int len, rc = lcm_get_strings(cur, prop, &text, &len);

    if ( rc <= 0 )
        return rc;
    if ( strnlen(text, len) != (size_t)len - 1 )
        return lcm_fail(cur, LCM_ERR_STRING, prop, len);
    *ret_text = text;

    return 1;
}

int __init lcm_get_string(const struct lcm_cursor *cur, const char *prop,
                          const char **ret_string)
{
    const char *text, *p;
    int rc = lcm_get_text(cur, prop, &text);

    if ( rc <= 0 )
        return rc;
    for ( p = text; is_printable(*p); p++ )
        continue;
    if ( p == text || *p )
        return lcm_fail(cur, LCM_ERR_STRING, prop, p - text);
    *ret_string = text;

    return 1;
}

bool __init lcm_is_size_text(const struct lcm_cursor *cur, const char *prop)
{
    int i, digits = 0, len;
    const uint8_t *value = raw(cur, prop, &len);

    if ( !value || len < 2 || value[len - 1] )
        return false;
    for ( i = 0; i < len - 1; i++ )
    {
        if ( !is_printable(value[i]) )
            return false;
        if ( digits == i && is_digit(value[i]) )
            digits++;
    }

    /* Cells whose bytes happen to be printable are a number all the same. */
    return (len != 4 && len != 8) || digits >= len - 2;
}

bool __init lcm_is_compatible(const void *fdt, int node, const char *entry)
{
    struct lcm_error ignored;
    const struct lcm_cursor cur = { .fdt = fdt, .node = node, .err = &ignored };
    const char *list, *have;
    int len, pos = 0;

    if ( lcm_get_strings(&cur, "compatible", &list, &len) <= 0 )
        return false;
    while ( (have = lcm_next_string(list, len, &pos)) != NULL )
        if ( !strcmp(have, entry) )
            return true;

    return false;
}

/* No recursion, and done at the first node that is too deep. */
static int __init check_depth(const void *blob, struct lcm_error *err)
{
    struct lcm_cursor cur = { .fdt = blob, .err = err };
    int depth = 0;

    for ( cur.node = 0; cur.node >= 0 && depth >= 0;
          cur.node = fdt_next_node(blob, cur.node, &depth) )
        if ( depth > LCM_MAX_DEPTH )
            return lcm_fail(&cur, LCM_ERR_DEPTH, NULL, depth);

    return 0;
}

int __init lcm_fdt_check(const void *blob, size_t size, struct lcm_error *err)
{
    const struct lcm_cursor whole = {
        .fdt = blob, .node = LCM_NONE, .err = err,
    };
    int rc;

    if ( (uintptr_t)blob % FDT_ALIGN )
        return fail_fdt(blob, -FDT_ERR_ALIGNMENT, err);
    if ( size < sizeof(struct fdt_header) )
        return fail_fdt(blob, -FDT_ERR_TRUNCATED, err);
    rc = fdt_check_header(blob);
    if ( rc )
        return fail_fdt(blob, rc, err);
    if ( fdt_version(blob) < FDT_OLDEST_VERSION )
        return fail_fdt(blob, -FDT_ERR_BADVERSION, err);
    if ( fdt_totalsize(blob) > LCM_MAX_SIZE )
        return lcm_fail(&whole, LCM_ERR_SIZE, NULL, fdt_totalsize(blob));
    rc = fdt_check_full(blob, size);
    if ( rc )
        return fail_fdt(blob, rc, err);
    /* A tree without a root passes that. */
    if ( !fdt_get_name(blob, 0, NULL) )
        return fail_fdt(blob, -FDT_ERR_BADSTRUCTURE, err);

    return check_depth(blob, err);
}

/*
 * fdt_get_path() goes astray where the offset is not that of a node, so this is
 * asked first.
 */
static bool __init is_node(const void *fdt, int node)
{
    int at = 0, depth = 0;

    while ( at >= 0 && depth >= 0 && at < node )
        at = fdt_next_node(fdt, at, &depth);

    return at == node && depth >= 0;
}

/* "..." and as much of the node's own name as there is room for. */
static void __init short_path(const void *fdt, int node, char *buf, size_t size)
{
    static const char __initconst lead[] = ".../";
    const size_t lead_len = sizeof(lead) - 1;
    int len;
    const char *name = lcm_node_name(fdt, node, &len);

    if ( !len || size <= lead_len + 1 )
        return;
    if ( (size_t)len > size - lead_len - 1 )
        len = size - lead_len - 1;
    memcpy(buf, lead, lead_len);
    memcpy(buf + lead_len, name, len);
    buf[lead_len + len] = '\0';
}

void __init lcm_path(const void *fdt, int node, char *buf, size_t size)
{
    int rc;

    if ( !size )
        return;
    rc = is_node(fdt, node) ? fdt_get_path(fdt, node, buf, size)
                            : -FDT_ERR_BADOFFSET;
    if ( rc )
    {
        buf[0] = size > 1 ? '?' : '\0';
        buf[size > 1] = '\0';
    }
    if ( rc == -FDT_ERR_NOSPACE )
        short_path(fdt, node, buf, size);

    /* It goes to consoles and logs: no control characters from the blob. */
    for ( ; *buf; buf++ )
        if ( !is_printable(*buf) )
            *buf = '?';
}
