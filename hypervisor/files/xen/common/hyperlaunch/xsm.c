/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * XSM labels of the domains: security-id, or a default, looked up in the
 * loaded policy before the first domain is built.
 */

#include <xen/lib.h>
#include <xen/string.h>

#include <xsm/xsm.h>

#include "private.h"

#define DEFAULT_USER_AND_ROLE "system_u:system_r:"
#define DEFAULT_LABEL         DEFAULT_USER_AND_ROLE "domu_t"
#define LABEL_SIZE            256

static uint32_t __initdata ssidrefs[LCM_MAX_DOMAINS];

/* A type alone gets the default user and role. */
static int __init written_ssidref(const char *id, uint32_t *ret)
{
    static char __initdata label[LABEL_SIZE];
    const char *prefix = strchr(id, ':') ? "" : DEFAULT_USER_AND_ROLE;
    int length = snprintf(label, sizeof(label), "%s%s", prefix, id);

    return length < sizeof(label) ? xsm_initial_ssidref(label, false, ret)
                                  : -EINVAL;
}

/* True if the domain has all that a classic dom0 has. */
static bool __init is_dom0(const struct lcm_domain *dom)
{
    uint32_t all = LCM_PERM_CONTROL | LCM_PERM_HARDWARE;

    return (dom->permissions & all) == all;
}

/* If the policy has no domu_t, Xen's own default for guests applies. */
static int __init default_ssidref(const struct lcm_domain *dom, uint32_t *ret)
{
    static char __initdata label[] = DEFAULT_LABEL;
    int rc;

    if ( is_dom0(dom) )
        return xsm_initial_ssidref(NULL, true, ret);

    rc = xsm_initial_ssidref(label, false, ret);

    return rc == -EINVAL ? xsm_initial_ssidref(NULL, false, ret) : rc;
}

/*
 * Returns the second domain with dom0's label, which FLASK allows only once.
 */
static int __init check_dom0_label(const struct lcm *lcm)
{
    uint32_t dom0;
    unsigned int i, n = 0;

    if ( xsm_initial_ssidref(NULL, true, &dom0) || !dom0 )
        return LCM_NONE;

    for ( i = 0; i < lcm->nr_domains; i++ )
        if ( ssidrefs[i] == dom0 && n++ )
            return i;

    return LCM_NONE;
}

static int __init check_policy(const struct lcm *lcm,
                               struct hl_build_error *err)
{
    const struct lcm_module *policy = lcm->xsm_policy == LCM_NONE
                                      ? NULL : &lcm->modules[lcm->xsm_policy];

    if ( !policy || arch_hyperlaunch_policy_found(policy->index) )
        return 0;

    return hyperlaunch_fail(err, LCM_ERR_XSM_POLICY, policy->node, NULL, 0);
}

static int __init fail(const struct lcm_domain *dom, int rc,
                       struct hl_build_error *err)
{
    return hyperlaunch_fail(err, LCM_ERR_SECURITY_LABEL, dom->node,
                            "security-id", rc == -EINVAL ? 0 : rc);
}

int __init hyperlaunch_resolve_labels(const struct lcm *lcm,
                                      struct hl_build_error *err)
{
    unsigned int i;
    int rc = check_policy(lcm, err), twice;

    if ( rc )
        return rc;

    for ( i = 0; i < lcm->nr_domains; i++ )
    {
        const struct lcm_domain *dom = &lcm->domains[i];

        rc = dom->security_id ? written_ssidref(dom->security_id, &ssidrefs[i])
                              : default_ssidref(dom, &ssidrefs[i]);
        if ( rc )
            return fail(dom, rc, err);
    }

    twice = check_dom0_label(lcm);
    if ( twice != LCM_NONE )
        return fail(&lcm->domains[twice], -EEXIST, err);

    if ( lcm->xsm_policy != LCM_NONE && !ssidrefs[0] )
        printk(XENLOG_WARNING "hyperlaunch: warning: the XSM policy is not in"
               " use: this Xen does not run FLASK\n");

    return 0;
}

uint32_t __init hyperlaunch_ssidref(unsigned int index)
{
    return ssidrefs[index];
}

/*
 * Local variables:
 * mode: C
 * c-file-style: "BSD"
 * c-basic-offset: 4
 * tab-width: 4
 * indent-tabs-mode: nil
 * End:
 */
