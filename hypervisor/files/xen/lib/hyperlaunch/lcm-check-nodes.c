// SPDX-License-Identifier: (GPL-2.0-or-later OR BSD-2-Clause)
/*
 * Rules across the devices and vCPUs of an LCM's domains, and those across
 * domains that follow from their devices.
 */
#include "lcm-internal.h"

static struct lcm_cursor __init at(const struct lcm *lcm, int node,
                                   struct lcm_error *err)
{
    return (struct lcm_cursor){ .fdt = lcm->fdt, .node = node, .err = err };
}

static int __init fail_at(const struct lcm *lcm, int node, enum lcm_err code,
                          const char *prop, int other_node,
                          struct lcm_error *err)
{
    struct lcm_cursor cur = at(lcm, node, err);

    return lcm_fail_other(&cur, code, prop, 0, other_node);
}

/* --- vCPUs ---------------------------------------------------------------- */

/* The first CPU of a list that is not below the limit, or LCM_NONE. */
static int __init find_cpu_beyond(const char *list, unsigned int limit)
{
    unsigned int pos = 0, first, last;

    while ( lcm_next_cpus(list, &pos, &first, &last) )
        if ( last >= limit )
            return first < limit ? limit : first;

    return LCM_NONE;
}

static int __init check_vcpu(const struct lcm *lcm, unsigned int index,
                             const struct lcm_limits *limits,
                             struct lcm_error *err)
{
    const struct lcm_vcpu *vcpu = &lcm->vcpus[index], *other;
    struct lcm_cursor cur = at(lcm, vcpu->node, err);
    uint32_t cpus = lcm->domains[vcpu->domain].cpus;
    int beyond = LCM_NONE;

    if ( vcpu->id >= cpus )
        return lcm_fail_limit(&cur, LCM_ERR_VCPU_RANGE, "id", vcpu->id, cpus);
    for ( other = lcm->vcpus; other < vcpu; other++ )
        if ( other->domain == vcpu->domain && other->id == vcpu->id )
            return lcm_fail_other(&cur, LCM_ERR_VCPU_DUPLICATE, "id", vcpu->id,
                                  other->node);
    if ( vcpu->hard_affinity && limits->host_cpus )
        beyond = find_cpu_beyond(vcpu->hard_affinity, limits->host_cpus);
    if ( beyond != LCM_NONE )
        return lcm_fail_limit(&cur, LCM_ERR_CPU_HOST, "hard-affinity", beyond,
                              limits->host_cpus);

    return 0;
}

/* --- PCI ------------------------------------------------------------------ */

/* True if two paths lead to the same slot. */
static bool __init is_same_path(const struct lcm_pci *a,
                                const struct lcm_pci *b)
{
    unsigned int at_a = 0, at_b = 0, slot_a = 0, slot_b = 0;
    bool more_a, more_b;

    if ( a->sbdf != b->sbdf )
        return false;
    do {
        more_a = lcm_next_slot(a->path, &at_a, &slot_a);
        more_b = lcm_next_slot(b->path, &at_b, &slot_b);
    } while ( more_a && more_b && slot_a == slot_b );

    return !more_a && !more_b;
}

/* The path of a device on the root bus is its address as well. */
static bool __init has_address(const struct lcm_pci *pci)
{
    return pci->form == LCM_PCI_BDF ||
           (pci->form == LCM_PCI_PATH && !strchr(pci->path, '/'));
}

static bool __init is_same_device(const struct lcm_pci *a,
                                  const struct lcm_pci *b)
{
    if ( has_address(a) && has_address(b) )
        return a->sbdf == b->sbdf;
    if ( a->form != b->form )
        return false;
    if ( a->form == LCM_PCI_VF )
        return a->sbdf == b->sbdf && a->vf == b->vf;

    return a->form == LCM_PCI_PATH && is_same_path(a, b);
}

/* The property by which a device is named. */
static const char *__init device_prop(const struct lcm_pci *pci)
{
    switch ( pci->form )
    {
    case LCM_PCI_BDF:
        return "bdf";
    case LCM_PCI_VF:
        return "vf";
    case LCM_PCI_PATH:
        return "path";
    case LCM_PCI_MATCH:
        break;
    }

    return NULL;
}

static bool __init is_pvh(const struct lcm_domain *dom)
{
    return !(dom->mode & (LCM_MODE_PV | LCM_MODE_DEVICE_MODEL));
}

/* Xen 4.20 has no vPCI for guests, nor pciback in a PVH hardware domain. */
static int __init check_pci_pvh(const struct lcm *lcm,
                                const struct lcm_pci *pci,
                                struct lcm_error *err)
{
    int hardware = lcm_find_permission(lcm, LCM_PERM_HARDWARE);

    if ( is_pvh(&lcm->domains[pci->domain]) )
        return fail_at(lcm, pci->node, LCM_ERR_PCI_PVH, "compatible",
                       lcm->domains[pci->domain].node, err);
    if ( hardware != LCM_NONE && is_pvh(&lcm->domains[hardware]) )
        return fail_at(lcm, pci->node, LCM_ERR_PCI_PVH_HARDWARE, "compatible",
                       lcm->domains[hardware].node, err);

    return 0;
}

static int __init check_pci(const struct lcm *lcm, unsigned int index,
                            const struct lcm_limits *limits,
                            struct lcm_error *err)
{
    const struct lcm_pci *pci = &lcm->pci[index], *other;

    for ( other = lcm->pci; other < pci; other++ )
        if ( is_same_device(other, pci) )
            return fail_at(lcm, pci->node, LCM_ERR_PCI_DUPLICATE,
                           device_prop(pci), other->node, err);
    if ( lcm->domains[pci->domain].permissions & LCM_PERM_HARDWARE )
        return fail_at(lcm, pci->node, LCM_ERR_PCI_HARDWARE, "compatible",
                       lcm->domains[pci->domain].node, err);

    return limits->platform == LCM_PLATFORM_X86 ? check_pci_pvh(lcm, pci, err)
                                                : 0;
}

/* --- disks and nics ------------------------------------------------------- */

/*
 * Back end of a disk or nic; LCM_NONE without a name and without a hardware
 * domain, which Arm allows.
 */
static int __init find_backend(const struct lcm *lcm, int node,
                               unsigned int domain, const char *name,
                               int *ret_backend, struct lcm_error *err)
{
    *ret_backend = name ? lcm_find_name(lcm, name)
                        : lcm_find_permission(lcm, LCM_PERM_HARDWARE);
    if ( (name && *ret_backend == LCM_NONE) ||
         *ret_backend == (int)domain )
        return fail_at(lcm, node, LCM_ERR_BACKEND, "backend", LCM_NONE, err);

    return 0;
}

static int __init check_static(const struct lcm *lcm, int node,
                               struct lcm_error *err)
{
    return lcm_is_dynamic(lcm)
           ? 0 : fail_at(lcm, node, LCM_ERR_DEVICE_STATIC, "compatible",
                         LCM_NONE, err);
}

/* QEMU runs in the toolstack's domain, and serves disks from files there. */
static int __init check_format(const struct lcm *lcm,
                               const struct lcm_disk *disk,
                               struct lcm_error *err)
{
    int hardware = lcm_find_permission(lcm, LCM_PERM_HARDWARE);

    if ( !disk->format || !strcmp(disk->format, "raw") ||
         hardware == LCM_NONE ||
         (lcm->domains[hardware].permissions & LCM_PERM_CONTROL) )
        return 0;

    return fail_at(lcm, disk->node, LCM_ERR_DISK_FORMAT, "format",
                   lcm->domains[hardware].node, err);
}

static int __init check_disk(struct lcm *lcm, unsigned int index,
                             struct lcm_error *err)
{
    struct lcm_disk *disk = &lcm->disks[index], *other;
    int rc = check_static(lcm, disk->node, err);

    if ( !rc )
        rc = find_backend(lcm, disk->node, disk->domain, disk->backend_name,
                          &disk->backend, err);
    if ( !rc )
        rc = check_format(lcm, disk, err);
    if ( rc )
        return rc;
    for ( other = lcm->disks; other < disk; other++ )
        if ( other->domain == disk->domain && !strcmp(other->vdev, disk->vdev) )
            return fail_at(lcm, disk->node, LCM_ERR_VDEV_DUPLICATE, "vdev",
                           other->node, err);

    return 0;
}

static int __init check_nic(struct lcm *lcm, unsigned int index,
                            struct lcm_error *err)
{
    struct lcm_nic *nic = &lcm->nics[index], *other;
    int rc = check_static(lcm, nic->node, err);

    if ( !rc )
        rc = find_backend(lcm, nic->node, nic->domain, nic->backend_name,
                          &nic->backend, err);
    if ( rc || !nic->has_mac )
        return rc;
    for ( other = lcm->nics; other < nic; other++ )
        if ( other->has_mac && !memcmp(other->mac, nic->mac, sizeof(nic->mac)) )
            return fail_at(lcm, nic->node, LCM_ERR_MAC_DUPLICATE, "mac",
                           other->node, err);

    return 0;
}

/* --- domains that wait ---------------------------------------------------- */

/* The first node that makes the domain held: not one of an optional device. */
static int __init find_needed(const struct lcm *lcm, int domain, int backend)
{
    unsigned int i;

    for ( i = 0; i < lcm->nr_pci; i++ )
        if ( lcm->pci[i].domain == domain && !lcm->pci[i].optional )
            return lcm->pci[i].node;
    for ( i = 0; i < lcm->nr_disks; i++ )
        if ( lcm->disks[i].domain == domain &&
             (backend == LCM_NONE || lcm->disks[i].backend == backend) )
            return lcm->disks[i].node;
    for ( i = 0; i < lcm->nr_nics; i++ )
        if ( lcm->nics[i].domain == domain &&
             (backend == LCM_NONE || lcm->nics[i].backend == backend) )
            return lcm->nics[i].node;

    return LCM_NONE;
}

/*
 * Only a domain with CONTROL releases held domains, so one of these must not
 * be held.
 */
static int __init check_hold(const struct lcm *lcm, struct lcm_error *err)
{
    int first = lcm_find_permission(lcm, LCM_PERM_CONTROL);
    struct lcm_cursor cur = at(lcm, LCM_NONE, err);
    unsigned int i;
    int node;

    if ( first == LCM_NONE )
        return 0;
    for ( i = first; i < lcm->nr_domains; i++ )
        if ( (lcm->domains[i].permissions & LCM_PERM_CONTROL) &&
             !lcm->domains[i].hold )
            return 0;

    cur.node = lcm->domains[first].node;
    if ( lcm_has(&cur, "hold") )
        return lcm_fail(&cur, LCM_ERR_HOLD_CONTROL, "hold", 0);
    node = find_needed(lcm, first, LCM_NONE);
    if ( node != LCM_NONE )
        cur.node = node;

    return lcm_fail(&cur, LCM_ERR_HOLD_CONTROL,
                    node != LCM_NONE ? "compatible" : NULL, 0);
}

/*
 * Back ends in the hardware domain wait for the store, so the XENSTORE domain
 * must not wait for them.
 */
static int __init check_store(const struct lcm *lcm, struct lcm_error *err)
{
    int store = lcm_find_function(lcm, LCM_FUNC_XENSTORE);
    int hardware = lcm_find_permission(lcm, LCM_PERM_HARDWARE);
    int node;

    if ( store == LCM_NONE || hardware == LCM_NONE || store == hardware )
        return 0;
    node = find_needed(lcm, store, hardware);
    if ( node == LCM_NONE )
        return 0;

    return fail_at(lcm, node, LCM_ERR_STORE_DEVICE, "compatible",
                   lcm->domains[hardware].node, err);
}

int __init lcm_check_nodes(struct lcm *lcm, const struct lcm_limits *limits,
                           struct lcm_error *err)
{
    unsigned int i;
    int rc = 0;

    for ( i = 0; i < lcm->nr_vcpus && !rc; i++ )
        rc = check_vcpu(lcm, i, limits, err);
    for ( i = 0; i < lcm->nr_pci && !rc; i++ )
        rc = check_pci(lcm, i, limits, err);
    for ( i = 0; i < lcm->nr_disks && !rc; i++ )
        rc = check_disk(lcm, i, err);
    for ( i = 0; i < lcm->nr_nics && !rc; i++ )
        rc = check_nic(lcm, i, err);
    if ( !rc )
        rc = check_hold(lcm, err);

    return rc ?: check_store(lcm, err);
}
