// SPDX-License-Identifier: (GPL-2.0-or-later OR BSD-2-Clause)
/*
 * Reads each node of an LCM into struct lcm, and applies the rules that need
 * nothing but the node itself.  Rules across nodes are in lcm-check.c.
 */
#include "lcm-node.h"

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

/* --- config -------------------------------------------------------------- */

static int __init parse_config_module(struct lcm *lcm,
                                      const struct lcm_cursor *cur,
                                      const struct lcm_cursor *parent)
{
    int type, index, rc = lcm_get_module_type(cur, &type);
    int *slot;

    if ( rc < 0 )
        return rc;
    if ( !rc )
        return lcm_refuse_untyped_module(cur);
    if ( type != LCM_MODULE_MICROCODE && type != LCM_MODULE_XSM_POLICY )
        return lcm_fail(cur, LCM_ERR_MODULE_PLACE, "compatible", 0);

    index = lcm_parse_module(lcm, cur, parent, LCM_NONE, type);
    if ( index < 0 )
        return index;
    slot = type == LCM_MODULE_MICROCODE ? &lcm->microcode : &lcm->xsm_policy;

    return lcm_take_slot(cur, lcm, slot, index, LCM_ERR_TWO_OF_TYPE);
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

/* --- domains ------------------------------------------------------------- */

/* Dialects that were proposed and never merged: to guess would be unsafe. */
static int __init refuse_old_roles(const struct lcm_cursor *cur)
{
    static const char *const __initconstrel props[] = { "role", "capability" };
    const char *prop;

    if ( lcm_has_any(cur, props, ARRAY_SIZE(props), &prop) )
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

/* Other kernels than Linux may do it, so that is no error. */
static void __init warn_of_pv_store(struct lcm *lcm,
                                    const struct lcm_cursor *cur,
                                    const struct lcm_domain *dom)
{
    if ( (dom->mode & LCM_MODE_PV) && (dom->functions & LCM_FUNC_XENSTORE) &&
         !(dom->functions & LCM_FUNC_LEGACY_DOM0) &&
         !(dom->permissions & LCM_PERM_HARDWARE) )
        warn(lcm, LCM_WARN_PV_XENSTORE, cur->node, "mode", dom->mode);
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
        return lcm_take_slot(cur, lcm, &dom->kernel, index,
                             LCM_ERR_TWO_KERNELS);
    case LCM_MODULE_RAMDISK:
        return lcm_take_slot(cur, lcm, &dom->ramdisk, index,
                             LCM_ERR_TWO_RAMDISKS);
    case LCM_MODULE_DEVICE_TREE:
        return lcm_take_slot(cur, lcm, &dom->device_tree, index,
                             LCM_ERR_TWO_OF_TYPE);
    case LCM_MODULE_CONFIG:
        return lcm_take_slot(cur, lcm, &dom->config, index,
                             LCM_ERR_TWO_OF_TYPE);
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
        return lcm_parse_pci(lcm, cur, domain);
    rc = lcm_get_module_type(cur, &type);
    if ( rc < 0 )
        return rc;
    if ( !rc && lcm_is_named(cur->fdt, cur->node, "pci") )
        return lcm_fail(cur, LCM_ERR_COMPATIBLE, "compatible", 0);
    if ( !rc )
        return lcm_refuse_untyped_module(cur);

    index = lcm_parse_module(lcm, cur, parent, domain, type);
    if ( index < 0 )
        return index;
    /* Indices are x86's, where no builder hands a device tree to a domain. */
    if ( type == LCM_MODULE_DEVICE_TREE &&
         lcm->modules[index].locator == LCM_LOCATE_INDEX )
        warn(lcm, LCM_WARN_DEVICE_TREE, cur->node, "compatible", 0);

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
        warn_of_pv_store(lcm, cur, dom);
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
    memset(dom, 0, sizeof(*dom));
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
        if ( lcm_base_len(other, other_len) == len &&
             !memcmp(base, other, len) )
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
         lcm_has_any(cur, props, ARRAY_SIZE(props), &prop) )
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

/* The order of starts is the boot domain's work. */
static void __init warn_of_order(struct lcm *lcm)
{
    unsigned int i;

    if ( lcm_find_function(lcm, LCM_FUNC_BOOT) != LCM_NONE )
        return;

    for ( i = 0; i < lcm->nr_domains; i++ )
        if ( lcm->domains[i].start_after )
            warn(lcm, LCM_WARN_START_AFTER, lcm->domains[i].node,
                 "start-after", 0);
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
    warn_of_order(lcm);

    return name_domains(lcm, err);
}

/* --- what is left for a recovery ------------------------------------------ */

static bool __init is_crash_domain(const struct lcm_domain *dom)
{
    return dom->functions & (LCM_FUNC_CRASH | LCM_FUNC_LEGACY_DOM0);
}

static bool __init is_hardware_domain(const struct lcm_domain *dom)
{
    return dom->permissions & LCM_PERM_HARDWARE ||
           dom->functions & LCM_FUNC_LEGACY_DOM0;
}

/*
 * The first sound domain of a kind, behind those that are there already; what
 * is unsound leaves nothing behind.  NULL: there is none.
 */
static struct lcm_domain *__init
parse_first(struct lcm *lcm, bool (*is_wanted)(const struct lcm_domain *),
            struct lcm_error *err)
{
    struct lcm_cursor cur = { .fdt = lcm->fdt, .err = err };
    struct lcm_domain *dom = &lcm->domains[lcm->nr_domains];
    unsigned int nr_domains = lcm->nr_domains, nr_modules = lcm->nr_modules;

    for ( cur.node = lcm_first_child(lcm->fdt, lcm->root);
          cur.node != LCM_NONE; cur.node = lcm_next_child(lcm->fdt, cur.node) )
    {
        if ( lcm_is_compatible(lcm->fdt, cur.node, compat_domain) &&
             !parse_domain(lcm, &cur) && is_wanted(dom) )
            return dom;

        lcm->nr_domains = nr_domains;
        lcm->nr_modules = nr_modules;
        lcm->nr_pci = lcm->nr_warnings = 0;
    }

    return NULL;
}

/*
 * It waits for nobody, as the others will not run, nor for devices that one of
 * them would have to prepare.
 */
static void __init make_independent(struct lcm *lcm, struct lcm_domain *dom)
{
    lcm->nr_pci = 0;
    dom->start_after = NULL;
    dom->hold = false;
}

int __init lcm_parse_recovery(const void *blob, size_t size, struct lcm *lcm,
                              struct lcm_error *err)
{
    struct lcm_cursor root = { .fdt = blob, .err = err };
    struct lcm_domain *crash, *hardware;
    int rc = lcm_fdt_check(blob, size, err);

    if ( rc )
        return rc;
    memset(lcm, 0, sizeof(*lcm));
    lcm->fdt = blob;
    lcm->microcode = lcm->xsm_policy = LCM_NONE;

    rc = find_form(blob, &lcm->form, &lcm->root, err);
    if ( rc )
        return rc;

    root.node = lcm->root;
    crash = parse_first(lcm, is_crash_domain, err);
    if ( !crash )
        return lcm_fail(&root, LCM_ERR_NO_DOMAIN, NULL, 0);
    make_independent(lcm, crash);
    crash->functions |= LCM_FUNC_CRASH;

    hardware = is_hardware_domain(crash)
               ? NULL : parse_first(lcm, is_hardware_domain, err);
    if ( hardware )
    {
        make_independent(lcm, hardware);
        hardware->permissions = LCM_PERM_HARDWARE;
        hardware->functions = 0;
    }

    return name_domains(lcm, err);
}
