/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Start of PV guests that use xenstore.  Their kernels send a request as soon
 * as they boot, but xenstored discards the contents of a ring when it
 * introduces the domain: an earlier request would never be answered.  So Xen
 * keeps the guest's end of the channel, and a pause of its own, until
 * xenstored sends its first event there, which it does after that.
 */

#include <xen/event.h>
#include <xen/sched.h>

#include "private.h"

static void cf_check store_served(struct vcpu *v, unsigned int port)
{
    struct domain *d = v->domain;

    if ( evtchn_detach_xen(d, port) )
        domain_unpause(d);
}

int __init hyperlaunch_store_port(struct domain *d, domid_t backend,
                                  uint32_t *ret_port)
{
    int rc = alloc_unbound_xen_event_channel(d, 0, backend, store_served);

    if ( rc < 0 )
        return rc;

    *ret_port = rc;
    domain_pause_nosync(d);

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
