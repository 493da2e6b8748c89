// SPDX-License-Identifier: (GPL-2.0-or-later OR BSD-2-Clause)
/*
 * Reads each node of an LCM into struct lcm, and applies the rules that need
 * nothing but the node itself.  Rules across nodes are in lcm-check.c.
 */
#include "lcm-fdt.h"

/* No machine has more: 52 bits of physical address, in KiB. */
#define MEMORY_KIB_MAX ((uint64_t)1 << 42)

static const char __initconst compat_hypervisor[] = "hypervisor,xen";
static const char __initconst compat_config[] = "xen,config";
static const char __initconst compat_domain[] = "xen,domain";
static const char __initconst compat_pci[] = "xen,pci-passthrough";

static void __init warn(struct lcm *lcm, enum lcm_warn code, int node,
                        const char *prop, uint64_t value)
{
    struct lcm_warning *warning;

    if ( lcm->nr_warnings == LCM_MAX_WARNINGS )
    {
        /* The last one says that there were more. */
        warning = &lcm->warnings[LCM_MAX_WARNINGS - 1];
        code = LCM_WARN_LOST;
        node = LCM_NONE;
        prop = NULL;
        value = 0;
    }
    else
        warning = &lcm->warnings[lcm->nr_warnings++];

    warning->code = code;
    warning->node = node;
    warning->prop = prop;
    warning->value = value;
}

/* --- modules ------------------------------------------------------------- */

/* TYPE of one entry of `compatible`, NULL for an entry that isn't a module's. */
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

/* Entries that say "a module" or how it is located, but not what it is. */
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

/* 1: a module of *ret_type; 0: no module. */
static int __init get_module_type(const struct lcm_cursor *cur, int *ret_type)
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

/* mb-index and module-index are two names of one thing. */
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

/* The width of one part of a module's address, in cells. */
static int __init get_cells(const struct lcm_cursor *parent, const char *prop,
                            uint32_t dflt, uint32_t *ret_cells)
{
    int rc;

    *ret_cells = dflt;
    rc = lcm_get_u32(parent, prop, ret_cells);
    if ( rc > 0 && *ret_cells > 2 )
        return lcm_fail(parent, LCM_ERR_RANGE, prop, *ret_cells);

    return rc;
}

static int __init parse_range(const struct lcm_cursor *cur,
                              const struct lcm_cursor *parent,
                              const char *prop, uint64_t *addr, uint64_t *size)
{
    uint32_t addr_cells, size_cells;
    int len = lcm_prop_len(cur, prop);
    int has_addr, has_size;

    if ( len == LCM_NONE )
        return 0;
    has_addr = get_cells(parent, "#address-cells", 2, &addr_cells);
    if ( has_addr < 0 )
        return has_addr;
    has_size = get_cells(parent, "#size-cells", 1, &size_cells);
    if ( has_size < 0 )
        return has_size;
    if ( !has_addr && !has_size )
    {
        addr_cells = len > 8 ? 2 : 1;
        size_cells = len > 12 ? 2 : 1;
    }
    if ( lcm_get_range(cur, prop, addr_cells, size_cells, addr, size) < 0 )
        return -EINVAL;
    if ( !*size )
        return lcm_fail(cur, LCM_ERR_ADDR_EMPTY, prop, *addr);
    if ( *addr + (*size - 1) < *addr )
        return lcm_fail(cur, LCM_ERR_ADDR_WRAP, prop, *addr);

    return 1;
}

/* module-addr and reg are two names of one thing, too. */
static int __init parse_addr(const struct lcm_cursor *cur,
                             const struct lcm_cursor *parent,
                             struct lcm_module *mod)
{
    uint64_t addr = 0, size = 0;
    int has_addr, has_reg;

    has_addr = parse_range(cur, parent, "module-addr", &mod->addr, &mod->size);
    if ( has_addr < 0 )
        return has_addr;
    has_reg = parse_range(cur, parent, "reg", &addr, &size);
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

static int __init parse_locator(const struct lcm_cursor *cur,
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
    has_addr = parse_addr(cur, parent, mod);
    if ( has_addr < 0 )
        return has_addr;
    if ( has_index || has_addr )
        return 0;
    if ( !mod->file )
        return lcm_fail(cur, LCM_ERR_NO_LOCATOR, "mb-index", 0);
    mod->locator = LCM_LOCATE_FILE;

    return 0;
}

/* What a module node without a type, or a domain node without its, has. */
static bool __init has_any(const struct lcm_cursor *cur,
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

static int __init refuse_untyped_module(const struct lcm_cursor *cur)
{
    static const char *const __initconstrel props[] = {
        "mb-index", "module-index", "module-addr", "file",
    };
    const char *prop;

    if ( has_any(cur, props, ARRAY_SIZE(props), &prop) )
        return lcm_fail(cur, LCM_ERR_COMPATIBLE, "compatible", 0);

    return 0;
}

/* The next free entry of lcm->modules, filled; domain LCM_NONE: the config node's. */
static int __init parse_module(struct lcm *lcm, const struct lcm_cursor *cur,
                               const struct lcm_cursor *parent, int domain,
                               enum lcm_module_type type)
{
    struct lcm_module *mod;
    int rc;

    if ( lcm->nr_modules == LCM_MAX_MODULES )
        return lcm_fail(cur, LCM_ERR_TOO_MANY_MODULES, NULL, LCM_MAX_MODULES);
    mod = &lcm->modules[lcm->nr_modules];
    mod->node = cur->node;
    mod->domain = domain;
    mod->type = type;

    rc = lcm_get_string(cur, "file", &mod->file);
    if ( rc < 0 )
        return rc;
    rc = lcm_get_text(cur, "bootargs", &mod->bootargs);
    if ( rc < 0 )
        return rc;
    rc = lcm_get_bytes(cur, "digest-sha256", 32, &mod->digest);
    if ( rc < 0 )
        return rc;
    rc = parse_locator(cur, parent, mod);
    if ( rc < 0 )
        return rc;

    return lcm->nr_modules++;
}

/* Puts the module in its slot, which must be free. */
static int __init take_slot(const struct lcm_cursor *cur, const struct lcm *lcm,
                            int *slot, int index, enum lcm_err twice)
{
    if ( *slot != LCM_NONE )
        return lcm_fail_other(cur, twice, "compatible", 0,
                              lcm->modules[*slot].node);
    *slot = index;

    return 0;
}

/* --- config -------------------------------------------------------------- */

static int __init parse_config_module(struct lcm *lcm,
                                      const struct lcm_cursor *cur,
                                      const struct lcm_cursor *parent)
{
    int type, index, rc = get_module_type(cur, &type);
    int *slot;

    if ( rc < 0 )
        return rc;
    if ( !rc )
        return refuse_untyped_module(cur);
    if ( type != LCM_MODULE_MICROCODE && type != LCM_MODULE_XSM_POLICY )
        return lcm_fail(cur, LCM_ERR_MODULE_PLACE, "compatible", 0);

    index = parse_module(lcm, cur, parent, LCM_NONE, type);
    if ( index < 0 )
        return index;
    slot = type == LCM_MODULE_MICROCODE ? &lcm->microcode : &lcm->xsm_policy;

    return take_slot(cur, lcm, slot, index, LCM_ERR_TWO_OF_TYPE);
}

static int __init parse_config(struct lcm *lcm, const struct lcm_cursor *config)
{
    struct lcm_cursor cur = *config;
    int rc;

    for ( cur.node = lcm_first_child(cur.fdt, config->node);
          cur.node != LCM_NONE; cur.node = lcm_next_child(cur.fdt, cur.node) )
    {
        rc = parse_config_module(lcm, &cur, config);
        if ( rc )
            return rc;
    }

    return 0;
}

/* --- pci ----------------------------------------------------------------- */

static int __init hex_digit(char c)
{
    if ( c >= '0' && c <= '9' )
        return c - '0';
    if ( c >= 'a' && c <= 'f' )
        return c - 'a' + 10;
    if ( c >= 'A' && c <= 'F' )
        return c - 'A' + 10;

    return LCM_NONE;
}

/* Exactly SSSS:BB:DD.F in hexadecimal. */
static bool __init read_sbdf(const char *text, uint32_t *ret_sbdf)
{
    static const char __initconst form[] = "hhhh:hh:hh.";
    const unsigned int last = sizeof(form) - 1;
    uint32_t value = 0, dev;
    unsigned int i;
    int digit;

    for ( i = 0; i < last; i++ )
    {
        digit = hex_digit(text[i]);
        if ( form[i] == 'h' ? digit < 0 : text[i] != form[i] )
            return false;
        if ( form[i] == 'h' )
            value = (value << 4) | digit;
    }
    digit = hex_digit(text[last]);
    dev = value & 0xff;
    if ( digit < 0 || digit > 7 || text[last + 1] || dev > 0x1f )
        return false;
    *ret_sbdf = (value & ~0xffu) | (dev << 3) | digit;

    return true;
}

static int __init get_sbdf(const struct lcm_cursor *cur, const char *prop,
                           uint32_t *ret_sbdf)
{
    const char *text;
    int rc = lcm_get_string(cur, prop, &text);

    if ( rc > 0 && !read_sbdf(text, ret_sbdf) )
        return lcm_fail(cur, LCM_ERR_PCI_BDF, prop, 0);

    return rc;
}

/* A cell of at most max. */
static int __init get_bounded(const struct lcm_cursor *cur, const char *prop,
                              uint32_t max, uint32_t *ret_value, bool *ret_has)
{
    int rc = lcm_get_u32(cur, prop, ret_value);

    if ( rc < 0 )
        return rc;
    if ( rc && *ret_value > max )
        return lcm_fail(cur, LCM_ERR_RANGE, prop, *ret_value);
    *ret_has = rc;

    return 0;
}

/* 1: some of class, vendor, device and count is there. */
static int __init parse_pci_match(const struct lcm_cursor *cur,
                                  struct lcm_pci *pci)
{
    bool has_count;

    if ( get_bounded(cur, "class", 0xffffff, &pci->class, &pci->has_class) ||
         get_bounded(cur, "vendor", 0xffff, &pci->vendor, &pci->has_vendor) ||
         get_bounded(cur, "device", 0xffff, &pci->device, &pci->has_device) ||
         get_bounded(cur, "count", 0xffffffff, &pci->count, &has_count) )
        return -EINVAL;
    if ( !pci->has_class && !pci->has_vendor && !pci->has_device )
        return has_count ? lcm_fail(cur, LCM_ERR_PCI_FORM, "count", 0) : 0;

    return 1;
}

/* 1: pf and vf are there. */
static int __init parse_pci_vf(const struct lcm_cursor *cur,
                               struct lcm_pci *pci)
{
    bool has_vf;
    int has_pf = get_sbdf(cur, "pf", &pci->sbdf);

    if ( has_pf < 0 )
        return has_pf;
    if ( get_bounded(cur, "vf", 0xffff, &pci->vf, &has_vf) )
        return -EINVAL;
    if ( has_vf != has_pf )
        return lcm_fail(cur, LCM_ERR_PCI_FORM, has_pf ? "vf" : "pf", 0);

    return has_pf;
}

static int __init parse_pci_form(const struct lcm_cursor *cur,
                                 struct lcm_pci *pci)
{
    int has_bdf, has_match, has_vf;

    has_bdf = get_sbdf(cur, "bdf", &pci->sbdf);
    if ( has_bdf < 0 )
        return has_bdf;
    has_match = parse_pci_match(cur, pci);
    if ( has_match < 0 )
        return has_match;
    has_vf = parse_pci_vf(cur, pci);
    if ( has_vf < 0 )
        return has_vf;
    if ( has_bdf + has_match + has_vf != 1 )
        return lcm_fail(cur, LCM_ERR_PCI_FORM, NULL,
                        has_bdf + has_match + has_vf);
    pci->form = has_bdf ? LCM_PCI_BDF : has_match ? LCM_PCI_MATCH : LCM_PCI_VF;

    return 0;
}

static int __init parse_pci(struct lcm *lcm, const struct lcm_cursor *cur,
                            unsigned int domain)
{
    struct lcm_pci *pci;
    int rc;

    if ( lcm->nr_pci == LCM_MAX_PCI )
        return lcm_fail(cur, LCM_ERR_TOO_MANY_PCI, NULL, LCM_MAX_PCI);
    pci = &lcm->pci[lcm->nr_pci];
    pci->node = cur->node;
    pci->domain = domain;

    rc = parse_pci_form(cur, pci);
    if ( rc )
        return rc;
    if ( get_bounded(cur, "slot", 31, &pci->slot, &pci->has_slot) ||
         lcm_get_flag(cur, "optional", &pci->optional) < 0 ||
         lcm_get_flag(cur, "permissive", &pci->permissive) < 0 )
        return -EINVAL;
    lcm->nr_pci++;
    lcm->domains[domain].hold = true;

    return 0;
}

/* --- domains ------------------------------------------------------------- */

/* Dialects that were proposed and never merged: to guess would be unsafe. */
static int __init refuse_old_roles(const struct lcm_cursor *cur)
{
    static const char *const __initconstrel props[] = { "role", "capability" };
    const char *prop;

    if ( has_any(cur, props, ARRAY_SIZE(props), &prop) )
        return lcm_fail(cur, LCM_ERR_UNSUPPORTED_PROP, prop, 0);

    return 0;
}

/* A cell of which only known bits count; others are warned of. */
static int __init get_mask(struct lcm *lcm, const struct lcm_cursor *cur,
                           const char *prop, uint32_t known,
                           enum lcm_warn unknown, uint32_t *ret_mask)
{
    uint32_t value;
    int rc = lcm_get_u32(cur, prop, &value);

    if ( rc <= 0 )
        return rc;
    if ( value & ~known )
        warn(lcm, unknown, cur->node, prop, value & ~known);
    *ret_mask = value & known;

    return 1;
}

static int __init parse_capabilities(const struct lcm_cursor *cur,
                                     struct lcm_domain *dom,
                                     bool has_permissions, bool has_functions)
{
    bool legacy = dom->functions & LCM_FUNC_LEGACY_DOM0;
    uint32_t said, meant;
    int rc = lcm_get_u32(cur, "capabilities", &dom->capabilities);

    if ( rc <= 0 )
        return rc;
    dom->has_capabilities = true;
    if ( dom->capabilities &
         ~(LCM_CAP_CONTROL | LCM_CAP_HARDWARE | LCM_CAP_XENSTORE) )
        return lcm_fail(cur, LCM_ERR_CAPABILITIES, "capabilities",
                        dom->capabilities);

    said = legacy ? LCM_PERM_ALL : dom->permissions;
    meant = dom->capabilities & (LCM_CAP_CONTROL | LCM_CAP_HARDWARE);
    if ( (has_permissions || legacy) && said != meant )
        return lcm_fail(cur, LCM_ERR_ROLES_DISAGREE, "capabilities",
                        dom->capabilities);
    dom->permissions |= meant;

    said = legacy || (dom->functions & LCM_FUNC_XENSTORE);
    meant = !!(dom->capabilities & LCM_CAP_XENSTORE);
    if ( has_functions && said != meant )
        return lcm_fail(cur, LCM_ERR_ROLES_DISAGREE, "capabilities",
                        dom->capabilities);
    if ( meant )
        dom->functions |= LCM_FUNC_XENSTORE;

    return 1;
}

static int __init parse_roles(struct lcm *lcm, const struct lcm_cursor *cur,
                              struct lcm_domain *dom)
{
    int has_permissions, has_functions, rc;

    has_permissions = get_mask(lcm, cur, "permissions", LCM_PERM_ALL,
                               LCM_WARN_PERMISSIONS, &dom->permissions);
    if ( has_permissions < 0 )
        return has_permissions;
    has_functions = get_mask(lcm, cur, "functions", LCM_FUNC_ALL,
                             LCM_WARN_FUNCTIONS, &dom->functions);
    if ( has_functions < 0 )
        return has_functions;
    rc = parse_capabilities(cur, dom, has_permissions, has_functions);

    return rc < 0 ? rc : 0;
}

static int __init parse_mode(struct lcm *lcm, const struct lcm_cursor *cur,
                             struct lcm_domain *dom)
{
    const uint32_t clash = LCM_MODE_PV | LCM_MODE_DEVICE_MODEL;
    int rc = get_mask(lcm, cur, "mode", clash | LCM_MODE_LONG,
                      LCM_WARN_MODE_BITS, &dom->mode);

    if ( rc < 0 )
        return rc;
    dom->has_mode = rc;
    if ( !rc )
    {
        dom->mode = LCM_MODE_LONG;
        warn(lcm, LCM_WARN_MODE_DEFAULT, cur->node, "mode", dom->mode);
    }
    if ( (dom->mode & clash) == clash )
        return lcm_fail(cur, LCM_ERR_MODE_PV_DM, "mode", dom->mode);

    return 0;
}

/* How far KiB are to be shifted for this suffix of a size. */
static int __init suffix_shift(char suffix)
{
    switch ( suffix )
    {
    case 'K': case 'k': return 0;
    case 'M': case 'm': return 10;
    case 'G': case 'g': return 20;
    case 'T': case 't': return 30;
    default: return LCM_NONE;
    }
}

/* Digits and one suffix.  What is too large to hold is MEMORY_KIB_MAX + 1. */
static bool __init read_size(const char *text, uint64_t *ret_kib)
{
    const char *p;
    uint64_t value = 0;
    int shift;

    for ( p = text; *p >= '0' && *p <= '9'; p++ )
        if ( value <= MEMORY_KIB_MAX )
            value = value * 10 + (*p - '0');
    shift = suffix_shift(*p);
    if ( p == text || shift < 0 || p[1] )
        return false;
    *ret_kib = value > (MEMORY_KIB_MAX >> shift) ? MEMORY_KIB_MAX + 1
                                                 : value << shift;

    return true;
}

static int __init parse_memory(const struct lcm_cursor *cur,
                               struct lcm_domain *dom)
{
    const char *text;
    int rc;

    if ( lcm_is_size_text(cur, "memory") )
    {
        rc = lcm_get_string(cur, "memory", &text);
        if ( rc > 0 && !read_size(text, &dom->memory_kib) )
            return lcm_fail(cur, LCM_ERR_MEMORY_TEXT, "memory", 0);
    }
    else
        rc = lcm_get_number(cur, "memory", &dom->memory_kib);

    if ( rc < 0 )
        return rc;
    if ( !rc )
        return lcm_fail(cur, LCM_ERR_MISSING, "memory", 0);
    if ( !dom->memory_kib )
        return lcm_fail(cur, LCM_ERR_MEMORY_ZERO, "memory", 0);
    if ( dom->memory_kib > MEMORY_KIB_MAX )
        return lcm_fail(cur, LCM_ERR_RANGE, "memory", dom->memory_kib);

    return 0;
}

static int __init parse_cpus(const struct lcm_cursor *cur,
                             struct lcm_domain *dom)
{
    int rc;

    dom->cpus = 1;
    rc = lcm_get_u32(cur, "cpus", &dom->cpus);
    if ( rc < 0 )
        return rc;
    if ( !dom->cpus )
        return lcm_fail(cur, LCM_ERR_CPUS_ZERO, "cpus", 0);

    return 0;
}

static int __init parse_uuid(struct lcm *lcm, const struct lcm_cursor *cur,
                             struct lcm_domain *dom)
{
    const uint8_t *uuid;
    int len = lcm_prop_len(cur, "domain-uuid");

    if ( len == LCM_NONE )
        return 0;
    if ( len != 8 && len != 16 )
        return lcm_fail(cur, LCM_ERR_UUID_LENGTH, "domain-uuid", len);
    if ( lcm_get_bytes(cur, "domain-uuid", len, &uuid) < 0 )
        return -EINVAL;
    /* A short one comes first, and the rest stays zero. */
    memcpy(dom->uuid, uuid, len);
    dom->has_uuid = true;
    if ( len == 8 )
        warn(lcm, LCM_WARN_UUID_SHORT, cur->node, "domain-uuid", len);

    return 0;
}

static int __init parse_order(const struct lcm_cursor *cur,
                              struct lcm_domain *dom)
{
    const char *name;
    int pos = 0, rc;

    rc = lcm_get_strings(cur, "start-after", &dom->start_after,
                         &dom->start_after_len);
    if ( rc < 0 )
        return rc;
    while ( rc && (name = lcm_next_string(dom->start_after,
                                          dom->start_after_len, &pos)) )
        if ( !*name )
            return lcm_fail(cur, LCM_ERR_STRING, "start-after", pos);

    return lcm_get_flag(cur, "hold", &dom->hold) < 0 ? -EINVAL : 0;
}

static int __init take_domain_module(struct lcm *lcm,
                                     const struct lcm_cursor *cur,
                                     struct lcm_domain *dom, int index)
{
    switch ( lcm->modules[index].type )
    {
    case LCM_MODULE_KERNEL:
        return take_slot(cur, lcm, &dom->kernel, index, LCM_ERR_TWO_KERNELS);
    case LCM_MODULE_RAMDISK:
        return take_slot(cur, lcm, &dom->ramdisk, index, LCM_ERR_TWO_RAMDISKS);
    case LCM_MODULE_DEVICE_TREE:
        return take_slot(cur, lcm, &dom->device_tree, index,
                         LCM_ERR_TWO_OF_TYPE);
    case LCM_MODULE_CONFIG:
        return take_slot(cur, lcm, &dom->config, index, LCM_ERR_TWO_OF_TYPE);
    default:
        return lcm_fail(cur, LCM_ERR_MODULE_PLACE, "compatible", 0);
    }
}

static int __init parse_domain_child(struct lcm *lcm,
                                     const struct lcm_cursor *cur,
                                     const struct lcm_cursor *parent,
                                     unsigned int domain)
{
    int type, index, rc;

    if ( lcm_is_compatible(cur->fdt, cur->node, compat_pci) )
        return parse_pci(lcm, cur, domain);
    rc = get_module_type(cur, &type);
    if ( rc < 0 )
        return rc;
    if ( !rc && lcm_is_named(cur->fdt, cur->node, "pci") )
        return lcm_fail(cur, LCM_ERR_COMPATIBLE, "compatible", 0);
    if ( !rc )
        return refuse_untyped_module(cur);

    index = parse_module(lcm, cur, parent, domain, type);
    if ( index < 0 )
        return index;

    return take_domain_module(lcm, cur, &lcm->domains[domain], index);
}

static int __init parse_domain_children(struct lcm *lcm,
                                        const struct lcm_cursor *domain_cur,
                                        unsigned int domain)
{
    struct lcm_cursor cur = *domain_cur;
    int rc;

    for ( cur.node = lcm_first_child(cur.fdt, domain_cur->node);
          cur.node != LCM_NONE; cur.node = lcm_next_child(cur.fdt, cur.node) )
    {
        rc = parse_domain_child(lcm, &cur, domain_cur, domain);
        if ( rc )
            return rc;
    }
    if ( lcm->domains[domain].kernel == LCM_NONE )
        return lcm_fail(domain_cur, LCM_ERR_NO_KERNEL, NULL, 0);

    return 0;
}

static int __init parse_domain_props(struct lcm *lcm,
                                     const struct lcm_cursor *cur,
                                     struct lcm_domain *dom)
{
    int rc = refuse_old_roles(cur);

    if ( !rc && lcm_get_u32(cur, "domid", &dom->requested_domid) < 0 )
        rc = -EINVAL;
    if ( !rc )
        rc = parse_roles(lcm, cur, dom);
    if ( !rc )
        rc = parse_mode(lcm, cur, dom);
    if ( !rc )
        rc = parse_memory(cur, dom);
    if ( !rc )
        rc = parse_cpus(cur, dom);
    if ( !rc )
        rc = parse_uuid(lcm, cur, dom);
    if ( !rc && lcm_get_string(cur, "security-id", &dom->security_id) < 0 )
        rc = -EINVAL;

    return rc ?: parse_order(cur, dom);
}

static int __init parse_domain(struct lcm *lcm, const struct lcm_cursor *cur)
{
    struct lcm_domain *dom;
    int rc;

    if ( lcm->nr_domains == LCM_MAX_DOMAINS )
        return lcm_fail(cur, LCM_ERR_TOO_MANY_DOMAINS, NULL, LCM_MAX_DOMAINS);
    dom = &lcm->domains[lcm->nr_domains];
    dom->node = cur->node;
    dom->kernel = dom->ramdisk = dom->device_tree = dom->config = LCM_NONE;

    rc = parse_domain_props(lcm, cur, dom);
    if ( rc )
        return rc;

    return parse_domain_children(lcm, cur, lcm->nr_domains++);
}

/* --- names --------------------------------------------------------------- */

/* The characters that the device-tree specification gives to names. */
static bool __init is_name_char(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
           (c >= 'A' && c <= 'Z') || (c && strchr(",._+-@", c));
}

/* Does another domain's node have this name, unit addresses aside? */
static bool __init is_base_shared(const struct lcm *lcm, unsigned int domain,
                                  const char *base, int len)
{
    const char *other;
    int other_len;
    unsigned int i;

    for ( i = 0; i < lcm->nr_domains; i++ )
    {
        if ( i == domain )
            continue;
        other = lcm_node_name(lcm->fdt, lcm->domains[i].node, &other_len);
        if ( lcm_base_len(other, other_len) == len && !memcmp(base, other, len) )
            return true;
    }

    return false;
}

static int __init name_domain(struct lcm *lcm, unsigned int domain,
                              struct lcm_error *err)
{
    struct lcm_domain *dom = &lcm->domains[domain];
    const struct lcm_cursor cur = {
        .fdt = lcm->fdt, .node = dom->node, .err = err,
    };
    int i, len, base_len;
    const char *name = lcm_node_name(lcm->fdt, dom->node, &len);

    base_len = lcm_base_len(name, len);
    if ( !is_base_shared(lcm, domain, name, base_len) )
        len = base_len;
    if ( !base_len || len >= LCM_NAME_SIZE )
        return lcm_fail(&cur, LCM_ERR_NAME, NULL, len);
    for ( i = 0; i < len; i++ )
        if ( !is_name_char(name[i]) )
            return lcm_fail(&cur, LCM_ERR_NAME, NULL, i);
    memcpy(dom->name, name, len);
    dom->name[len] = '\0';

    return 0;
}

static int __init name_domains(struct lcm *lcm, struct lcm_error *err)
{
    unsigned int i;
    int rc;

    for ( i = 0; i < lcm->nr_domains; i++ )
    {
        rc = name_domain(lcm, i, err);
        if ( rc )
            return rc;
    }

    return 0;
}

/* --- the whole ----------------------------------------------------------- */

/* The child of that name, unit address aside, at or after a given child. */
static int __init find_named(const void *fdt, int child, const char *base)
{
    while ( child != LCM_NONE && !lcm_is_named(fdt, child, base) )
        child = lcm_next_child(fdt, child);

    return child;
}

static int __init find_compatible_child(const void *fdt, int node,
                                        const char *entry)
{
    int child = lcm_first_child(fdt, node);

    while ( child != LCM_NONE && !lcm_is_compatible(fdt, child, entry) )
        child = lcm_next_child(fdt, child);

    return child;
}

/* Where the launch is described, of a blob that lcm_fdt_check() found sound. */
static int __init find_form(const void *fdt, enum lcm_form *ret_form,
                            int *ret_root, struct lcm_error *err)
{
    struct lcm_cursor cur = { .fdt = fdt, .node = 0, .err = err };
    int chosen, hypervisor, again, domain;

    chosen = find_named(fdt, lcm_first_child(fdt, 0), "chosen");
    if ( chosen == LCM_NONE )
        return lcm_fail(&cur, LCM_ERR_NO_HYPERVISOR, NULL, 0);
    cur.node = chosen;
    hypervisor = find_named(fdt, lcm_first_child(fdt, chosen), "hypervisor");
    domain = find_compatible_child(fdt, chosen, compat_domain);
    if ( hypervisor == LCM_NONE && domain == LCM_NONE )
        return lcm_fail(&cur, LCM_ERR_NO_HYPERVISOR, NULL, 0);
    *ret_form = hypervisor != LCM_NONE ? LCM_FORM_HYPERVISOR
                                       : LCM_FORM_DOM0LESS;
    *ret_root = hypervisor != LCM_NONE ? hypervisor : chosen;
    if ( hypervisor == LCM_NONE )
        return 0;

    cur.node = hypervisor;
    again = find_named(fdt, lcm_next_child(fdt, hypervisor), "hypervisor");
    if ( !lcm_is_compatible(fdt, hypervisor, compat_hypervisor) )
        return lcm_fail(&cur, LCM_ERR_COMPATIBLE, "compatible", 0);
    if ( domain != LCM_NONE || again != LCM_NONE )
        return lcm_fail_other(&cur, LCM_ERR_BOTH_FORMS, NULL, 0,
                              domain != LCM_NONE ? domain : again);

    return 0;
}

bool __init lcm_detect(const void *blob, size_t size)
{
    struct lcm_error err = { .code = LCM_OK };
    enum lcm_form form;
    int root;

    if ( lcm_fdt_check(blob, size, &err) && err.code != LCM_ERR_DEPTH )
        return false;

    /* Two descriptions are an LCM too, if a bad one. */
    return !find_form(blob, &form, &root, &err) ||
           err.code == LCM_ERR_BOTH_FORMS;
}

/* A node among the domains that has what a domain has, but is none. */
static int __init refuse_untyped_domain(const struct lcm *lcm,
                                        const struct lcm_cursor *cur)
{
    static const char *const __initconstrel props[] = {
        "domid", "memory", "permissions", "functions", "capabilities", "mode",
    };
    const char *prop;

    if ( lcm->form == LCM_FORM_HYPERVISOR &&
         has_any(cur, props, ARRAY_SIZE(props), &prop) )
        return lcm_fail(cur, LCM_ERR_COMPATIBLE, "compatible", 0);

    return 0;
}

static int __init parse_children(struct lcm *lcm, const struct lcm_cursor *root)
{
    struct lcm_cursor cur = *root;
    int config = LCM_NONE, rc;

    for ( cur.node = lcm_first_child(cur.fdt, root->node);
          cur.node != LCM_NONE; cur.node = lcm_next_child(cur.fdt, cur.node) )
    {
        if ( lcm_is_compatible(cur.fdt, cur.node, compat_domain) )
            rc = parse_domain(lcm, &cur);
        else if ( !lcm_is_compatible(cur.fdt, cur.node, compat_config) )
            rc = refuse_untyped_domain(lcm, &cur);
        else if ( config != LCM_NONE )
            rc = lcm_fail_other(&cur, LCM_ERR_TWO_CONFIGS, NULL, 0, config);
        else
        {
            config = cur.node;
            rc = parse_config(lcm, &cur);
        }
        if ( rc )
            return rc;
    }
    if ( !lcm->nr_domains )
        return lcm_fail(root, LCM_ERR_NO_DOMAIN, NULL, 0);

    return 0;
}

int __init lcm_parse(const void *blob, size_t size, struct lcm *lcm,
                     struct lcm_error *err)
{
    struct lcm_cursor root = { .fdt = blob, .err = err };
    int rc = lcm_fdt_check(blob, size, err);

    if ( rc )
        return rc;
    memset(lcm, 0, sizeof(*lcm));
    lcm->fdt = blob;
    lcm->microcode = lcm->xsm_policy = LCM_NONE;
    lcm->boot_timeout_ms = LCM_BOOT_TIMEOUT_MS;

    rc = find_form(blob, &lcm->form, &lcm->root, err);
    if ( rc )
        return rc;
    root.node = lcm->root;
    if ( lcm->form == LCM_FORM_HYPERVISOR &&
         lcm_get_u32(&root, "boot-timeout-ms", &lcm->boot_timeout_ms) < 0 )
        return -EINVAL;
    rc = parse_children(lcm, &root);
    if ( rc )
        return rc;

    return name_domains(lcm, err);
}
