/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The domains of a launch: built one after the other, paused, and connected;
 * or the crash domain alone, if that fails.
 */

#include <xen/lib.h>
#include <xen/sched.h>
#include <xen/softirq.h>
#include <xen/string.h>

#include "private.h"

static struct domain *__initdata built[LCM_MAX_DOMAINS];

static int __init build_one(const struct lcm *lcm, unsigned int i,
                            struct hl_build_error *err)
{
    const struct lcm_domain *dom = &lcm->domains[i];
    int rc = arch_hyperlaunch_supports(lcm, dom, err);

    if ( !rc )
        rc = arch_hyperlaunch_create(lcm, i, &built[i], err);
    if ( rc )
    {
        hyperlaunch_domain(i)->state = XEN_HYPERLAUNCH_DOM_FAILED;
        return rc;
    }

    memcpy(built[i]->handle, dom->uuid, sizeof(dom->uuid));
    hyperlaunch_record_built(i, built[i]);
    process_pending_softirqs();

    return hyperlaunch_set_affinity(lcm, i, built[i], err);
}

/*
 * The hardware domain is first, as Xen assigns devices to it while it finds
 * them.  The crash domain is next, in case that building the others fails.
 */
int __init hyperlaunch_build_domains(const struct lcm *lcm,
                                     struct hl_build_error *err)
{
    int hardware = lcm_find_permission(lcm, LCM_PERM_HARDWARE);
    int crash = lcm_find_function(lcm, LCM_FUNC_CRASH);
    unsigned int i;
    int rc = build_one(lcm, hardware, err);

    if ( !rc && crash != LCM_NONE && crash != hardware )
        rc = build_one(lcm, crash, err);

    for ( i = 0; !rc && i < lcm->nr_domains; i++ )
        if ( !built[i] )
            rc = build_one(lcm, i, err);

    return rc ?: hyperlaunch_connect(lcm, built, err);
}

/* True if the domain runs only after a failed launch. */
static bool __init is_crash_only(const struct lcm_domain *dom)
{
    return !dom->permissions && dom->functions == LCM_FUNC_CRASH;
}

void __init hyperlaunch_hold_domains(const struct lcm *lcm)
{
    unsigned int i;

    for ( i = 0; i < lcm->nr_domains; i++ )
        if ( is_crash_only(&lcm->domains[i]) )
            hyperlaunch_set_domain_state(hyperlaunch_domain(i),
                                         XEN_HYPERLAUNCH_DOM_PAUSED);
        else if ( lcm->domains[i].hold )
            hyperlaunch_set_domain_state(hyperlaunch_domain(i),
                                         XEN_HYPERLAUNCH_DOM_HELD);
}

static void __init reclaim(unsigned int i)
{
    struct xen_hyperlaunch_domain *rec = hyperlaunch_domain(i);

    hyperlaunch_destroy(built[i]);
    built[i] = NULL;
    rec->domid = XEN_HYPERLAUNCH_NO_DOMID;
    if ( rec->state != XEN_HYPERLAUNCH_DOM_FAILED )
        rec->state = XEN_HYPERLAUNCH_DOM_RECLAIMED;
}

/* Only the crash domain's own modules must match their digests. */
static int __init build_crash_domain(const struct lcm *lcm, int crash,
                                     struct hl_build_error *err)
{
    int hardware = lcm_find_permission(lcm, LCM_PERM_HARDWARE);
    int rc = arch_hyperlaunch_may_run(&lcm->domains[crash], err) ?:
             hyperlaunch_check_digests(lcm, crash, err);

    if ( rc )
        return rc;

    if ( hardware != crash )
    {
        rc = arch_hyperlaunch_stand_in(&lcm->domains[hardware],
                                       hyperlaunch_ssidref(hardware));
        if ( rc )
            return hyperlaunch_fail(err, LCM_ERR_BUILD,
                                    lcm->domains[hardware].node, NULL, rc);
    }

    return build_one(lcm, crash, err);
}

int __init hyperlaunch_keep_crash_domain(const struct lcm *lcm,
                                         struct hl_build_error *err)
{
    int crash = lcm_find_function(lcm, LCM_FUNC_CRASH);
    unsigned int i;
    int rc = 0;

    if ( crash == LCM_NONE ||
         hyperlaunch_domain(crash)->state == XEN_HYPERLAUNCH_DOM_FAILED )
        return -ENOENT;

    for ( i = 0; i < lcm->nr_domains; i++ )
        if ( i != crash && built[i] && !is_hardware_domain(built[i]) )
            reclaim(i);

    if ( !built[crash] )
        rc = build_crash_domain(lcm, crash, err);
    if ( rc )
        return rc;

    /* Without its rings the crash domain still has the Xen console. */
    if ( hyperlaunch_connect(lcm, built, err) )
        hyperlaunch_report_error(err);

    return 0;
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
