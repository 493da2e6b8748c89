/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Adoption: a domain that a toolstack has built takes the place of an initial
 * domain that is gone.  What Xen cannot know is what it was built of, so the
 * record says that it is adopted.
 */

#include <xen/event.h>
#include <xen/lib.h>
#include <xen/sched.h>
#include <xen/string.h>
#include <xen/time.h>

#include <xsm/xsm.h>

#include <public/domctl.h>

#include "private.h"

/* Of this boot so far.  Protected by hyperlaunch_lock. */
static uint32_t adoptions;

/*
 * Other domains depend on these from their start, and Xen has set up more for
 * them than the record says.
 */
static bool is_replaceable(const struct xen_hyperlaunch_domain *rec)
{
    return !rec->permissions && !(rec->functions & ~LCM_FUNC_CONSOLE);
}

static bool has_label(struct domain *d, uint32_t ssidref)
{
    struct xen_domctl_getdomaininfo info = {};

    xsm_security_domaininfo(d, &info);

    return info.ssidref == ssidref;
}

static bool has_uuid(const struct domain *d, const uint8_t uuid[16])
{
    BUILD_BUG_ON(sizeof(d->handle) != 16);

    return !memchr_inv(uuid, 0, sizeof(d->handle)) ||
           !memcmp(d->handle, uuid, sizeof(d->handle));
}

/*
 * Start, shutdown and destruction call the hooks of launch.c after they have
 * set what is looked at here.  These take the lock as well, so they find the record if the
 * domain passes.
 */
static int check(struct domain *d, const struct xen_hyperlaunch_domain *rec)
{
    ASSERT(spin_is_locked(&hyperlaunch_lock));

    if ( !hyperlaunch_in_force() ||
         rec->state != XEN_HYPERLAUNCH_DOM_RECLAIMED )
        return -EBUSY;
    if ( d->is_dying )
        return -ESRCH;
    if ( is_hardware_domain(d) )
        return -EPERM;
    if ( hyperlaunch_find_domain(d->domain_id) )
        return -EEXIST;
    if ( d->creation_finished || d->is_shutting_down )
        return -ENXIO;

    return arch_hyperlaunch_is_type(d, rec->mode) &&
           has_label(d, rec->ssidref) && has_uuid(d, rec->uuid) ? 0 : -EINVAL;
}

static void announce(const struct xen_hyperlaunch_domain *rec)
{
    if ( rec->functions & LCM_FUNC_CONSOLE )
        hyperlaunch_info_rw()->console_domid = rec->domid;

    hyperlaunch_add_event(XEN_HYPERLAUNCH_EV_ADOPTED, rec->domid, rec->index);
    printk("hyperlaunch: d%u: adopted as \"%s\"\n", rec->domid, rec->name);
}

/*
 * Some read the record without the lock; they look at the state first, which
 * therefore changes last.
 */
static int bind(struct xen_hyperlaunch_domain *rec, const struct domain *d)
{
    struct xen_hyperlaunch_domain next = *rec;
    int rc = 0;

    next.domid = d->domain_id;
    next.adoption = adoptions + 1;
    next.built_ns = NOW();
    next.started_ns = next.ready_ns = 0;
    arch_hyperlaunch_find_rings(d, &next);
    if ( next.console_port )
        rc = hyperlaunch_console_add_ring(&next);
    if ( rc )
        return rc;

    adoptions++;
    *rec = next;
    smp_wmb();
    hyperlaunch_set_domain_state(rec, XEN_HYPERLAUNCH_DOM_BUILT);
    hyperlaunch_has_no_pause(rec);
    announce(rec);

    return 0;
}

static int adopt(struct xen_hyperlaunch_domain *rec, struct domain *d)
{
    uint32_t console = 0;
    int rc;

    spin_lock(&hyperlaunch_lock);
    rc = check(d, rec) ?: bind(rec, d);
    if ( !rc )
        console = rec->console_port;
    spin_unlock(&hyperlaunch_lock);

    if ( console )
        evtchn_set_ring_console(d, console);

    return rc;
}

int hyperlaunch_adopt(uint32_t index, domid_t domid)
{
    struct xen_hyperlaunch_domain *rec = hyperlaunch_domain(index);
    struct domain *d;
    int rc;

    if ( !rec )
        return -ENOENT;
    if ( !is_replaceable(rec) )
        return -EPERM;

    d = rcu_lock_domain_by_id(domid);
    if ( !d )
        return -ESRCH;

    rc = adopt(rec, d);
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
