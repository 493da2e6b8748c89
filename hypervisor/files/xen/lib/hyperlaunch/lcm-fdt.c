// SPDX-License-Identifier: (GPL-2.0-or-later OR BSD-2-Clause)
/*
 * The parser's cursors, and the check that a blob is a valid flattened device
 * tree.  No other file of the parser reads the blob.
 */
#include "lcm-fdt.h"

/* From the device-tree specification. */
#define FDT_OLDEST_VERSION 16
#define FDT_ALIGN          8

/* Alignment of what follows a tag. */
#define TAG_ALIGN(len) (((len) + 3u) & ~3u)

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
    err->limit = 0;
    err->fdt_err = 0;

    return -EINVAL;
}

int __init lcm_fail(const struct lcm_cursor *cur, enum lcm_err code,
                    const char *prop, uint64_t value)
{
    return lcm_fail_other(cur, code, prop, value, LCM_NONE);
}

int __init lcm_fail_limit(const struct lcm_cursor *cur, enum lcm_err code,
                          const char *prop, uint64_t value, uint64_t limit)
{
    lcm_fail(cur, code, prop, value);
    cur->err->limit = limit;

    return -EINVAL;
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
        return lcm_fail_limit(cur, LCM_ERR_LENGTH, prop, have, len);
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
        return lcm_fail_limit(cur, LCM_ERR_LENGTH, prop, len,
                              LCM_LENGTHS(4, 8));
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

bool __init lcm_is_names(const struct lcm_cursor *cur, const char *prop)
{
    int i, len;
    const uint8_t *value = raw(cur, prop, &len);

    if ( !value || len < 2 || value[len - 1] )
        return false;
    for ( i = 0; i < len; i++ )
        if ( value[i] ? !is_printable(value[i]) : !i || !value[i - 1] )
            return false;

    return true;
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

    /* Cells with printable bytes are a number, not text. */
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

/* Not recursive; stops at the first node that is too deep. */
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

/* The bytes of a node, from its tag to the tag that ends it. */
static unsigned int __init node_size(const void *blob, int node)
{
    int depth = 0, at, next = node;
    uint32_t tag;

    do {
        at = next;
        tag = fdt_next_tag(blob, at, &next);
        depth += tag == FDT_BEGIN_NODE;
        depth -= tag == FDT_END_NODE;
    } while ( depth > 0 && next > at );

    return next > node ? next - node : 0;
}

/* End of the blob's last part; the rest is padding. */
static unsigned int __init used_size(const void *blob)
{
    unsigned int end = fdt_off_dt_strings(blob) + fdt_size_dt_strings(blob);
    unsigned int reserved = fdt_off_mem_rsvmap(blob) +
                            (fdt_num_mem_rsv(blob) + 1) *
                            sizeof(struct fdt_reserve_entry);

    if ( fdt_version(blob) < 17 ) /* has no size of its structure */
        return fdt_totalsize(blob);
    if ( end < reserved )
        end = reserved;
    if ( end < fdt_off_dt_struct(blob) + fdt_size_dt_struct(blob) )
        end = fdt_off_dt_struct(blob) + fdt_size_dt_struct(blob);

    return end;
}

/* The root's properties that the LCM inherits. */
static const char *const __initconstrel cells_props[] = {
    "#address-cells", "#size-cells",
};

/* A property with its tag, and the size of both. */
static const void *__init tagged_prop(const void *blob, const char *name,
                                      unsigned int *ret_size)
{
    int len;
    const struct fdt_property *prop = fdt_get_property(blob, 0, name, &len);

    *ret_size = prop ? sizeof(*prop) + TAG_ALIGN((unsigned int)len) : 0;

    return prop;
}

int __init lcm_find_chosen(const void *fdt)
{
    int child = lcm_first_child(fdt, 0);

    while ( child != LCM_NONE && !lcm_is_named(fdt, child, "chosen") )
        child = lcm_next_child(fdt, child);

    return child;
}

/* The parts of a tree with the LCM alone, see lcm_extract(). */
struct extract {
    int chosen;                      /* LCM_NONE: there is none */
    unsigned int chosen_size, struct_size, total_size;
};

#define EXTRACT_STRUCT (sizeof(struct fdt_header) + \
                        sizeof(struct fdt_reserve_entry))

static struct extract __init plan_extract(const void *blob)
{
    struct extract plan = { .chosen = lcm_find_chosen(blob) };
    unsigned int i, size;

    /*
     * The root's tag and empty name, the two tags that end it and the whole.
     */
    plan.struct_size = 4 * sizeof(fdt32_t);
    for ( i = 0; i < ARRAY_SIZE(cells_props); i++ )
    {
        tagged_prop(blob, cells_props[i], &size);
        plan.struct_size += size;
    }
    if ( plan.chosen != LCM_NONE )
        plan.chosen_size = node_size(blob, plan.chosen);
    plan.struct_size += plan.chosen_size;
    plan.total_size = EXTRACT_STRUCT + plan.struct_size +
                      fdt_size_dt_strings(blob);

    return plan;
}

int __init lcm_fdt_check(const void *blob, size_t size, struct lcm_error *err)
{
    const struct lcm_cursor whole = {
        .fdt = blob, .node = LCM_NONE, .err = err,
    };
    unsigned int lcm_size;
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
    if ( fdt_totalsize(blob) > LCM_MAX_TREE )
        return lcm_fail_limit(&whole, LCM_ERR_SIZE, NULL, fdt_totalsize(blob),
                              LCM_MAX_TREE);
    rc = fdt_check_full(blob, size);
    if ( rc )
        return fail_fdt(blob, rc, err);
    /* libfdt accepts a tree without a root. */
    if ( !fdt_get_name(blob, 0, NULL) )
        return fail_fdt(blob, -FDT_ERR_BADSTRUCTURE, err);
    rc = check_depth(blob, err);
    if ( rc || used_size(blob) <= LCM_MAX_SIZE )
        return rc;
    lcm_size = plan_extract(blob).total_size;
    if ( lcm_size > LCM_MAX_SIZE )
        return lcm_fail_limit(&whole, LCM_ERR_SIZE, NULL, lcm_size,
                              LCM_MAX_SIZE);

    return 0;
}

static uint8_t *__init put_bytes(uint8_t *to, const void *from,
                                 unsigned int size)
{
    memcpy(to, from, size);

    return to + size;
}

static uint8_t *__init put_cell(uint8_t *to, uint32_t value)
{
    fdt32_t cell = cpu_to_fdt32(value);

    return put_bytes(to, &cell, sizeof(cell));
}

static void __init put_header(const void *blob, const struct extract *plan,
                              void *buf)
{
    memset(buf, 0, EXTRACT_STRUCT); /* no memory is reserved, too */
    fdt_set_magic(buf, FDT_MAGIC);
    fdt_set_version(buf, 17);
    fdt_set_last_comp_version(buf, FDT_OLDEST_VERSION);
    fdt_set_totalsize(buf, plan->total_size);
    fdt_set_off_mem_rsvmap(buf, sizeof(struct fdt_header));
    fdt_set_off_dt_struct(buf, EXTRACT_STRUCT);
    fdt_set_size_dt_struct(buf, plan->struct_size);
    fdt_set_off_dt_strings(buf, EXTRACT_STRUCT + plan->struct_size);
    fdt_set_size_dt_strings(buf, fdt_size_dt_strings(blob));
}

/* The strings are copied unchanged, so properties keep their offsets. */
static void __init put_extract(const void *blob, const struct extract *plan,
                               void *buf)
{
    const uint8_t *bytes = blob;
    uint8_t *to = (uint8_t *)buf + EXTRACT_STRUCT;
    const void *prop;
    unsigned int i, size;

    put_header(blob, plan, buf);
    to = put_cell(to, FDT_BEGIN_NODE);
    to = put_cell(to, 0);
    for ( i = 0; i < ARRAY_SIZE(cells_props); i++ )
    {
        prop = tagged_prop(blob, cells_props[i], &size);
        if ( prop )
            to = put_bytes(to, prop, size);
    }
    if ( plan->chosen_size )
        to = put_bytes(to, bytes + fdt_off_dt_struct(blob) + plan->chosen,
                       plan->chosen_size);
    to = put_cell(to, FDT_END_NODE);
    to = put_cell(to, FDT_END);
    put_bytes(to, bytes + fdt_off_dt_strings(blob), fdt_size_dt_strings(blob));
}

int __init lcm_extract(const void *blob, size_t size, void *buf,
                       size_t *ret_size, struct lcm_error *err)
{
    struct extract plan;
    int rc = lcm_fdt_check(blob, size, err);

    if ( rc )
        return rc;

    *ret_size = used_size(blob);
    if ( *ret_size <= LCM_MAX_SIZE )
    {
        memcpy(buf, blob, *ret_size);
        fdt_set_totalsize(buf, *ret_size);
        return 0;
    }

    plan = plan_extract(blob);
    put_extract(blob, &plan, buf);
    *ret_size = plan.total_size;

    return 0;
}

/*
 * fdt_get_path() fails unpredictably for an offset that is not a node's, so
 * check that first.
 */
static bool __init is_node(const void *fdt, int node)
{
    int at = 0, depth = 0;

    while ( at >= 0 && depth >= 0 && at < node )
        at = fdt_next_node(fdt, at, &depth);

    return at == node && depth >= 0;
}

/* "..." and as much of the node's own name as fits. */
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

    /* For consoles and logs: no control characters from the blob. */
    for ( ; *buf; buf++ )
        if ( !is_printable(*buf) )
            *buf = '?';
}
