// SPDX-License-Identifier: (GPL-2.0-or-later OR BSD-2-Clause)
/*
 * The rules across the domains of a parsed LCM: roles that they imply, the
 * domids that they get, and whatever two of them can't both have.
 */
#include "lcm-fdt.h"

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

static int __init fail_clash(const struct lcm *lcm, unsigned int domain,
                             unsigned int other, enum lcm_err code,
                             const char *prop, uint64_t value,
                             struct lcm_error *err)
{
    struct lcm_cursor cur = at(lcm, lcm->domains[domain].node, err);

    return lcm_fail_other(&cur, code, prop, value, lcm->domains[other].node);
}

/* --- roles --------------------------------------------------------------- */

/* What at most one domain may have, and what LEGACY_DOM0 implies. */
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

static bool __init has_role(const struct lcm_domain *dom,
                            const struct role *role)
{
    return (dom->permissions & role->permission) ||
           (dom->functions & role->function);
}

/* Index of the first domain from `from` on that has it, or LCM_NONE. */
static int __init find_role(const struct lcm *lcm, const struct role *role,
                            unsigned int from)
{
    unsigned int i;

    for ( i = from; i < lcm->nr_domains; i++ )
        if ( has_role(&lcm->domains[i], role) )
            return i;

    return LCM_NONE;
}

/* The property by which a domain got a role. */
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
    int first = find_role(lcm, role, 0), second;

    if ( first == LCM_NONE )
        return 0;
    second = find_role(lcm, role, first + 1);
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
        if ( !roles[i].implied || find_role(lcm, &roles[i], 0) != LCM_NONE )
            continue;
        legacy->permissions |= roles[i].permission;
        legacy->functions |= roles[i].function;
    }
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
        imply_roles(lcm, &lcm->domains[legacy]);

    for ( i = 0; i < lcm->nr_domains; i++ )
        if ( (lcm->domains[i].functions & boot_crash) == boot_crash )
            return fail_domain(lcm, i, LCM_ERR_BOOT_CRASH, "functions",
                               lcm->domains[i].functions, err);
    if ( limits->platform == LCM_PLATFORM_X86 &&
         lcm_find_permission(lcm, LCM_PERM_HARDWARE) == LCM_NONE )
        return lcm_fail(&root, LCM_ERR_NO_HARDWARE, "permissions", 0);

    return 0;
}

/* --- domids -------------------------------------------------------------- */

/* May this domain be domain 0? */
static bool __init is_domain_zero(const struct lcm_domain *dom)
{
    const uint32_t all = LCM_CAP_CONTROL | LCM_CAP_HARDWARE |
                         LCM_CAP_XENSTORE;

    return !dom->requested_domid &&
           ((dom->functions & LCM_FUNC_LEGACY_DOM0) ||
            dom->capabilities == all);
}

/* What the LCM decides; *ret_domid LCM_NONE: the next free one. */
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
            return fail_domain(lcm, i, LCM_ERR_CPUS_LIMIT, "cpus", dom->cpus,
                               err);
        /* No overflow: lcm_parse() bounds each, LCM_MAX_DOMAINS the number. */
        memory_kib += dom->memory_kib;
        if ( limits->memory_kib && memory_kib > limits->memory_kib )
            return fail_domain(lcm, i, LCM_ERR_MEMORY_HOST, "memory",
                               memory_kib, err);
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

/* The property by which a module is located. */
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
        return lcm_fail(&cur, LCM_ERR_INDEX_RANGE,
                        locator_prop(&cur, mod->locator), mod->index);

    return 0;
}

/* Two modules are one and the same, or they don't touch. */
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

/* A PV kernel is told of a ramdisk, and of nothing else. */
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
    struct lcm_cursor cur;
    unsigned int i, j;
    int rc;

    for ( i = 0; i < lcm->nr_modules; i++ )
    {
        mod = &lcm->modules[i];
        rc = check_locator(lcm, mod, limits, err) ?:
             check_config(lcm, mod, err);
        if ( rc )
            return rc;
        cur = at(lcm, mod->node, err);
        for ( j = 0; j < i; j++ )
            if ( overlap(&lcm->modules[j], mod) )
                return lcm_fail_other(&cur, LCM_ERR_ADDR_OVERLAP,
                                      locator_prop(&cur, mod->locator),
                                      mod->addr, lcm->modules[j].node);
    }

    return 0;
}

/* --- order of start ------------------------------------------------------ */

static int __init find_name(const struct lcm *lcm, const char *name)
{
    unsigned int i;

    for ( i = 0; i < lcm->nr_domains; i++ )
        if ( !strcmp(lcm->domains[i].name, name) )
            return i;

    return LCM_NONE;
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
    while ( (name = lcm_next_string(dom->start_after, dom->start_after_len,
                                    &pos)) != NULL )
    {
        other = find_name(lcm, name);
        if ( other == LCM_NONE )
            return fail_domain(lcm, domain, LCM_ERR_START_AFTER_UNKNOWN,
                               "start-after", 0, err);
        dom->start_after_mask |= 1u << other;
    }

    return 0;
}

/* Of domains that all wait for another of them: one that waits for itself. */
static unsigned int __init cycle_member(const struct lcm *lcm, uint32_t started)
{
    unsigned int i, step, other;

    for ( i = 0; started & (1u << i); i++ )
        continue;
    /* After as many steps as there are domains, the walk is in a circle. */
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

    return rc;
}

enum lcm_platform __init lcm_guess_platform(const struct lcm *lcm)
{
    enum lcm_platform guess = LCM_PLATFORM_X86;
    unsigned int i;

    for ( i = 0; i < lcm->nr_modules; i++ )
    {
        if ( lcm->modules[i].locator == LCM_LOCATE_INDEX )
            return LCM_PLATFORM_X86;
        if ( lcm->modules[i].locator == LCM_LOCATE_ADDR )
            guess = LCM_PLATFORM_ARM;
    }

    return guess;
}

int __init lcm_find_function(const struct lcm *lcm, uint32_t function)
{
    const struct role role = { .function = function };

    return find_role(lcm, &role, 0);
}

int __init lcm_find_permission(const struct lcm *lcm, uint32_t permission)
{
    const struct role role = { .permission = permission };

    return find_role(lcm, &role, 0);
}

/* The first that is not the boot domain and has the role; no role: any. */
static int __init first_lasting(const struct lcm *lcm, const struct role *role)
{
    unsigned int i;

    for ( i = 0; i < lcm->nr_domains; i++ )
        if ( !(lcm->domains[i].functions & LCM_FUNC_BOOT) &&
             (!role || has_role(&lcm->domains[i], role)) )
            return i;

    return LCM_NONE;
}

int __init lcm_console_owner(const struct lcm *lcm)
{
    static const struct role __initconst order[] = {
        { .function = LCM_FUNC_CONSOLE },
        { .permission = LCM_PERM_CONTROL },
        { .permission = LCM_PERM_HARDWARE },
    };
    unsigned int i;
    int owner;

    for ( i = 0; i < ARRAY_SIZE(order); i++ )
    {
        owner = first_lasting(lcm, &order[i]);
        if ( owner != LCM_NONE )
            return owner;
    }

    return first_lasting(lcm, NULL);
}

bool __init lcm_is_dynamic(const struct lcm *lcm)
{
    return lcm_find_permission(lcm, LCM_PERM_CONTROL) != LCM_NONE;
}
