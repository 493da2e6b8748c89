/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Building a launch from a parsed LCM: the order of its steps, and the
 * recovery if one of them fails.
 */

#include <xen/lib.h>
#include <xen/sched.h>

#include "private.h"

/*
 * Leaves the crash domain for hyperlaunch_start().  Returns NULL if there is
 * none that can run.
 */
static struct domain *__init recover(const struct lcm *lcm,
                                     const struct hl_build_error *err)
{
    struct hl_build_error other;
    int rc = hyperlaunch_keep_crash_domain(lcm, &other);

    if ( rc )
    {
        if ( rc != -ENOENT && other.lcm.node != err->lcm.node )
            hyperlaunch_report_error(&other);
        return NULL;
    }

    hyperlaunch_record_error(lcm, err);
    hyperlaunch_set_state(XEN_HYPERLAUNCH_STATE_RECOVERY);
    printk(XENLOG_ERR
           "hyperlaunch: recovery: only the crash domain d%u will run\n",
           hyperlaunch_info()->crash_domid);

    return hardware_domain;
}

/*
 * The LCM as a whole is invalid.  If its crash domain is valid on its own,
 * builds and records that one alone.  Returns NULL if not.
 */
static struct domain *__init build_recovery(struct lcm *lcm, size_t size,
                                            const struct hl_build_error *cause)
{
    struct hl_build_error err = {};
    struct lcm_limits limits = {};

    arch_hyperlaunch_limits(&limits);

    if ( lcm_parse_recovery(hyperlaunch_blob(), size, lcm, &err.lcm) ||
         lcm_check(lcm, &limits, &err.lcm) ||
         hyperlaunch_resolve_labels(lcm, &err) ||
         hyperlaunch_record_launch(lcm, size, limits.nr_modules) )
        return NULL;

    printk(XENLOG_ERR "hyperlaunch: building the crash domain \"%s\" alone\n",
           lcm->domains[0].name);
    arch_hyperlaunch_digest();

    return recover(lcm, cause);
}

/*
 * Without hyperlaunch=fallback nothing starts that the LCM does not ask for.
 */
static struct domain *__init last_resort(const struct lcm *lcm, size_t size,
                                         const struct hl_build_error *err)
{
    /* A hardware domain that was begun cannot be begun again. */
    if ( hardware_domain ||
         arch_hyperlaunch_fallback(err->lcm.code == LCM_ERR_DIGEST) )
        hyperlaunch_stop();

    if ( hyperlaunch_info() ||
         !hyperlaunch_record_init(hyperlaunch_blob(), size, 0, 0) )
    {
        hyperlaunch_record_error(lcm, err);
        hyperlaunch_set_state(XEN_HYPERLAUNCH_STATE_FAILED);
    }

    printk(XENLOG_WARNING
           "hyperlaunch: hyperlaunch=fallback: starting a classic dom0\n");

    return NULL;
}

static int __init check_hwdom(const struct lcm *lcm,
                              struct hl_build_error *err)
{
    int hwdom = lcm_find_permission(lcm, LCM_PERM_HARDWARE);

    return arch_hyperlaunch_may_run(&lcm->domains[hwdom], err);
}

/* The checks before anything is recorded or built.  Reports what fails. */
static int __init check_lcm(struct lcm *lcm, const struct lcm_limits *limits,
                            struct hl_build_error *err)
{
    int rc = lcm_check(lcm, limits, &err->lcm);

    if ( !rc )
        rc = hyperlaunch_check_affinity(lcm, err);
    if ( !rc )
        rc = hyperlaunch_resolve_labels(lcm, err);
    if ( !rc )
        rc = check_hwdom(lcm, err);
    if ( rc )
        hyperlaunch_report_error(err);

    return rc;
}

/* All domains are built: the launch waits for hyperlaunch_start(). */
static void __init finish_build(const struct lcm *lcm)
{
    hyperlaunch_hold_domains(lcm);
    if ( lcm_find_function(lcm, LCM_FUNC_BOOT) != LCM_NONE )
        hyperlaunch_prepare(lcm->boot_timeout_ms);
    else
        hyperlaunch_set_state(XEN_HYPERLAUNCH_STATE_FINALIZING);
}

struct domain *__init hyperlaunch_build(void)
{
    struct hl_build_error err;
    struct lcm_limits limits = {};
    size_t size;
    struct lcm *lcm = hyperlaunch_lcm(&size, &err);

    arch_hyperlaunch_limits(&limits);

    if ( err.lcm.code || check_lcm(lcm, &limits, &err) )
        return build_recovery(lcm, size, &err) ?:
               last_resort(lcm, size, &err);

    if ( hyperlaunch_record_launch(lcm, size, limits.nr_modules) )
    {
        hyperlaunch_fail(&err, LCM_ERR_NO_MEMORY, LCM_NONE, NULL, -ENOMEM);
        hyperlaunch_report_error(&err);
        return last_resort(lcm, size, &err);
    }

    arch_hyperlaunch_digest();

    if ( hyperlaunch_check_digests(lcm, LCM_NONE, &err) ||
         hyperlaunch_build_domains(lcm, &err) )
    {
        hyperlaunch_report_error(&err);
        return recover(lcm, &err) ?: last_resort(lcm, size, &err);
    }

    finish_build(lcm);

    return hardware_domain;
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
