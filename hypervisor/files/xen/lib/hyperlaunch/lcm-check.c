// SPDX-License-Identifier: (GPL-2.0-or-later OR BSD-2-Clause)
/*
 * Rules across the domains of a parsed LCM: implied roles, domids, and what
 * two domains cannot both have.
 */
#include "lcm-internal.h"

static struct lcm_cursor __init at(const struct lcm *lcm, int node,
                                   struct lcm_error *err)
{
    return (struct lcm_cursor){ .fdt = lcm->fdt, .node = node, .err = err };
}

static int __init fail_domain(const struct lcm *lcm, unsigned int domain,
                              enum lcm_err code, const char *prop,
                              uint64_t value, struct lcm_error *err)
{
    struct lcm_cursor cur = at(lcm, lcm->domains[domain].node, err);

    return lcm_fail(&cur, code, prop, value);
}

static int __init fail_limit(const struct lcm *lcm, unsigned int domain,
                             enum lcm_err code, const char *prop,
                             uint64_t value, uint64_t limit,
                             struct lcm_error *err)
{
    struct lcm_cursor cur = at(lcm, lcm->domains[domain].node, err);

    return lcm_fail_limit(&cur, code, prop, value, limit);
}

static int __init fail_clash(const struct lcm *lcm, unsigned int domain,
                             unsigned int other, enum lcm_err code,
                             const char *prop, uint64_t value,
                             struct lcm_error *err)
{
    struct lcm_cursor cur = at(lcm, lcm->domains[domain].node, err);

    return lcm_fail_other(&cur, code, prop, value, lcm->domains[other].node);
}

/* --- roles --------------------------------------------------------------- */

/* Roles that at most one domain may have; LEGACY_DOM0 implies some of them. */
struct role {
    uint32_t permission, function;   /* one of them is 0 */
    enum lcm_err twice;
    bool implied;
};

static const struct role __initconst roles[] = {
    { .permission = LCM_PERM_HARDWARE, .twice = LCM_ERR_TWO_HARDWARE,
      .implied = true },
    { .function = LCM_FUNC_BOOT, .twice = LCM_ERR_TWO_BOOT },
    { .function = LCM_FUNC_CRASH, .twice = LCM_ERR_TWO_CRASH, .implied = true },
    { .function = LCM_FUNC_CONSOLE, .twice = LCM_ERR_TWO_CONSOLE,
      .implied = true },
    { .function = LCM_FUNC_XENSTORE, .twice = LCM_ERR_TWO_XENSTORE,
      .implied = true },
    { .function = LCM_FUNC_LEGACY_DOM0, .twice = LCM_ERR_TWO_LEGACY_DOM0 },
};

/* The property that gives a role to the domain. */
static const char *__init role_prop(const struct lcm *lcm, unsigned int domain,
                                    const struct role *role)
{
    struct lcm_cursor cur = at(lcm, lcm->domains[domain].node, NULL);
    const char *prop = role->permission ? "permissions" : "functions";

    return lcm->domains[domain].has_capabilities && !lcm_has(&cur, prop)
           ? "capabilities" : prop;
}

static int __init check_role_once(const struct lcm *lcm,
                                  const struct role *role,
                                  struct lcm_error *err)
{
    int first = lcm_find_role(lcm, role->permission, role->function, 0);
    int second;

    if ( first == LCM_NONE )
        return 0;
    second = lcm_find_role(lcm, role->permission, role->function, first + 1);
    if ( second == LCM_NONE )
        return 0;

    return fail_clash(lcm, second, first, role->twice,
                      role_prop(lcm, second, role),
                      role->permission | role->function, err);
}

static void __init imply_roles(struct lcm *lcm, struct lcm_domain *legacy)
{
    unsigned int i;

    legacy->permissions |= LCM_PERM_CONTROL;
    for ( i = 0; i < ARRAY_SIZE(roles); i++ )
    {
        if ( !roles[i].implied ||
             lcm_find_role(lcm, roles[i].permission, roles[i].function, 0) !=
             LCM_NONE )
            continue;
        legacy->permissions |= roles[i].permission;
        legacy->functions |= roles[i].function;
    }
}

/* A LEGACY_DOM0 without the hardware would be domain 0, but no dom0. */
static int __init check_legacy(const struct lcm *lcm, unsigned int legacy,
                               struct lcm_error *err)
{
    const struct role *hardware = &roles[0];
    int other = lcm_find_permission(lcm, hardware->permission);

    if ( other == LCM_NONE || (unsigned int)other == legacy )
        return 0;

    return fail_clash(lcm, other, legacy, LCM_ERR_LEGACY_HARDWARE,
                      role_prop(lcm, other, hardware), LCM_PERM_HARDWARE, err);
}

static int __init check_roles(struct lcm *lcm, const struct lcm_limits *limits,
                              struct lcm_error *err)
{
    const uint32_t boot_crash = LCM_FUNC_BOOT | LCM_FUNC_CRASH;
    struct lcm_cursor root = at(lcm, lcm->root, err);
    unsigned int i;
    int legacy, rc;

    for ( i = 0; i < ARRAY_SIZE(roles); i++ )
    {
        rc = check_role_once(lcm, &roles[i], err);
        if ( rc )
            return rc;
    }
    legacy = lcm_find_function(lcm, LCM_FUNC_LEGACY_DOM0);
    if ( legacy != LCM_NONE )
    {
        rc = check_legacy(lcm, legacy, err);
        if ( rc )
            return rc;
        imply_roles(lcm, &lcm->domains[legacy]);
    }

    for ( i = 0; i < lcm->nr_domains; i++ )
        if ( (lcm->domains[i].functions & boot_crash) == boot_crash )
            return fail_domain(lcm, i, LCM_ERR_BOOT_CRASH, "functions",
                               lcm->domains[i].functions, err);
    if ( limits->platform == LCM_PLATFORM_X86 && !limits->definition &&
         lcm_find_permission(lcm, LCM_PERM_HARDWARE) == LCM_NONE )
        return lcm_fail(&root, LCM_ERR_NO_HARDWARE, "permissions", 0);

    return 0;
}

/* --- domids -------------------------------------------------------------- */

/* True if the domain may be domain 0. */
static bool __init is_domain_zero(const struct lcm_domain *dom)
{
    const uint32_t all = LCM_CAP_CONTROL | LCM_CAP_HARDWARE |
                         LCM_CAP_XENSTORE;

    return !dom->requested_domid &&
           ((dom->functions & LCM_FUNC_LEGACY_DOM0) ||
            dom->capabilities == all);
}

/* *ret_domid is LCM_NONE if the domain gets the next free domid. */
static int __init decide_domid(const struct lcm *lcm, unsigned int domain,
                               int *ret_domid, struct lcm_error *err)
{
    const struct lcm_domain *dom = &lcm->domains[domain];
    bool boot = dom->functions & LCM_FUNC_BOOT;

    *ret_domid = LCM_NONE;

    if ( dom->requested_domid == LCM_DOMID_BOOT && !boot )
        return fail_domain(lcm, domain, LCM_ERR_DOMID_BOOT, "domid",
                           dom->requested_domid, err);
    if ( dom->requested_domid > LCM_DOMID_MAX &&
         dom->requested_domid != LCM_DOMID_BOOT )
        return fail_domain(lcm, domain, LCM_ERR_DOMID_RESERVED, "domid",
                           dom->requested_domid, err);

    if ( dom->requested_domid == LCM_DOMID_BOOT )
        *ret_domid = LCM_DOMID_BOOT_REAL;
    else if ( dom->requested_domid || is_domain_zero(dom) )
        *ret_domid = dom->requested_domid;
    else if ( boot )
        *ret_domid = LCM_DOMID_BOOT_REAL;

    return 0;
}

static int __init find_domid(const struct lcm *lcm, const int *domids,
                             int domid, unsigned int below)
{
    unsigned int i;

    for ( i = 0; i < below; i++ )
        if ( domids[i] == domid )
            return i;

    return LCM_NONE;
}

static int __init assign_domids(struct lcm *lcm, struct lcm_error *err)
{
    int domids[LCM_MAX_DOMAINS], other, next = 1, rc;
    unsigned int i;

    for ( i = 0; i < lcm->nr_domains; i++ )
    {
        rc = decide_domid(lcm, i, &domids[i], err);
        if ( rc )
            return rc;
        other = domids[i] == LCM_NONE ? LCM_NONE
                                      : find_domid(lcm, domids, domids[i], i);
        if ( other != LCM_NONE )
            return fail_clash(lcm, i, other, LCM_ERR_DOMID_DUPLICATE, "domid",
                              domids[i], err);
    }
    for ( i = 0; i < lcm->nr_domains; i++ )
    {
        if ( domids[i] == LCM_NONE )
        {
            while ( find_domid(lcm, domids, next, lcm->nr_domains) != LCM_NONE )
                next++;
            domids[i] = next;
        }
        lcm->domains[i].domid = domids[i];
    }

    return 0;
}

/* --- what each domain asks of the host ----------------------------------- */

static unsigned int __init vcpu_limit(const struct lcm_domain *dom,
                                      const struct lcm_limits *limits)
{
    bool pv = dom->mode & LCM_MODE_PV;

    return pv && limits->max_vcpus_pv ? limits->max_vcpus_pv
                                      : limits->max_vcpus;
}

static int __init check_resources(const struct lcm *lcm,
                                  const struct lcm_limits *limits,
                                  struct lcm_error *err)
{
    const struct lcm_domain *dom;
    uint64_t memory_kib = 0;
    unsigned int i, max;

    for ( i = 0; i < lcm->nr_domains; i++ )
    {
        dom = &lcm->domains[i];
        if ( limits->no_pv32 && (dom->mode & LCM_MODE_PV) &&
             !(dom->mode & LCM_MODE_LONG) )
            return fail_domain(lcm, i, LCM_ERR_MODE_PV32, "mode", dom->mode,
                               err);
        max = vcpu_limit(dom, limits);
        if ( max && dom->cpus > max )
            return fail_limit(lcm, i, LCM_ERR_CPUS_LIMIT, "cpus", dom->cpus,
                              max, err);
        /* No overflow: lcm_parse() bounds each, LCM_MAX_DOMAINS the number. */
        memory_kib += dom->memory_kib;
        if ( limits->memory_kib && memory_kib > limits->memory_kib )
            return fail_limit(lcm, i, LCM_ERR_MEMORY_HOST, "memory",
                              memory_kib, limits->memory_kib, err);
    }

    return 0;
}

/* --- identity ------------------------------------------------------------ */

static int __init check_pair(const struct lcm *lcm, unsigned int first,
                             unsigned int second, struct lcm_error *err)
{
    static const uint8_t __initconst nil[16] = { 0 };
    const struct lcm_domain *a = &lcm->domains[first];
    const struct lcm_domain *b = &lcm->domains[second];

    if ( !strcmp(a->name, b->name) )
        return fail_clash(lcm, second, first, LCM_ERR_NAME_DUPLICATE, NULL, 0,
                          err);
    if ( memcmp(a->uuid, nil, sizeof(nil)) != 0 &&
         memcmp(a->uuid, b->uuid, sizeof(nil)) == 0 )
        return fail_clash(lcm, second, first, LCM_ERR_UUID_DUPLICATE,
                          "domain-uuid", 0, err);

    return 0;
}

static int __init check_identity(const struct lcm *lcm, struct lcm_error *err)
{
    unsigned int i, j;
    int rc;

    for ( i = 1; i < lcm->nr_domains; i++ )
        for ( j = 0; j < i; j++ )
        {
            rc = check_pair(lcm, j, i, err);
            if ( rc )
                return rc;
        }

    return 0;
}

/* --- modules ------------------------------------------------------------- */

/* The property that locates a module. */
static const char *__init locator_prop(const struct lcm_cursor *cur,
                                       enum lcm_locator locator)
{
    if ( locator == LCM_LOCATE_INDEX )
        return lcm_has(cur, "mb-index") ? "mb-index" : "module-index";
    if ( locator == LCM_LOCATE_ADDR )
        return lcm_has(cur, "module-addr") ? "module-addr" : "reg";

    return "file";
}

static int __init check_locator(const struct lcm *lcm,
                                const struct lcm_module *mod,
                                const struct lcm_limits *limits,
                                struct lcm_error *err)
{
    struct lcm_cursor cur = at(lcm, mod->node, err);
    bool arm = limits->platform == LCM_PLATFORM_ARM;

    switch ( mod->locator )
    {
    case LCM_LOCATE_FILE:
        return limits->source ? 0 : lcm_fail(&cur, LCM_ERR_NOT_LINKED, "file",
                                             0);
    case LCM_LOCATE_ADDR:
        return arm ? 0 : lcm_fail(&cur, LCM_ERR_NO_LOCATOR, "mb-index", 0);
    case LCM_LOCATE_INDEX:
        break;
    }
    if ( arm )
        return lcm_fail(&cur, LCM_ERR_NO_LOCATOR, "module-addr", 0);
    if ( limits->no_modules ||
         (limits->nr_modules && mod->index > limits->nr_modules) )
        return lcm_fail_limit(&cur, LCM_ERR_INDEX_RANGE,
                              locator_prop(&cur, mod->locator), mod->index,
                              limits->nr_modules);

    return 0;
}

/* Two modules are the same, or do not overlap. */
static bool __init overlap(const struct lcm_module *a,
                           const struct lcm_module *b)
{
    if ( a->locator != LCM_LOCATE_ADDR || b->locator != LCM_LOCATE_ADDR )
        return false;
    if ( a->addr == b->addr && a->size == b->size )
        return false;

    return a->addr <= b->addr ? b->addr - a->addr < a->size
                              : a->addr - b->addr < b->size;
}

/*
 * True if both nodes name the same module, which can have one type only.
 * Before the link step `file` decides, if both have it: their indices will
 * change.
 */
static bool __init is_same_blob(const struct lcm_module *a,
                                const struct lcm_module *b, bool source)
{
    if ( a->file && b->file && (source || a->locator == LCM_LOCATE_FILE) )
        return !strcmp(a->file, b->file);
    if ( a->locator != b->locator )
        return false;
    if ( a->locator == LCM_LOCATE_INDEX )
        return a->index == b->index;

    return a->locator == LCM_LOCATE_ADDR && a->addr == b->addr &&
           a->size == b->size;
}

static int __init check_module_pair(const struct lcm *lcm,
                                    const struct lcm_module *first,
                                    const struct lcm_module *second,
                                    const struct lcm_limits *limits,
                                    struct lcm_error *err)
{
    struct lcm_cursor cur = at(lcm, second->node, err);
    enum lcm_locator by = limits->source && second->file ? LCM_LOCATE_FILE
                                                         : second->locator;

    if ( overlap(first, second) )
        return lcm_fail_other(&cur, LCM_ERR_ADDR_OVERLAP,
                              locator_prop(&cur, second->locator),
                              second->addr, first->node);
    if ( first->type != second->type &&
         is_same_blob(first, second, limits->source) )
        return lcm_fail_other(&cur, LCM_ERR_TWO_TYPES, locator_prop(&cur, by),
                              0, first->node);

    return 0;
}

/* A PV kernel can receive a ramdisk, but no other module. */
static int __init check_config(const struct lcm *lcm,
                               const struct lcm_module *mod,
                               struct lcm_error *err)
{
    struct lcm_cursor cur = at(lcm, mod->node, err);

    if ( mod->type != LCM_MODULE_CONFIG || mod->domain == LCM_NONE ||
         !(lcm->domains[mod->domain].mode & LCM_MODE_PV) )
        return 0;

    return lcm_fail(&cur, LCM_ERR_CONFIG_PV, "compatible", 0);
}

static int __init check_modules(const struct lcm *lcm,
                                const struct lcm_limits *limits,
                                struct lcm_error *err)
{
    const struct lcm_module *mod;
    unsigned int i, j;
    int rc = 0;

    for ( i = 0; i < lcm->nr_modules && !rc; i++ )
    {
        mod = &lcm->modules[i];
        rc = check_locator(lcm, mod, limits, err) ?:
             check_config(lcm, mod, err);
        for ( j = 0; j < i && !rc; j++ )
            rc = check_module_pair(lcm, &lcm->modules[j], mod, limits, err);
    }

    return rc;
}

/* --- order of start ------------------------------------------------------ */

/* True if it does not start with the launch: held, or for a failure only. */
static bool __init is_waiting(const struct lcm_domain *dom)
{
    return dom->hold ||
           (!dom->permissions && dom->functions == LCM_FUNC_CRASH);
}

static int __init resolve_start_after(struct lcm *lcm, unsigned int domain,
                                      struct lcm_error *err)
{
    struct lcm_domain *dom = &lcm->domains[domain];
    const char *name;
    int pos = 0, other;

    dom->start_after_mask = 0;
    if ( !dom->start_after )
        return 0;
    if ( dom->functions & LCM_FUNC_BOOT )
        return fail_domain(lcm, domain, LCM_ERR_START_AFTER_BOOT,
                           "start-after", 0, err);
    while ( (name = lcm_next_string(dom->start_after, dom->start_after_len,
                                    &pos)) != NULL )
    {
        other = lcm_find_name(lcm, name);
        if ( other == LCM_NONE )
            return fail_domain(lcm, domain, LCM_ERR_START_AFTER_UNKNOWN,
                               "start-after", 0, err);
        dom->start_after_mask |= 1u << other;
        if ( is_waiting(&lcm->domains[other]) && (unsigned int)other != domain )
            return fail_clash(lcm, domain, other, LCM_ERR_START_AFTER_HELD,
                              "start-after", 0, err);
    }

    return 0;
}

/*
 * Of domains that all wait for each other, returns one that waits for itself.
 */
static unsigned int __init cycle_member(const struct lcm *lcm, uint32_t started)
{
    unsigned int i, step, other;

    for ( i = 0; started & (1u << i); i++ )
        continue;
    /* After nr_domains steps the walk has reached a cycle. */
    for ( step = 0; step < lcm->nr_domains; step++ )
    {
        for ( other = 0; !(lcm->domains[i].start_after_mask & ~started &
                           (1u << other)); other++ )
            continue;
        i = other;
    }

    return i;
}

static int __init check_order(struct lcm *lcm, struct lcm_error *err)
{
    uint32_t started = 0, before, all;
    unsigned int i;
    int rc;

    for ( i = 0; i < lcm->nr_domains; i++ )
    {
        rc = resolve_start_after(lcm, i, err);
        if ( rc )
            return rc;
    }
    all = lcm->nr_domains == 32 ? ~0u : (1u << lcm->nr_domains) - 1;
    do {
        before = started;
        for ( i = 0; i < lcm->nr_domains; i++ )
            if ( !(lcm->domains[i].start_after_mask & ~started) )
                started |= 1u << i;
    } while ( started != before );
    if ( started != all )
        return fail_domain(lcm, cycle_member(lcm, started),
                           LCM_ERR_START_AFTER_CYCLE, "start-after", 0, err);

    return 0;
}

/* --- what Xen does not build --------------------------------------------- */

/* The boot domain is reclaimed after the launch, so it has no other role. */
static const char *__init unsupported_prop(const struct lcm_domain *dom)
{
    if ( (dom->functions & LCM_FUNC_BOOT) && dom->permissions )
        return "permissions";
    if ( (dom->functions & LCM_FUNC_BOOT) && dom->functions != LCM_FUNC_BOOT )
        return "functions";

    return dom->mode & LCM_MODE_DEVICE_MODEL ? "mode" : NULL;
}

bool __init lcm_is_unsupported(const struct lcm *lcm,
                               const struct lcm_domain *dom, int *ret_node,
                               const char **ret_prop)
{
    const bool pv32 = (dom->mode & LCM_MODE_PV) && !(dom->mode & LCM_MODE_LONG);

    *ret_node = dom->node;
    *ret_prop = unsupported_prop(dom) ?: pv32 ? "mode" : NULL;
    if ( *ret_prop )
        return true;

    /* dom0's builder takes a kernel and a ramdisk only. */
    if ( dom->config == LCM_NONE ||
         (!(dom->permissions & LCM_PERM_HARDWARE) &&
          !(dom->functions & LCM_FUNC_LEGACY_DOM0)) )
        return false;
    *ret_node = lcm->modules[dom->config].node;

    return true;
}

/* 32-bit PV depends on Xen's build: limits->no_pv32 decides. */
static int __init check_supported(const struct lcm *lcm,
                                  const struct lcm_limits *limits,
                                  struct lcm_error *err)
{
    struct lcm_cursor cur = at(lcm, LCM_NONE, err);
    struct lcm_domain dom;
    const char *prop;
    unsigned int i;

    if ( !limits->strict || limits->platform != LCM_PLATFORM_X86 )
        return 0;

    for ( i = 0; i < lcm->nr_domains; i++ )
    {
        dom = lcm->domains[i];
        dom.mode |= LCM_MODE_LONG;
        if ( lcm_is_unsupported(lcm, &dom, &cur.node, &prop) )
            return lcm_fail(&cur, LCM_ERR_UNSUPPORTED, prop, 0);
    }

    return 0;
}

/* --- the store ----------------------------------------------------------- */

/* Returns all domains that must be ready before this one starts. */
static uint32_t __init starts_after(const struct lcm *lcm, unsigned int domain)
{
    uint32_t before = 0, mask = lcm->domains[domain].start_after_mask;
    unsigned int i;

    while ( mask != before )
    {
        before = mask;
        for ( i = 0; i < lcm->nr_domains; i++ )
            if ( before & (1u << i) )
                mask |= lcm->domains[i].start_after_mask;
    }

    return mask;
}

/* A hardware domain that waits for the store is ready after XENSTORE only. */
static int __init check_store_order(const struct lcm *lcm, struct lcm_error *err)
{
    int hardware = lcm_find_permission(lcm, LCM_PERM_HARDWARE), store;
    struct lcm_cursor cur;

    if ( hardware == LCM_NONE ||
         !(lcm->domains[hardware].mode & LCM_MODE_PV) )
        return 0;
    store = lcm_store_of(lcm, &lcm->domains[hardware]);
    if ( store == LCM_NONE ||
         !(starts_after(lcm, store) & (1u << hardware)) )
        return 0;

    cur = at(lcm, lcm->domains[store].node, err);

    return lcm_fail_other(&cur, LCM_ERR_STORE_DEVICE, "start-after", 0,
                          lcm->domains[hardware].node);
}

/* --- the whole ----------------------------------------------------------- */

int __init lcm_check(struct lcm *lcm, const struct lcm_limits *limits,
                     struct lcm_error *err)
{
    int rc = check_roles(lcm, limits, err);

    if ( !rc )
        rc = assign_domids(lcm, err);
    if ( !rc )
        rc = check_identity(lcm, err);
    if ( !rc )
        rc = check_resources(lcm, limits, err);
    if ( !rc )
        rc = check_modules(lcm, limits, err);
    if ( !rc )
        rc = check_order(lcm, err);
    if ( !rc )
        rc = lcm_check_nodes(lcm, limits, err);
    if ( !rc )
        rc = check_store_order(lcm, err);

    return rc ?: check_supported(lcm, limits, err);
}
