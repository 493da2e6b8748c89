/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Who serves a domain's PV console ring.  The ring, its port and its grant stay
 * as the guest knows them; who may bind the one and map the other changes.
 */

#include <xen/event.h>
#include <xen/grant_table.h>
#include <xen/hyperlaunch-launch.h>
#include <xen/lib.h>
#include <xen/sched.h>

#include <public/grant_table.h>

/* 0: such a domain has no ring. */
static uint32_t console_port(domid_t domid)
{
    const struct xen_hyperlaunch_domain *rec;
    uint32_t port;

    launch_lock();
    rec = launch_find(domid);
    port = rec ? rec->console_port : 0;
    launch_unlock();

    return port;
}

/* Both or neither: where the grant can't follow, the port goes back. */
static int move(struct domain *d, domid_t backend)
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
        printk(XENLOG_WARNING "hyperlaunch: %pd's console port is d%u's now,"
               " its ring is not\n", d, backend);

    return rc;
}

int launch_move_console(domid_t domid, domid_t backend)
{
    struct domain *d = rcu_lock_domain_by_id(domid);
    struct domain *server = rcu_lock_domain_by_id(backend);
    int rc = -ESRCH;

    if ( d && server && !d->is_dying && !server->is_dying )
        rc = d == server ? -EINVAL : move(d, backend);

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
