/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Back end of a domain's PV console ring.  Ring, port and grant reference stay
 * the same for the guest; the domain that may bind and map them changes.
 */

#include <xen/event.h>
#include <xen/grant_table.h>
#include <xen/lib.h>
#include <xen/sched.h>
#include <xen/spinlock.h>

#include <xsm/xsm.h>

#include <public/grant_table.h>

#include "private.h"

/* Keeps port and grant of a ring together. */
static DEFINE_SPINLOCK(move_lock);

/* Returns 0 if the domain has no ring. */
static uint32_t console_port(domid_t domid)
{
    const struct xen_hyperlaunch_domain *rec = hyperlaunch_find_domain(domid);

    return rec ? rec->console_port : 0;
}

/*
 * Moves both or neither: if the grant cannot be moved, the port is moved back.
 */
static int move_ring(struct domain *d, domid_t backend)
{
    uint32_t port = console_port(d->domain_id);
    domid_t old, moved;
    int rc;

    if ( !port )
        return -ENOENT;

    rc = evtchn_retarget(d, port, backend, &old);
    if ( rc )
        return rc;

    rc = gnttab_retarget(d, GNTTAB_RESERVED_CONSOLE, backend);
    if ( rc && evtchn_retarget(d, port, old, &moved) )
        printk(XENLOG_WARNING
               "hyperlaunch: %pd's console port has moved to d%u,"
               " its ring has not\n", d, backend);

    return rc;
}

int hyperlaunch_console_set_backend(domid_t domid, domid_t backend)
{
    struct domain *d = rcu_lock_domain_by_id(domid);
    struct domain *server = rcu_lock_domain_by_id(backend);
    int rc = -ESRCH;

    if ( d && server && !d->is_dying && !server->is_dying )
    {
        spin_lock(&move_lock);
        rc = d == server ? -EINVAL
                         : xsm_ring_backend(XSM_HOOK, d, server) ?:
                           move_ring(d, backend);
        spin_unlock(&move_lock);
    }

    if ( server )
        rcu_unlock_domain(server);
    if ( d )
        rcu_unlock_domain(d);

    return rc;
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
