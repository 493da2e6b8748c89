/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Back end of a domain's PV console ring.  Ring, port and grant reference stay
 * the same for the guest; the domain that may bind and map them changes.
 */

#include <xen/event.h>
#include <xen/grant_table.h>
#include <xen/lib.h>
#include <xen/sched.h>

#include <xsm/xsm.h>

#include <public/grant_table.h>

#include "private.h"

/*
 * Ports that a toolstack makes for a domain before it runs are among these:
 * those of store and console.
 */
#define NR_FIRST_PORTS 64

/* Returns 0 if the domain has no ring. */
static uint32_t recorded_port(domid_t domid)
{
    const struct xen_hyperlaunch_domain *rec = hyperlaunch_find_domain(domid);

    return rec ? rec->console_port : 0;
}

static bool is_recorded_store(domid_t domid, uint32_t port)
{
    const struct xen_hyperlaunch_domain *rec = hyperlaunch_find_domain(domid);

    return rec && rec->store_port == port;
}

/*
 * The store of a PV domain is not known to Xen by its port.  As long as none
 * of the domain's ports is bound, it may be this one.
 */
static bool has_bound_port(struct domain *d)
{
    evtchn_port_t port;
    bool found = false;

    read_lock(&d->event_lock);
    for ( port = 1; !found && port < NR_FIRST_PORTS && port_is_valid(d, port);
          port++ )
        found = evtchn_from_port(d, port)->state == ECS_INTERDOMAIN;
    read_unlock(&d->event_lock);

    return found;
}

static bool is_console_port(struct domain *d, uint32_t port)
{
    return arch_hyperlaunch_is_console_port(d, port) &&
           !is_recorded_store(d->domain_id, port) &&
           (is_hvm_domain(d) || has_bound_port(d));
}

/* Called with the lock of d's ports held. */
static int cf_check move_ring(struct domain *d, domid_t from, domid_t to)
{
    int rc = gnttab_retarget(d, GNTTAB_RESERVED_CONSOLE, from, to);

    if ( !rc )
        hyperlaunch_console_exchanged(d);

    return rc;
}

static int set_backend(struct domain *d, uint32_t port, struct domain *backend)
{
    uint32_t recorded = recorded_port(d->domain_id);
    int rc;

    if ( d == backend )
        return -EINVAL;
    if ( !port && !recorded )
        return -ENOENT;
    if ( port && !is_console_port(d, port) )
        return -EINVAL;

    rc = xsm_ring_backend(XSM_HOOK, d, backend);
    if ( !rc )
        rc = evtchn_retarget(d, port ?: recorded, !port, backend->domain_id,
                             move_ring);

    /* Of a sysctl, -EACCES says that its version is another one. */
    return rc == -EACCES ? -EPERM : rc;
}

int hyperlaunch_console_set_backend(domid_t domid, uint32_t port,
                                    domid_t backend)
{
    struct domain *d = rcu_lock_domain_by_id(domid);
    struct domain *server = rcu_lock_domain_by_id(backend);
    int rc = -ESRCH;

    if ( d && server && !d->is_dying && !server->is_dying )
        rc = set_backend(d, port, server);

    if ( server )
        rcu_unlock_domain(server);
    if ( d )
        rcu_unlock_domain(d);

    return rc;
}

/* The domain that has bound a PV console's port, or may bind it. */
static domid_t port_backend(struct domain *d, uint32_t port)
{
    domid_t backend = DOMID_INVALID;
    const struct evtchn *chn;

    if ( !port || !port_is_valid(d, port) )
        return backend;

    read_lock(&d->event_lock);
    chn = evtchn_from_port(d, port);
    if ( chn->ring_console && chn->state == ECS_UNBOUND )
        backend = chn->u.unbound.remote_domid;
    else if ( chn->ring_console && chn->state == ECS_INTERDOMAIN )
        backend = chn->u.interdomain.remote_dom->domain_id;
    read_unlock(&d->event_lock);

    return backend;
}

bool hyperlaunch_console_is_backend(const struct domain *d, domid_t domid)
{
    struct domain *guest = rcu_lock_domain_by_id(domid);
    bool is_backend;

    if ( !guest )
        return false;

    is_backend = port_backend(guest, recorded_port(domid)) == d->domain_id;
    rcu_unlock_domain(guest);

    return is_backend;
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
