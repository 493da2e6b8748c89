/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Record of a launch while it is built: plan, roles, modules, result, error.
 */

#include <xen/lib.h>
#include <xen/sched.h>
#include <xen/string.h>
#include <xen/time.h>

#include "private.h"

static void __init record_plan(const struct lcm *lcm, unsigned int i)
{
    const struct lcm_domain *dom = &lcm->domains[i];
    struct xen_hyperlaunch_domain *rec = hyperlaunch_domain(i);

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
    struct xen_hyperlaunch_info *info = hyperlaunch_info_rw();

    info->hwdom_domid =
        domid_of(lcm, lcm_find_permission(lcm, LCM_PERM_HARDWARE));
    info->boot_domid = domid_of(lcm, lcm_find_function(lcm, LCM_FUNC_BOOT));
    info->crash_domid = domid_of(lcm, lcm_find_function(lcm, LCM_FUNC_CRASH));
    info->console_domid =
        domid_of(lcm, lcm_find_function(lcm, LCM_FUNC_CONSOLE));
    info->xenstore_domid =
        domid_of(lcm, lcm_find_function(lcm, LCM_FUNC_XENSTORE));
}

/* Several nodes may name one module; the first one's type is recorded. */
static void __init record_modules(const struct lcm *lcm)
{
    unsigned int i;

    for ( i = 0; i < lcm->nr_modules; i++ )
    {
        const struct lcm_module *mod = &lcm->modules[i];
        struct xen_hyperlaunch_module *rec = hyperlaunch_module(mod->index);

        if ( rec->type == XEN_HYPERLAUNCH_NO_MODULE )
            rec->type = mod->type;
        if ( mod->domain != LCM_NONE )
            rec->users |= 1u << mod->domain;
    }
}

int __init hyperlaunch_record_launch(const struct lcm *lcm, size_t size,
                                     unsigned int nr_modules)
{
    unsigned int i;
    int rc = hyperlaunch_record_init(hyperlaunch_blob(), size, lcm->nr_domains,
                                     nr_modules);

    if ( rc )
        return rc;

    hyperlaunch_add_event(XEN_HYPERLAUNCH_EV_LCM_FOUND,
                          XEN_HYPERLAUNCH_NO_DOMID, size);
    hyperlaunch_set_state(XEN_HYPERLAUNCH_STATE_BUILDING);

    for ( i = 0; i < lcm->nr_domains; i++ )
    {
        record_plan(lcm, i);
        lcm_path(hyperlaunch_blob(), lcm->domains[i].node,
                 hyperlaunch_domain_path(i), XEN_HYPERLAUNCH_PATH_SIZE);
    }

    record_roles(lcm);
    record_modules(lcm);

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

void __init hyperlaunch_record_built(unsigned int index,
                                     const struct domain *d)
{
    struct xen_hyperlaunch_domain *rec = hyperlaunch_domain(index);

    rec->domid = d->domain_id;
    rec->store_gfn = arch_hyperlaunch_store_gfn(d);
    rec->console_gfn = arch_hyperlaunch_console_gfn(d);
    rec->built_ns = NOW();
    rec->state = XEN_HYPERLAUNCH_DOM_BUILT;
    hyperlaunch_add_event(XEN_HYPERLAUNCH_EV_BUILT, rec->domid, index);
    print_domain(rec);
}

/*
 * Returns the domain of its own, a module's or a device's node, or LCM_NONE.
 */
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
    struct xen_hyperlaunch_domain *rec = hyperlaunch_domain(index);

    if ( !rec )
        return;

    hyperlaunch_info_rw()->error_domain = index;
    rec->state = XEN_HYPERLAUNCH_DOM_FAILED;
    rec->error = err->lcm.code;
    rec->errnum = -err->rc;
    strlcpy(rec->error_prop, err->lcm.prop ?: "", sizeof(rec->error_prop));
    hyperlaunch_add_event(XEN_HYPERLAUNCH_EV_BUILD_FAILED,
                          lcm->domains[index].domid, err->lcm.code);
}

void __init hyperlaunch_record_error(const struct lcm *lcm,
                                     const struct hl_build_error *err)
{
    struct xen_hyperlaunch_info *info = hyperlaunch_info_rw();
    int index = domain_of_node(lcm, err->lcm.node);

    info->error = err->lcm.code;
    hyperlaunch_error_path(err, info->error_path, sizeof(info->error_path));
    strlcpy(info->error_prop, err->lcm.prop ?: "", sizeof(info->error_prop));

    if ( index != LCM_NONE )
        record_failed_domain(lcm, index, err);
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
