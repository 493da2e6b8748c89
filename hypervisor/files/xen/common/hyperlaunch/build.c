/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * From a parsed LCM to built, paused, connected domains; and what happens
 * when that does not work out.
 */

#include <xen/hyperlaunch-launch.h>
#include <xen/lib.h>
#include <xen/sched.h>
#include <xen/softirq.h>
#include <xen/string.h>

#include "private.h"

static struct domain *__initdata built[LCM_MAX_DOMAINS];

static void __init record_plan(const struct lcm *lcm, unsigned int i)
{
    const struct lcm_domain *dom = &lcm->domains[i];
    struct xen_hyperlaunch_domain *rec = launch_domain(i);

    rec->index = i;
    rec->state = XEN_HYPERLAUNCH_DOM_PLANNED;
    rec->requested_domid = dom->requested_domid;
    rec->domid = XEN_HYPERLAUNCH_NO_DOMID;
    rec->permissions = dom->permissions;
    rec->functions = dom->functions;
    rec->mode = dom->mode;
    rec->cpus = dom->cpus;
    rec->memory_kib = dom->memory_kib;
    rec->ssidref = hyperlaunch_ssidref(i);
    memcpy(rec->uuid, dom->uuid, sizeof(rec->uuid));
    rec->kernel = dom->kernel == LCM_NONE ? XEN_HYPERLAUNCH_NO_MODULE
                                          : lcm->modules[dom->kernel].index;
    rec->ramdisk = dom->ramdisk == LCM_NONE ? XEN_HYPERLAUNCH_NO_MODULE
                                            : lcm->modules[dom->ramdisk].index;
    rec->store_gfn = rec->console_gfn = XEN_HYPERLAUNCH_NO_GFN;
    strlcpy(rec->name, dom->name, sizeof(rec->name));
}

static domid_t __init domid_of(const struct lcm *lcm, int index)
{
    return index == LCM_NONE ? XEN_HYPERLAUNCH_NO_DOMID
                             : lcm->domains[index].domid;
}

static void __init record_roles(const struct lcm *lcm)
{
    struct xen_hyperlaunch_info *info = launch_info();

    info->hwdom_domid =
        domid_of(lcm, lcm_find_permission(lcm, LCM_PERM_HARDWARE));
    info->boot_domid = domid_of(lcm, lcm_find_function(lcm, LCM_FUNC_BOOT));
    info->crash_domid = domid_of(lcm, lcm_find_function(lcm, LCM_FUNC_CRASH));
    info->console_domid =
        domid_of(lcm, lcm_find_function(lcm, LCM_FUNC_CONSOLE));
    info->xenstore_domid =
        domid_of(lcm, lcm_find_function(lcm, LCM_FUNC_XENSTORE));
}

/* Module nodes of one blob have one record; the first one's type counts. */
static void __init record_modules(const struct lcm *lcm)
{
    unsigned int i;

    for ( i = 0; i < lcm->nr_modules; i++ )
    {
        const struct lcm_module *mod = &lcm->modules[i];
        struct xen_hyperlaunch_module *rec = launch_module(mod->index);

        if ( rec->type == XEN_HYPERLAUNCH_NO_MODULE )
            rec->type = mod->type;
        if ( mod->domain != LCM_NONE )
            rec->users |= 1u << mod->domain;
    }
}

/* Whose node, or module's or device's node, that is; LCM_NONE: no domain's. */
static int __init domain_of_node(const struct lcm *lcm, int node)
{
    unsigned int i;

    for ( i = 0; i < lcm->nr_domains; i++ )
        if ( lcm->domains[i].node == node )
            return i;
    for ( i = 0; i < lcm->nr_modules; i++ )
        if ( lcm->modules[i].node == node )
            return lcm->modules[i].domain;
    for ( i = 0; i < lcm->nr_pci; i++ )
        if ( lcm->pci[i].node == node )
            return lcm->pci[i].domain;

    return LCM_NONE;
}

static void __init record_failed_domain(const struct lcm *lcm, int index,
                                        const struct hl_build_error *err)
{
    struct xen_hyperlaunch_domain *rec = launch_domain(index);

    if ( !rec )
        return;

    launch_info()->error_domain = index;
    rec->state = XEN_HYPERLAUNCH_DOM_FAILED;
    rec->error = err->lcm.code;
    rec->errnum = -err->rc;
    strlcpy(rec->error_prop, err->lcm.prop ?: "", sizeof(rec->error_prop));
    launch_event(XEN_HYPERLAUNCH_EV_BUILD_FAILED, lcm->domains[index].domid,
                 err->lcm.code);
}

static void __init record_error(const struct lcm *lcm,
                                const struct hl_build_error *err)
{
    struct xen_hyperlaunch_info *info = launch_info();
    int index = domain_of_node(lcm, err->lcm.node);

    info->error = err->lcm.code;
    hyperlaunch_error_path(err, info->error_path, sizeof(info->error_path));
    strlcpy(info->error_prop, err->lcm.prop ?: "", sizeof(info->error_prop));

    if ( index != LCM_NONE )
        record_failed_domain(lcm, index, err);
}

static int __init record_launch(const struct lcm *lcm, size_t size,
                                unsigned int nr_modules)
{
    unsigned int i;
    int rc = launch_record_init(hyperlaunch_blob(), size, lcm->nr_domains,
                                nr_modules);

    if ( rc )
        return rc;

    launch_event(XEN_HYPERLAUNCH_EV_LCM_FOUND, XEN_HYPERLAUNCH_NO_DOMID, size);
    launch_set_state(XEN_HYPERLAUNCH_STATE_BUILDING);

    for ( i = 0; i < lcm->nr_domains; i++ )
    {
        record_plan(lcm, i);
        lcm_path(hyperlaunch_blob(), lcm->domains[i].node, launch_path(i),
                 XEN_HYPERLAUNCH_PATH_SIZE);
    }

    return 0;
}

static void __init print_domain(const struct xen_hyperlaunch_domain *rec)
{
    const uint8_t *u = rec->uuid;

    printk("hyperlaunch: d%u \"%s\": %s, %u vCPU, %lu KiB,"
           " permissions %#x, functions %#x,"
           " uuid %4phN-%2phN-%2phN-%2phN-%6phN\n",
           rec->domid, rec->name, rec->mode & LCM_MODE_PV ? "PV" : "PVH",
           rec->cpus, rec->memory_kib, rec->permissions, rec->functions,
           u, u + 4, u + 6, u + 8, u + 10);
}

static int __init build_one(const struct lcm *lcm, unsigned int i,
                            struct hl_build_error *err)
{
    const struct lcm_domain *dom = &lcm->domains[i];
    struct xen_hyperlaunch_domain *rec = launch_domain(i);
    int rc = arch_hyperlaunch_supports(dom, err);

    if ( !rc )
        rc = arch_hyperlaunch_create(lcm, i, &built[i], err);
    if ( rc )
        return rc;

    memcpy(built[i]->handle, dom->uuid, sizeof(dom->uuid));
    rec->domid = built[i]->domain_id;
    rec->store_gfn = arch_hyperlaunch_store_gfn(built[i]);
    rec->console_gfn = arch_hyperlaunch_console_gfn(built[i]);
    rec->built_ns = NOW();
    rec->state = XEN_HYPERLAUNCH_DOM_BUILT;
    launch_event(XEN_HYPERLAUNCH_EV_BUILT, rec->domid, i);
    print_domain(rec);
    process_pending_softirqs();

    return 0;
}

/*
 * The hardware domain is first: Xen hands devices to it as they turn up.  Then
 * the crash domain, for whatever may go wrong with the others.
 */
static int __init build_all(const struct lcm *lcm, struct hl_build_error *err)
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

    return rc ?: hyperlaunch_link(lcm, built, err);
}

/* Is it there for the case that the launch fails, and for nothing else? */
static bool __init is_spare(const struct lcm_domain *dom)
{
    return !dom->permissions && dom->functions == LCM_FUNC_CRASH;
}

/* Who waits beyond the end of the launch: for a release, or for its failure. */
static void __init hold_domains(const struct lcm *lcm)
{
    unsigned int i;

    for ( i = 0; i < lcm->nr_domains; i++ )
        if ( is_spare(&lcm->domains[i]) )
            launch_set_domain_state(launch_domain(i),
                                    XEN_HYPERLAUNCH_DOM_PAUSED);
        else if ( lcm->domains[i].hold )
            launch_set_domain_state(launch_domain(i),
                                    XEN_HYPERLAUNCH_DOM_HELD);
}

void __init hyperlaunch_destroy(struct domain *d)
{
    while ( domain_kill(d) == -ERESTART )
        process_pending_softirqs();
}

static void __init reclaim(unsigned int i)
{
    struct xen_hyperlaunch_domain *rec = launch_domain(i);

    hyperlaunch_destroy(built[i]);
    built[i] = NULL;
    rec->domid = XEN_HYPERLAUNCH_NO_DOMID;
    if ( rec->state != XEN_HYPERLAUNCH_DOM_FAILED )
        rec->state = XEN_HYPERLAUNCH_DOM_RECLAIMED;
}

/*
 * Of the built domains the crash domain is left, and the hardware domain, which
 * Xen cannot be without but which does not run then.  False: there is no crash
 * domain that can run.
 */
static bool __init keep_crash_domain(const struct lcm *lcm)
{
    int crash = lcm_find_function(lcm, LCM_FUNC_CRASH);
    unsigned int i;

    if ( crash == LCM_NONE || !built[crash] || !hardware_domain )
        return false;

    for ( i = 0; i < lcm->nr_domains; i++ )
        if ( i != crash && built[i] && !is_hardware_domain(built[i]) )
            reclaim(i);

    return true;
}

/* hyperlaunch_start() runs the crash domain. */
static struct domain *__init recover(const struct lcm *lcm,
                                     const struct hl_build_error *err)
{
    record_error(lcm, err);
    launch_set_state(XEN_HYPERLAUNCH_STATE_RECOVERY);
    printk(XENLOG_ERR
           "hyperlaunch: recovery: only the crash domain d%u will run\n",
           domid_of(lcm, lcm_find_function(lcm, LCM_FUNC_CRASH)));

    return hardware_domain;
}

/*
 * The LCM is no good as a whole.  Its crash domain may be good on its own:
 * then that one is built, with the records of what it alone asks for.
 */
static struct domain *__init build_recovery(struct lcm *lcm, size_t size,
                                            const struct hl_build_error *cause)
{
    struct hl_build_error err = {};
    struct lcm_limits limits = {};
    int rc;

    arch_hyperlaunch_limits(&limits);

    if ( lcm_parse_recovery(hyperlaunch_blob(), size, lcm, &err.lcm) ||
         lcm_check(lcm, &limits, &err.lcm) || hyperlaunch_label(lcm, &err) ||
         record_launch(lcm, size, limits.nr_modules) )
        return NULL;

    printk(XENLOG_ERR "hyperlaunch: building the crash domain \"%s\" alone\n",
           lcm->domains[0].name);
    record_roles(lcm);
    record_modules(lcm);

    rc = arch_hyperlaunch_digest(lcm, &err) ?: build_all(lcm, &err);
    if ( rc )
    {
        hyperlaunch_report_error(&err);
        return NULL;
    }

    return keep_crash_domain(lcm) ? recover(lcm, cause) : NULL;
}

/* Closed is the default: nothing that the LCM did not ask for is started. */
static struct domain *__init last_resort(const struct lcm *lcm, size_t size,
                                         const struct hl_build_error *err)
{
    /* A hardware domain that was begun cannot be begun again. */
    if ( hardware_domain || arch_hyperlaunch_fallback() )
        launch_stop();

    if ( launch_info() ||
         !launch_record_init(hyperlaunch_blob(), size, 0, 0) )
    {
        record_error(lcm, err);
        launch_set_state(XEN_HYPERLAUNCH_STATE_FAILED);
    }

    printk(XENLOG_WARNING
           "hyperlaunch: hyperlaunch=fallback: starting a classic dom0\n");

    return NULL;
}

struct domain *__init hyperlaunch_build(void)
{
    struct hl_build_error err;
    struct lcm_limits limits = {};
    size_t size;
    struct lcm *lcm = hyperlaunch_lcm(&size, &err);

    if ( err.lcm.code )
        return build_recovery(lcm, size, &err) ?:
               last_resort(lcm, size, &err);

    arch_hyperlaunch_limits(&limits);

    if ( lcm_check(lcm, &limits, &err.lcm) || hyperlaunch_label(lcm, &err) )
    {
        hyperlaunch_report_error(&err);
        return build_recovery(lcm, size, &err) ?:
               last_resort(lcm, size, &err);
    }

    if ( record_launch(lcm, size, limits.nr_modules) )
    {
        hyperlaunch_fail(&err, LCM_ERR_NO_MEMORY, LCM_NONE, NULL, -ENOMEM);
        hyperlaunch_report_error(&err);
        return last_resort(lcm, size, &err);
    }

    record_roles(lcm);
    record_modules(lcm);

    if ( arch_hyperlaunch_digest(lcm, &err) || build_all(lcm, &err) )
    {
        hyperlaunch_report_error(&err);
        return keep_crash_domain(lcm) ? recover(lcm, &err)
                                      : last_resort(lcm, size, &err);
    }

    hold_domains(lcm);
    if ( lcm_find_function(lcm, LCM_FUNC_BOOT) != LCM_NONE )
        launch_prepare(lcm->boot_timeout_ms);
    else
        launch_set_state(XEN_HYPERLAUNCH_STATE_FINALIZING);

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
