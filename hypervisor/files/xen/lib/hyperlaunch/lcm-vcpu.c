// SPDX-License-Identifier: (GPL-2.0-or-later OR BSD-2-Clause)
/* vcpu nodes: hard affinity of a vCPU. */
#include "lcm-internal.h"

/* More than any host that Xen runs on. */
#define CPU_MAX 16383

/* Reads a decimal number up to CPU_MAX at *pos, and advances it. */
static bool __init read_cpu(const char *list, unsigned int *pos,
                            unsigned int *ret_cpu)
{
    unsigned int start = *pos;

    *ret_cpu = 0;
    for ( ; list[*pos] >= '0' && list[*pos] <= '9'; (*pos)++ )
    {
        *ret_cpu = *ret_cpu * 10 + (list[*pos] - '0');
        if ( *ret_cpu > CPU_MAX )
            return false;
    }

    return *pos != start;
}

/* Reads N or N-M at *pos, and the comma after it if something follows. */
static bool __init read_cpus(const char *list, unsigned int *pos,
                             unsigned int *ret_first, unsigned int *ret_last)
{
    if ( !read_cpu(list, pos, ret_first) )
        return false;
    *ret_last = *ret_first;
    if ( list[*pos] == '-' )
    {
        (*pos)++;
        if ( !read_cpu(list, pos, ret_last) )
            return false;
    }
    if ( list[*pos] == ',' && list[*pos + 1] )
        (*pos)++;
    else if ( list[*pos] )
        return false;

    return *ret_first <= *ret_last;
}

bool __init lcm_next_cpus(const char *list, unsigned int *pos,
                          unsigned int *ret_first, unsigned int *ret_last)
{
    return list[*pos] && read_cpus(list, pos, ret_first, ret_last);
}

static bool __init is_cpu_list(const char *list)
{
    unsigned int pos = 0, first, last;

    do {
        if ( !read_cpus(list, &pos, &first, &last) )
            return false;
    } while ( list[pos] );

    return true;
}

int __init lcm_parse_vcpu(struct lcm *lcm, const struct lcm_cursor *cur,
                          unsigned int domain)
{
    struct lcm_vcpu *vcpu;
    int rc;

    if ( lcm->nr_vcpus == LCM_MAX_VCPU_NODES )
        return lcm_fail(cur, LCM_ERR_TOO_MANY_VCPUS, NULL, LCM_MAX_VCPU_NODES);
    vcpu = &lcm->vcpus[lcm->nr_vcpus];
    memset(vcpu, 0, sizeof(*vcpu));
    vcpu->node = cur->node;
    vcpu->domain = domain;
    lcm_warn_of_misspelt(lcm, cur->node, LCM_NODE_VCPU);

    rc = lcm_get_u32(cur, "id", &vcpu->id);
    if ( !rc )
        return lcm_fail(cur, LCM_ERR_MISSING, "id", 0);
    if ( rc > 0 )
        rc = lcm_get_string(cur, "hard-affinity", &vcpu->hard_affinity);
    if ( rc < 0 )
        return rc;
    if ( rc && !is_cpu_list(vcpu->hard_affinity) )
        return lcm_fail(cur, LCM_ERR_AFFINITY, "hard-affinity", 0);
    lcm->nr_vcpus++;

    return 0;
}
