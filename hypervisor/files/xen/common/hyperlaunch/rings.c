/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Store and console rings: an event channel and a grant from each domain to
 * its back end, made when all domains exist; and what else back ends need.
 */

#include <xen/event.h>
#include <xen/grant_table.h>
#include <xen/sched.h>

#include <public/grant_table.h>

#include "private.h"

static int __init open_port(struct domain *d, const struct domain *backend,
                            grant_ref_t ref, uint32_t *ret_port)
{
    evtchn_alloc_unbound_t alloc = {
        .dom = d->domain_id,
        .remote_dom = backend->domain_id,
    };
    int rc;

    if ( is_pv_domain(d) && ref == GNTTAB_RESERVED_XENSTORE )
        return hyperlaunch_store_port(d, backend->domain_id, ret_port);

    rc = evtchn_alloc_unbound(&alloc, 0);
    if ( rc )
        return rc;

    *ret_port = alloc.port;
    if ( ref == GNTTAB_RESERVED_CONSOLE )
        evtchn_set_ring_console(d, alloc.port);

    return 0;
}

/* Connects one ring of d to the back end, if d has a page for it. */
static int __init link_ring(struct domain *d, const struct domain *backend,
                            uint64_t gfn, grant_ref_t ref, uint32_t *ret_port)
{
    int rc;

    if ( !backend || backend == d || gfn == XEN_HYPERLAUNCH_NO_GFN )
        return 0;

    rc = gnttab_preset(d, ref, backend->domain_id, gfn);

    return rc ?: open_port(d, backend, ref, ret_port);
}

static int __init link_domain(struct domain *d, const struct domain *store,
                              const struct domain *console,
                              struct xen_hyperlaunch_domain *rec)
{
    int rc = link_ring(d, store, rec->store_gfn, GNTTAB_RESERVED_XENSTORE,
                       &rec->store_port);

    if ( !rc )
        rc = link_ring(d, console, rec->console_gfn, GNTTAB_RESERVED_CONSOLE,
                       &rec->console_port);
    if ( rc )
        return rc;

    if ( rec->store_port )
        arch_hyperlaunch_set_store(d, rec->store_gfn, rec->store_port);
    if ( rec->console_port )
    {
        arch_hyperlaunch_set_console(d, rec->console_gfn, rec->console_port);
        rc = hyperlaunch_console_add_ring(rec);
        if ( rc )
            return rc;
    }

    /*
     * xenstored works only with a kernel that knows the store to be its own.
     */
    return d == store ? arch_hyperlaunch_set_xenstore_domain(d) : 0;
}

/*
 * All domains start at once, and guests wait for their back ends: with equal
 * weights that takes longer with each guest.  A toolstack may set other
 * weights at any time.
 */
#define SERVER_WEIGHT 1024          /* guests have 256 */

static int __init set_weight(struct domain *d)
{
    struct xen_domctl_scheduler_op op = {
        .sched_id = scheduler_id(),
        .cmd = XEN_DOMCTL_SCHEDOP_putinfo,
    };

    switch ( op.sched_id )
    {
    case XEN_SCHEDULER_CREDIT2:
        op.u.credit2.weight = SERVER_WEIGHT;
        break;

    case XEN_SCHEDULER_CREDIT:
        op.u.credit.weight = SERVER_WEIGHT;
        op.u.credit.cap = -1;           /* unchanged */
        break;

    default:
        return 0;
    }

    return sched_adjust(d, &op);
}

/*
 * Global VIRQs for the domains that handle them, not for the hardware domain.
 */
static int __init set_virq_handlers(const struct lcm *lcm,
                               struct domain *const domains[])
{
    int store = lcm_find_function(lcm, LCM_FUNC_XENSTORE);
    int control = lcm_find_permission(lcm, LCM_PERM_CONTROL);
    int rc = 0;

    if ( store != LCM_NONE && domains[store] )
        rc = set_global_virq_handler(domains[store], VIRQ_DOM_EXC);
    if ( !rc && control != LCM_NONE && domains[control] )
        rc = set_global_virq_handler(domains[control], VIRQ_CON_RING);

    return rc;
}

int __init hyperlaunch_connect(const struct lcm *lcm,
                               struct domain *const domains[],
                               struct hl_build_error *err)
{
    int console = lcm_console_owner(lcm);
    unsigned int i;
    int rc = set_virq_handlers(lcm, domains);

    if ( rc )
        return hyperlaunch_fail(err, LCM_ERR_BUILD, LCM_NONE, NULL, rc);

    for ( i = 0; i < lcm->nr_domains; i++ )
    {
        int store = lcm_store_of(lcm, &lcm->domains[i]);

        /* In a recovery only some domains exist. */
        if ( !domains[i] )
            continue;

        if ( hyperlaunch_is_server(&lcm->domains[i]) )
            rc = set_weight(domains[i]);
        if ( !rc )
            rc = link_domain(domains[i],
                             store == LCM_NONE ? NULL : domains[store],
                             console == LCM_NONE ? NULL : domains[console],
                             hyperlaunch_domain(i));
        if ( rc )
            return hyperlaunch_fail(err, LCM_ERR_BUILD, lcm->domains[i].node,
                                    NULL, rc);
    }

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
