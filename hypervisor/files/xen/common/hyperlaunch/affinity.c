/* SPDX-License-Identifier: GPL-2.0-only */
/* Hard affinity of the vCPUs of initial domains, from the LCM's vcpu nodes. */

#include <xen/cpumask.h>
#include <xen/lib.h>
#include <xen/sched.h>

#include "private.h"

/* Returns the first CPU of the node that is not online, or LCM_NONE. */
static int __init find_missing(const struct lcm_vcpu *vcpu)
{
    unsigned int pos = 0, cpu, last;

    while ( lcm_next_cpus(vcpu->hard_affinity, &pos, &cpu, &last) )
        for ( ; cpu <= last; cpu++ )
            if ( cpu >= nr_cpu_ids || !cpu_online(cpu) )
                return cpu;

    return LCM_NONE;
}

int __init hyperlaunch_check_affinity(const struct lcm *lcm,
                                      struct hl_build_error *err)
{
    const struct lcm_vcpu *vcpu;
    int cpu, rc;

    for ( vcpu = lcm->vcpus; vcpu < lcm->vcpus + lcm->nr_vcpus; vcpu++ )
    {
        cpu = vcpu->hard_affinity ? find_missing(vcpu) : LCM_NONE;
        if ( cpu == LCM_NONE )
            continue;
        rc = hyperlaunch_fail(err, LCM_ERR_CPU_HOST, vcpu->node,
                              "hard-affinity", 0);
        err->lcm.value = cpu;
        return rc;
    }

    return 0;
}

static int __init set_vcpu_affinity(struct vcpu *v, const char *hard_affinity)
{
    static cpumask_t __initdata mask;
    unsigned int pos = 0, cpu, last;
    int rc;

    cpumask_clear(&mask);
    while ( lcm_next_cpus(hard_affinity, &pos, &cpu, &last) )
        for ( ; cpu <= last; cpu++ )
            __cpumask_set_cpu(cpu, &mask);

    rc = vcpu_set_hard_affinity(v, &mask);
    if ( !rc )
        printk("hyperlaunch: %pv: hard affinity %*pbl\n", v,
               CPUMASK_PR(v->sched_unit->cpu_hard_affinity));

    return rc;
}

int __init hyperlaunch_set_affinity(const struct lcm *lcm, unsigned int index,
                                    struct domain *d,
                                    struct hl_build_error *err)
{
    const struct lcm_vcpu *vcpu;
    int rc;

    for ( vcpu = lcm->vcpus; vcpu < lcm->vcpus + lcm->nr_vcpus; vcpu++ )
    {
        if ( vcpu->domain != index || !vcpu->hard_affinity )
            continue;
        rc = set_vcpu_affinity(d->vcpu[vcpu->id], vcpu->hard_affinity);
        if ( rc )
            return hyperlaunch_fail(err, LCM_ERR_BUILD, vcpu->node,
                                    "hard-affinity", rc);
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
