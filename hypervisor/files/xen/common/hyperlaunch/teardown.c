/* SPDX-License-Identifier: GPL-2.0-only */
/* Destruction of domains that have never run, while a launch is built. */

#include <xen/hyperlaunch-build.h>
#include <xen/sched.h>
#include <xen/softirq.h>

void __init hyperlaunch_destroy(struct domain *d)
{
    while ( domain_kill(d) == -ERESTART )
        process_pending_softirqs();
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
