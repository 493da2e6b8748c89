// SPDX-License-Identifier: (GPL-2.0-or-later OR BSD-2-Clause)
/* Queries on a parsed LCM: its domains by role or name, and what follows. */
#include "lcm-internal.h"

int __init lcm_find_role(const struct lcm *lcm, uint32_t permission,
                         uint32_t function, unsigned int from)
{
    unsigned int i;

    for ( i = from; i < lcm->nr_domains; i++ )
        if ( (lcm->domains[i].permissions & permission) ||
             (lcm->domains[i].functions & function) )
            return i;

    return LCM_NONE;
}

int __init lcm_find_function(const struct lcm *lcm, uint32_t function)
{
    return lcm_find_role(lcm, 0, function, 0);
}

int __init lcm_find_permission(const struct lcm *lcm, uint32_t permission)
{
    return lcm_find_role(lcm, permission, 0, 0);
}

int __init lcm_find_name(const struct lcm *lcm, const char *name)
{
    unsigned int i;

    for ( i = 0; i < lcm->nr_domains; i++ )
        if ( !strcmp(lcm->domains[i].name, name) )
            return i;

    return LCM_NONE;
}

static bool __init is_boot_domain(const struct lcm *lcm, int domain)
{
    return lcm->domains[domain].functions & LCM_FUNC_BOOT;
}

/* The first domain with the role that is not the boot domain, or LCM_NONE. */
static int __init find_lasting(const struct lcm *lcm, uint32_t permission,
                               uint32_t function)
{
    int domain = lcm_find_role(lcm, permission, function, 0);

    while ( domain != LCM_NONE && is_boot_domain(lcm, domain) )
        domain = lcm_find_role(lcm, permission, function, domain + 1);

    return domain;
}

int __init lcm_console_owner(const struct lcm *lcm)
{
    int owner = find_lasting(lcm, 0, LCM_FUNC_CONSOLE);
    unsigned int i;

    if ( owner == LCM_NONE )
        owner = find_lasting(lcm, LCM_PERM_CONTROL, 0);
    if ( owner == LCM_NONE )
        owner = find_lasting(lcm, LCM_PERM_HARDWARE, 0);

    for ( i = 0; owner == LCM_NONE && i < lcm->nr_domains; i++ )
        if ( !is_boot_domain(lcm, i) )
            owner = i;

    return owner;
}

bool __init lcm_is_dynamic(const struct lcm *lcm)
{
    return lcm_find_permission(lcm, LCM_PERM_CONTROL) != LCM_NONE;
}

/*
 * A PV domain with a ring to the store starts after xenstored has introduced
 * it.  It has no ring if that may never happen, or if others may wait for it:
 * as a guest of a static launch, in which only the hardware domain is
 * introduced; with a function; and as domain 0, which introduces itself.
 */
int __init lcm_store_of(const struct lcm *lcm, const struct lcm_domain *dom)
{
    if ( (dom->mode & LCM_MODE_PV) &&
         (dom->functions || !dom->domid ||
          (!(dom->permissions & LCM_PERM_HARDWARE) && !lcm_is_dynamic(lcm))) )
        return LCM_NONE;

    return lcm_find_function(lcm, LCM_FUNC_XENSTORE);
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
