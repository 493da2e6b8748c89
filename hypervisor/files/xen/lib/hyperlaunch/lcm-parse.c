// SPDX-License-Identifier: (GPL-2.0-or-later OR BSD-2-Clause)
/*
 * Reads each node of an LCM into struct lcm, and checks the rules within one
 * node.  Rules across nodes are in lcm-check.c.
 */
#include "lcm-internal.h"

/* No machine has more: 52 bits of physical address, in KiB. */
#define MEMORY_KIB_MAX ((uint64_t)1 << 42)

static const char __initconst compat_hypervisor[] = "hypervisor,xen";
static const char __initconst compat_config[] = "xen,config";
static const char __initconst compat_domain[] = "xen,domain";

/* Less than any kernel needs: probably a wrong unit. */
#define MEMORY_KIB_SMALL 4096

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

    lcm_warn_of_misspelt(lcm, config->node, LCM_NODE_CONFIG);
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

/* Bindings that were proposed, but never merged: not safe to interpret. */
static int __init refuse_old_roles(const struct lcm_cursor *cur)
{
    static const char *const __initconstrel props[] = { "role", "capability" };
    const char *prop;

    if ( lcm_has_any(cur, props, ARRAY_SIZE(props), &prop) )
        return lcm_fail(cur, LCM_ERR_UNSUPPORTED_PROP, prop, 0);

    return 0;
}

/* Reads a cell of bits; warns of unknown ones and ignores them. */
static int __init get_mask(struct lcm *lcm, const struct lcm_cursor *cur,
                           const char *prop, uint32_t known,
                           enum lcm_warn unknown, uint32_t *ret_mask)
{
    uint32_t value;
    int rc;

    if ( lcm_is_names(cur, prop) )
        return lcm_fail(cur, LCM_ERR_NAMES, prop, 0);
    rc = lcm_get_u32(cur, prop, &value);
    if ( rc <= 0 )
        return rc;
    if ( value & ~known )
        lcm_warn(lcm, unknown, cur->node, prop, value & ~known);
    *ret_mask = value & known;

    return 1;
}

static int __init parse_capabilities(const struct lcm_cursor *cur,
                                     struct lcm_domain *dom,
                                     bool has_permissions, bool has_functions)
{
    bool legacy = dom->functions & LCM_FUNC_LEGACY_DOM0;
    const uint32_t known = LCM_CAP_CONTROL | LCM_CAP_HARDWARE |
                           LCM_CAP_XENSTORE;
    uint32_t said, meant;
    int rc = lcm_get_u32(cur, "capabilities", &dom->capabilities);

    if ( rc <= 0 )
        return rc;
    dom->has_capabilities = true;
    if ( dom->capabilities & ~known )
        return lcm_fail(cur, LCM_ERR_CAPABILITIES, "capabilities",
                        dom->capabilities & ~known);

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
        /* The dom0less bindings have no such property. */
        if ( lcm->form != LCM_FORM_DOM0LESS )
            lcm_warn(lcm, LCM_WARN_MODE_DEFAULT, cur->node, "mode", 0);
    }
    if ( (dom->mode & clash) == clash )
        return lcm_fail(cur, LCM_ERR_MODE_PV_DM, "mode", dom->mode);

    return 0;
}

/* No error, as kernels other than Linux may work. */
static void __init warn_of_pv_store(struct lcm *lcm,
                                    const struct lcm_cursor *cur,
                                    const struct lcm_domain *dom)
{
    if ( (dom->mode & LCM_MODE_PV) && (dom->functions & LCM_FUNC_XENSTORE) &&
         !(dom->functions & LCM_FUNC_LEGACY_DOM0) &&
         !(dom->permissions & LCM_PERM_HARDWARE) )
        lcm_warn(lcm, LCM_WARN_PV_XENSTORE, cur->node, "mode", dom->mode);
}

/* Returns the shift from KiB for this suffix of a size. */
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

static int __init parse_memory(struct lcm *lcm, const struct lcm_cursor *cur,
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
        return lcm_fail_limit(cur, LCM_ERR_RANGE, "memory", dom->memory_kib,
                              MEMORY_KIB_MAX);
    if ( dom->memory_kib < MEMORY_KIB_SMALL )
        lcm_warn(lcm, LCM_WARN_MEMORY_SMALL, cur->node, "memory",
                 dom->memory_kib);

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
    /* A short one fills the first bytes, and the rest stays zero. */
    memcpy(dom->uuid, uuid, len);
    dom->has_uuid = true;
    if ( len == 8 )
        lcm_warn(lcm, LCM_WARN_UUID_SHORT, cur->node, "domain-uuid", len);

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

static int __init parse_restart(const struct lcm_cursor *cur,
                                struct lcm_domain *dom)
{
    const char *word;
    unsigned int i;
    int rc = lcm_get_string(cur, "restart", &word);

    dom->restart = LCM_RESTART_NEVER;
    dom->restart_limit = LCM_RESTART_LIMIT;
    if ( rc < 0 || lcm_get_u32(cur, "restart-limit", &dom->restart_limit) < 0 )
        return -EINVAL;
    if ( !dom->restart_limit )
        return lcm_fail(cur, LCM_ERR_RANGE, "restart-limit", 0);
    if ( !rc )
        return 0;
    for ( i = 0; i < LCM_NR_RESTARTS; i++ )
        if ( !strcmp(word, lcm_restart_name(i)) )
        {
            dom->restart = i;
            return 0;
        }

    return lcm_fail(cur, LCM_ERR_WORD, "restart", 0);
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
    case LCM_MODULE_FIRMWARE:
        if ( dom->mode & LCM_MODE_DEVICE_MODEL )
            return lcm_take_slot(cur, lcm, &dom->firmware, index,
                                 LCM_ERR_TWO_OF_TYPE);
        break;
    default:
        break;
    }

    return lcm_fail(cur, LCM_ERR_MODULE_PLACE, "compatible", 0);
}

/* Children of a domain other than modules. */
struct child {
    int (*parse)(struct lcm *lcm, const struct lcm_cursor *cur,
                 unsigned int domain);
    char compatible[20], name[8];
    bool reserved;                   /* a node of that name must have it */
};

static const struct child __initconstrel children[] = {
    { lcm_parse_pci, "xen,pci-passthrough", "pci", true },
    { lcm_parse_vcpu, "xen,vcpu", "vcpu", true },
    { lcm_parse_disk, "xen,disk", "disk", false },
    { lcm_parse_nic, "xen,nic", "nic", false },
};

/* Fails for other nodes with such a name, or with a module's properties. */
static int __init refuse_untyped_child(const struct lcm_cursor *cur)
{
    static const char *const __initconstrel props[] = { "vdev", "bridge", "mac" };
    const char *prop;
    unsigned int i;

    for ( i = 0; i < ARRAY_SIZE(children); i++ )
        if ( lcm_is_named(cur->fdt, cur->node, children[i].name) &&
             (children[i].reserved ||
              lcm_has_any(cur, props, ARRAY_SIZE(props), &prop)) )
            return lcm_fail(cur, LCM_ERR_COMPATIBLE, "compatible", 0);

    return lcm_refuse_untyped_module(cur);
}

static int __init parse_domain_child(struct lcm *lcm,
                                     const struct lcm_cursor *cur,
                                     const struct lcm_cursor *parent,
                                     unsigned int domain)
{
    int type, index, rc;
    unsigned int i;

    for ( i = 0; i < ARRAY_SIZE(children); i++ )
        if ( lcm_is_compatible(cur->fdt, cur->node, children[i].compatible) )
            return children[i].parse(lcm, cur, domain);
    rc = lcm_get_module_type(cur, &type);
    if ( rc < 0 )
        return rc;
    if ( !rc )
        return refuse_untyped_child(cur);

    index = lcm_parse_module(lcm, cur, parent, domain, type);
    if ( index < 0 )
        return index;
    /* Indices mean x86, where no builder passes a device tree to a domain. */
    if ( type == LCM_MODULE_DEVICE_TREE &&
         lcm->modules[index].locator == LCM_LOCATE_INDEX )
        lcm_warn(lcm, LCM_WARN_DEVICE_TREE, cur->node, "compatible", 0);
    if ( type == LCM_MODULE_FIRMWARE )
        lcm_warn(lcm, LCM_WARN_NOT_IN_FORCE, cur->node, "compatible", 0);

    return take_domain_module(lcm, cur, &lcm->domains[domain], index);
}

/* A domain without a kernel.  Names a property of old trees if it has one. */
static int __init fail_no_kernel(const struct lcm_cursor *domain_cur)
{
    const void *fdt = domain_cur->fdt;
    int child = lcm_first_child(fdt, domain_cur->node);

    while ( child != LCM_NONE &&
            !lcm_is_compatible(fdt, child, "xen,linux-zimage") )
        child = lcm_next_child(fdt, child);

    return lcm_fail_other(domain_cur, LCM_ERR_NO_KERNEL, NULL, 0, child);
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
        return fail_no_kernel(domain_cur);

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
        rc = parse_memory(lcm, cur, dom);
    if ( !rc )
        rc = parse_cpus(cur, dom);
    if ( !rc )
        rc = parse_uuid(lcm, cur, dom);
    if ( !rc && lcm_get_string(cur, "security-id", &dom->security_id) < 0 )
        rc = -EINVAL;

    if ( !rc )
        rc = parse_order(cur, dom);

    return rc ?: parse_restart(cur, dom);
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
    dom->firmware = LCM_NONE;
    lcm_warn_of_misspelt(lcm, cur->node, LCM_NODE_DOMAIN);

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

/* True if another domain's node has this name, without unit addresses. */
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

/* --- where the launch is described ---------------------------------------- */

/*
 * The child of that name, without its unit address, at or after a given one.
 */
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

/* The node that describes the launch.  lcm_fdt_check() has passed the blob. */
static int __init find_form(const void *fdt, enum lcm_form *ret_form,
                            int *ret_root, struct lcm_error *err)
{
    struct lcm_cursor cur = { .fdt = fdt, .node = 0, .err = err };
    int chosen = lcm_find_chosen(fdt), hypervisor, again, domain;

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

    /* Two descriptions are an LCM, too, but an invalid one. */
    return !find_form(blob, &form, &root, &err) ||
           err.code == LCM_ERR_BOTH_FORMS;
}

/* Fails for a node that has properties of a domain, but is none. */
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

/* --- warnings that need all of the domains --------------------------------- */

/* The boot domain implements start-after. */
static void __init warn_of_order(struct lcm *lcm, const struct lcm_domain *dom)
{
    if ( dom->start_after &&
         lcm_find_function(lcm, LCM_FUNC_BOOT) == LCM_NONE )
        lcm_warn(lcm, LCM_WARN_START_AFTER, dom->node, "start-after", 0);
}

/* True if a domain has CONTROL, or will have it as a legacy dom0. */
static bool __init is_dynamic(const struct lcm *lcm)
{
    return lcm_is_dynamic(lcm) ||
           lcm_find_function(lcm, LCM_FUNC_LEGACY_DOM0) != LCM_NONE;
}

/* Only a launch gives what the other roles have. */
static bool __init can_restart(const struct lcm_domain *dom)
{
    return !(dom->permissions & LCM_PERM_ALL) &&
           !(dom->functions & LCM_FUNC_ALL & ~LCM_FUNC_CONSOLE);
}

/* A control domain restarts and releases domains. */
static void __init warn_of_control(struct lcm *lcm,
                                   const struct lcm_domain *dom)
{
    const struct lcm_cursor cur = { .fdt = lcm->fdt, .node = dom->node };

    if ( dom->restart != LCM_RESTART_NEVER && !is_dynamic(lcm) )
        lcm_warn(lcm, LCM_WARN_RESTART_STATIC, dom->node, "restart", 0);
    else if ( dom->restart != LCM_RESTART_NEVER && !can_restart(dom) )
        lcm_warn(lcm, LCM_WARN_NOT_IN_FORCE, dom->node, "restart", 0);
    if ( lcm_has(&cur, "hold") && !is_dynamic(lcm) )
        lcm_warn(lcm, LCM_WARN_HOLD_STATIC, dom->node, "hold", 0);
}

static bool __init is_number(const char *name)
{
    while ( *name >= '0' && *name <= '9' )
        name++;

    return !*name;
}

/* Names that toolstacks interpret differently. */
static void __init warn_of_name(struct lcm *lcm, const struct lcm_domain *dom)
{
    const bool zero = (dom->functions & LCM_FUNC_LEGACY_DOM0) ||
                      (dom->permissions & LCM_PERM_ALL) == LCM_PERM_ALL;

    if ( !strcmp(dom->name, "Domain-0") && !zero )
        lcm_warn(lcm, LCM_WARN_NAME_DOMAIN_0, dom->node, NULL, 0);
    if ( is_number(dom->name) )
        lcm_warn(lcm, LCM_WARN_NAME_NUMBER, dom->node, NULL, 0);
}

static void __init warn_of_unsupported(struct lcm *lcm,
                                       const struct lcm_domain *dom)
{
    const char *prop;
    int node;

    if ( lcm_guess_platform(lcm) == LCM_PLATFORM_X86 &&
         lcm_is_unsupported(lcm, dom, &node, &prop) )
        lcm_warn(lcm, LCM_WARN_UNSUPPORTED, node, prop, 0);
}

static void __init warn_of_domains(struct lcm *lcm)
{
    unsigned int i;

    for ( i = 0; i < lcm->nr_domains; i++ )
    {
        warn_of_order(lcm, &lcm->domains[i]);
        warn_of_control(lcm, &lcm->domains[i]);
        warn_of_name(lcm, &lcm->domains[i]);
        warn_of_unsupported(lcm, &lcm->domains[i]);
    }
}

/* --- the whole ------------------------------------------------------------- */

/* The state before the first node is read. */
static int __init begin(const void *blob, struct lcm *lcm,
                        struct lcm_error *err)
{
    memset(lcm, 0, sizeof(*lcm));
    lcm->fdt = blob;
    lcm->microcode = lcm->xsm_policy = LCM_NONE;
    lcm->boot_timeout_ms = LCM_BOOT_TIMEOUT_MS;
    lcm->chosen = lcm_find_chosen(blob);

    return find_form(blob, &lcm->form, &lcm->root, err);
}

int __init lcm_parse(const void *blob, size_t size, struct lcm *lcm,
                     struct lcm_error *err)
{
    struct lcm_cursor root = { .fdt = blob, .err = err };
    int rc = lcm_fdt_check(blob, size, err);

    if ( rc )
        return rc;
    rc = begin(blob, lcm, err);
    if ( rc )
        return rc;
    root.node = lcm->root;
    if ( lcm->form == LCM_FORM_HYPERVISOR )
    {
        lcm_warn_of_misspelt(lcm, lcm->root, LCM_NODE_HYPERVISOR);
        if ( lcm_get_u32(&root, "boot-timeout-ms", &lcm->boot_timeout_ms) < 0 )
            return -EINVAL;
    }
    rc = parse_children(lcm, &root);
    if ( !rc )
        rc = name_domains(lcm, err);
    if ( !rc )
        warn_of_domains(lcm);

    return rc;
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
 * Adds the first valid domain of a kind, and nothing of invalid ones.  NULL if
 * there is none.
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
        lcm->nr_pci = lcm->nr_vcpus = lcm->nr_disks = lcm->nr_nics = 0;
        lcm->nr_warnings = 0;
    }

    return NULL;
}

/*
 * Removes what it would wait for: domains that will not run, devices that
 * these would have to prepare, and CPUs, which may be the error.
 */
static void __init make_independent(struct lcm *lcm, struct lcm_domain *dom)
{
    lcm->nr_pci = lcm->nr_vcpus = lcm->nr_disks = lcm->nr_nics = 0;
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
    rc = begin(blob, lcm, err);
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
