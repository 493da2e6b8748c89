// SPDX-License-Identifier: (GPL-2.0-or-later OR BSD-2-Clause)
/* Module nodes: type and location of a module. */
#include "lcm-internal.h"

/* Type in one entry of `compatible`; NULL if the entry is not a module's. */
static const char *__init type_text(const char *entry)
{
    static const char __initconst module[] = "module,";
    static const char __initconst multiboot[] = "multiboot,";

    if ( !strncmp(entry, module, sizeof(module) - 1) )
        return entry + sizeof(module) - 1;
    if ( !strncmp(entry, multiboot, sizeof(multiboot) - 1) )
        return entry + sizeof(multiboot) - 1;

    return NULL;
}

/* Entries of modules that do not have the type. */
static bool __init is_marker(const char *type)
{
    return !strcmp(type, "module") || !strcmp(type, "index") ||
           !strcmp(type, "addr");
}

static int __init type_by_name(const char *name)
{
    int type;

    for ( type = 0; type < LCM_NR_MODULE_TYPES; type++ )
        if ( !strcmp(name, lcm_module_type_name(type)) )
            return type;

    return LCM_NONE;
}

/* Returns 1 for a module of *ret_type, 0 if it is no module. */
int __init lcm_get_module_type(const struct lcm_cursor *cur, int *ret_type)
{
    const char *list, *entry, *text;
    int type, len, pos = 0, found = LCM_NONE;
    bool claims = false;
    int rc = lcm_get_strings(cur, "compatible", &list, &len);

    if ( rc <= 0 )
        return rc;
    while ( (entry = lcm_next_string(list, len, &pos)) != NULL )
    {
        text = type_text(entry);
        if ( !text )
            continue;
        claims = true;
        if ( is_marker(text) )
            continue;
        type = type_by_name(text);
        if ( type == LCM_NONE )
            continue;
        if ( found != LCM_NONE && found != type )
            return lcm_fail(cur, LCM_ERR_MODULE_TYPE, "compatible", 0);
        found = type;
    }
    if ( found == LCM_NONE )
        return claims ? lcm_fail(cur, LCM_ERR_MODULE_TYPE, "compatible", 0) : 0;
    *ret_type = found;

    return 1;
}

/* mb-index and module-index are synonyms. */
static int __init parse_index(const struct lcm_cursor *cur,
                              struct lcm_module *mod)
{
    uint32_t mb, index;
    int has_mb, has_index;
    const char *prop;

    has_mb = lcm_get_u32(cur, "mb-index", &mb);
    if ( has_mb < 0 )
        return has_mb;
    has_index = lcm_get_u32(cur, "module-index", &index);
    if ( has_index < 0 )
        return has_index;
    if ( !has_mb && !has_index )
        return 0;
    if ( has_mb && has_index && mb != index )
        return lcm_fail(cur, LCM_ERR_TWO_LOCATORS, "module-index", index);

    prop = has_mb ? "mb-index" : "module-index";
    mod->index = has_mb ? mb : index;
    if ( !mod->index )
        return lcm_fail(cur, LCM_ERR_INDEX_ZERO, prop, 0);
    mod->locator = LCM_LOCATE_INDEX;

    return 1;
}

/*
 * Width in cells of one part of a module's address, from the nearest node
 * above.
 */
static int __init get_cells(const struct lcm *lcm,
                            const struct lcm_cursor *parent, const char *prop,
                            uint32_t dflt, uint32_t *ret_cells)
{
    const int above[] = { parent->node, lcm->root, lcm->chosen, 0 };
    struct lcm_cursor cur = *parent;
    unsigned int i;
    int rc = 0;

    *ret_cells = dflt;
    for ( i = 0; i < ARRAY_SIZE(above) && !rc; i++ )
    {
        cur.node = above[i];
        rc = lcm_get_u32(&cur, prop, ret_cells);
    }
    if ( rc > 0 && *ret_cells > 2 )
        return lcm_fail_limit(&cur, LCM_ERR_RANGE, prop, *ret_cells, 2);

    return rc < 0 ? rc : 0;
}

static int __init parse_range(const struct lcm *lcm,
                              const struct lcm_cursor *cur,
                              const struct lcm_cursor *parent,
                              const char *prop, uint64_t *addr, uint64_t *size)
{
    uint32_t addr_cells, size_cells;

    if ( !lcm_has(cur, prop) )
        return 0;
    if ( get_cells(lcm, parent, "#address-cells", 2, &addr_cells) ||
         get_cells(lcm, parent, "#size-cells", 1, &size_cells) )
        return -EINVAL;
    if ( lcm_get_range(cur, prop, addr_cells, size_cells, addr, size) < 0 )
        return -EINVAL;
    if ( !*size )
        return lcm_fail(cur, LCM_ERR_ADDR_EMPTY, prop, *addr);
    if ( *addr + (*size - 1) < *addr )
        return lcm_fail(cur, LCM_ERR_ADDR_WRAP, prop, *addr);

    return 1;
}

/* module-addr and reg are synonyms, too. */
static int __init parse_addr(const struct lcm *lcm,
                             const struct lcm_cursor *cur,
                             const struct lcm_cursor *parent,
                             struct lcm_module *mod)
{
    uint64_t addr = 0, size = 0;
    int has_addr, has_reg;

    has_addr = parse_range(lcm, cur, parent, "module-addr", &mod->addr,
                           &mod->size);
    if ( has_addr < 0 )
        return has_addr;
    has_reg = parse_range(lcm, cur, parent, "reg", &addr, &size);
    if ( has_reg < 0 )
        return has_reg;
    if ( !has_addr && !has_reg )
        return 0;
    if ( has_addr && has_reg && (addr != mod->addr || size != mod->size) )
        return lcm_fail(cur, LCM_ERR_TWO_LOCATORS, "reg", addr);
    if ( has_reg )
    {
        mod->addr = addr;
        mod->size = size;
    }
    mod->locator = LCM_LOCATE_ADDR;

    return 1;
}

/* True if some node has a module's address, which only Arm has. */
static bool __init has_addresses(const struct lcm *lcm)
{
    struct lcm_cursor cur = { .fdt = lcm->fdt, .node = lcm->root };
    int depth = 0;

    while ( cur.node >= 0 && depth >= 0 )
    {
        if ( depth && lcm_has(&cur, "module-addr") )
            return true;
        cur.node = fdt_next_node(cur.fdt, cur.node, &depth);
    }

    return false;
}

/* The locator that the module lacks. */
static const char *__init missing_locator(const struct lcm *lcm)
{
    if ( lcm->form == LCM_FORM_DOM0LESS )
        return "reg";

    return has_addresses(lcm) ? "module-addr" : "mb-index";
}

static int __init parse_locator(const struct lcm *lcm,
                                const struct lcm_cursor *cur,
                                const struct lcm_cursor *parent,
                                struct lcm_module *mod)
{
    int has_index, has_addr;

    has_index = parse_index(cur, mod);
    if ( has_index < 0 )
        return has_index;
    if ( has_index && lcm_has(cur, "module-addr") )
        return lcm_fail(cur, LCM_ERR_TWO_LOCATORS, "module-addr", 0);
    if ( has_index && lcm_has(cur, "reg") )
        return lcm_fail(cur, LCM_ERR_TWO_LOCATORS, "reg", 0);
    has_addr = parse_addr(lcm, cur, parent, mod);
    if ( has_addr < 0 )
        return has_addr;
    if ( has_index || has_addr )
        return 0;
    if ( !mod->file )
        return lcm_fail(cur, LCM_ERR_NO_LOCATOR, missing_locator(lcm), 0);
    mod->locator = LCM_LOCATE_FILE;

    return 0;
}

int __init lcm_refuse_untyped_module(const struct lcm_cursor *cur)
{
    static const char *const __initconstrel props[] = {
        "mb-index", "module-index", "module-addr", "file",
    };
    const char *prop;

    if ( lcm_has_any(cur, props, ARRAY_SIZE(props), &prop) )
        return lcm_fail(cur, LCM_ERR_COMPATIBLE, "compatible", 0);

    return 0;
}

int __init lcm_parse_module(struct lcm *lcm, const struct lcm_cursor *cur,
                               const struct lcm_cursor *parent, int domain,
                               enum lcm_module_type type)
{
    struct lcm_module *mod;
    int rc;

    if ( lcm->nr_modules == LCM_MAX_MODULES )
        return lcm_fail(cur, LCM_ERR_TOO_MANY_MODULES, NULL, LCM_MAX_MODULES);
    mod = &lcm->modules[lcm->nr_modules];
    memset(mod, 0, sizeof(*mod));
    mod->node = cur->node;
    mod->domain = domain;
    mod->type = type;
    lcm_warn_of_misspelt(lcm, cur->node, LCM_NODE_MODULE);

    rc = lcm_get_string(cur, "file", &mod->file);
    if ( rc < 0 )
        return rc;
    rc = lcm_get_text(cur, "bootargs", &mod->bootargs);
    if ( rc < 0 )
        return rc;
    rc = lcm_get_bytes(cur, "digest-sha256", 32, &mod->digest);
    if ( rc < 0 )
        return rc;
    rc = parse_locator(lcm, cur, parent, mod);
    if ( rc < 0 )
        return rc;

    return lcm->nr_modules++;
}

/* Sets the slot, which must be free. */
int __init lcm_take_slot(const struct lcm_cursor *cur, const struct lcm *lcm,
                            int *slot, int index, enum lcm_err twice)
{
    if ( *slot != LCM_NONE )
        return lcm_fail_other(cur, twice, "compatible", 0,
                              lcm->modules[*slot].node);
    *slot = index;

    return 0;
}
