/* SPDX-License-Identifier: GPL-2.0-only */
/* Creation of one initial domain: the hardware domain or a guest. */

#include <xen/domain.h>
#include <xen/err.h>
#include <xen/grant_table.h>
#include <xen/hyperlaunch-record.h>
#include <xen/iommu.h>
#include <xen/lib.h>
#include <xen/sched.h>

#include <asm/dom0_build.h>
#include <asm/hvm/support.h>
#include <asm/hyperlaunch.h>
#include <asm/pv/domain.h>
#include <asm/setup.h>

#include <public/hvm/params.h>

#include "private.h"

struct hl_dom0 __initdata hyperlaunch_dom0;

static unsigned long __init nr_pages_of(const struct lcm_domain *dom)
{
    return DIV_ROUND_UP(dom->memory_kib, PAGE_SIZE >> 10);
}

void __init arch_hyperlaunch_limits(struct lcm_limits *limits)
{
    limits->platform = LCM_PLATFORM_X86;
    limits->nr_modules = hyperlaunch_nr_modules();
    limits->no_modules = !limits->nr_modules;
    limits->memory_kib = (uint64_t)total_pages << (PAGE_SHIFT - 10);
    limits->max_vcpus = HVM_MAX_VCPUS;
    limits->max_vcpus_pv = MAX_VIRT_CPUS;
    limits->host_cpus = nr_cpu_ids;
    limits->no_pv32 = !opt_pv32;
    limits->strict = true;
}

static bool __init is_hardware(const struct lcm_domain *dom)
{
    return dom->permissions & LCM_PERM_HARDWARE;
}

static unsigned int __init create_flags(const struct lcm_domain *dom)
{
    return dom->permissions & LCM_PERM_CONTROL ? CDF_privileged : 0;
}

static unsigned int __init domctl_flags(const struct lcm_domain *dom)
{
    return dom->functions & LCM_FUNC_XENSTORE ? XEN_DOMCTL_CDF_xs_domain : 0;
}

/* The boot domain is reclaimed after the launch, so it has no other role. */
static const char *__init unsupported_roles(const struct lcm_domain *dom)
{
    if ( !(dom->functions & LCM_FUNC_BOOT) )
        return NULL;
    if ( dom->permissions )
        return "permissions";

    return dom->functions == LCM_FUNC_BOOT ? NULL : "functions";
}

static const char *__init unsupported_mode(const struct lcm_domain *dom)
{
    bool pv = dom->mode & LCM_MODE_PV;

    if ( dom->mode & LCM_MODE_DEVICE_MODEL )
        return "mode";
    if ( pv ? !IS_ENABLED(CONFIG_PV) : !hvm_enabled )
        return "mode";
    if ( !pv && is_hardware(dom) && !iommu_enabled )
        return "mode";

    return NULL;
}

static bool __init has_pci(const struct lcm *lcm, const struct lcm_domain *dom)
{
    unsigned int i;

    for ( i = 0; i < lcm->nr_pci; i++ )
        if ( lcm->domains + lcm->pci[i].domain == dom )
            return true;

    return false;
}

/* Without an IOMMU no device can be assigned. */
static const struct lcm_pci *__init
unsupported_pci(const struct lcm *lcm, const struct lcm_domain *dom)
{
    unsigned int i;

    for ( i = 0; !iommu_enabled && i < lcm->nr_pci; i++ )
        if ( lcm->domains + lcm->pci[i].domain == dom &&
             !lcm->pci[i].optional )
            return &lcm->pci[i];

    return NULL;
}

int __init arch_hyperlaunch_supports(const struct lcm *lcm,
                                     const struct lcm_domain *dom,
                                     struct hl_build_error *err)
{
    const char *prop = unsupported_roles(dom) ?: unsupported_mode(dom);
    const struct lcm_pci *pci = unsupported_pci(lcm, dom);

    if ( !prop && pci )
        return hyperlaunch_fail(err, LCM_ERR_UNSUPPORTED, pci->node, NULL,
                                -EOPNOTSUPP);
    if ( !prop && nr_pages_of(dom) > avail_domheap_pages() )
        return hyperlaunch_fail(err, LCM_ERR_NO_MEMORY, dom->node, "memory",
                                -ENOMEM);
    if ( !prop )
        return 0;

    return hyperlaunch_fail(err, LCM_ERR_UNSUPPORTED, dom->node, prop,
                            -EOPNOTSUPP);
}

/* Overrides hardware_dom= on Xen's command line. */
static void __init set_hardware_domid(domid_t domid)
{
#ifdef CONFIG_LATE_HWDOM
    if ( hardware_domid && hardware_domid != domid )
        printk(XENLOG_WARNING
               "hyperlaunch: hardware_dom=%u is not in use: the LCM has d%u\n",
               hardware_domid, domid);
    hardware_domid = domid;
#endif
}

/* Options of Xen's command line that an LCM overrides. */
struct dom0_options {
    bool pvh;
    domid_t late_hwdom;
};

static struct dom0_options __init dom0_options(void)
{
    return (struct dom0_options){
        .pvh = opt_dom0_pvh,
        .late_hwdom = hardware_domid,
    };
}

static void __init restore(const struct dom0_options *options)
{
    opt_dom0_pvh = options->pvh;
#ifdef CONFIG_LATE_HWDOM
    hardware_domid = options->late_hwdom;
#endif
    hyperlaunch_dom0 = (struct hl_dom0){};
}

/* Uses dom0's builder, with the LCM's values in hyperlaunch_dom0. */
static int __init create_hardware(const struct lcm *lcm,
                                  const struct lcm_domain *dom,
                                  uint32_t ssidref,
                                  const struct boot_domain *bd,
                                  struct domain **ret_d)
{
    const struct dom0_options before = dom0_options();
    paddr_t loader_cmdline = bd->kernel->cmdline_pa;
    struct domain *d;
    bool lacks_memory;

    set_hardware_domid(dom->domid);
    opt_dom0_pvh = !(dom->mode & LCM_MODE_PV);
    hyperlaunch_dom0 = (struct hl_dom0){
        .domid = dom->domid,
        .max_vcpus = dom->cpus,
        .nr_pages = nr_pages_of(dom),
        .unprivileged = !(dom->permissions & LCM_PERM_CONTROL),
        .store = (dom->mode & LCM_MODE_PV) &&
                 lcm_store_of(lcm, dom) != LCM_NONE,
        .domctl_flags = domctl_flags(dom),
        .ssidref = ssidref,
    };

    hyperlaunch_confine(dom);
    bd->kernel->cmdline_pa = __pa(bd->cmdline);
    bd->kernel->cmdline_cooked = true;
    d = create_dom0(&xen_boot_info);
    bd->kernel->cmdline_pa = loader_cmdline;
    bd->kernel->cmdline_cooked = false;

    lacks_memory = hyperlaunch_dom0.lacks_memory;
    if ( IS_ERR(d) )
        hyperlaunch_unconfine();
    /* A classic dom0 may follow. */
    if ( IS_ERR(d) && !hardware_domain )
        restore(&before);

    /* The builder does not fail if it gets less memory or fewer vCPUs. */
    if ( lacks_memory )
        return -ENOMEM;
    if ( IS_ERR(d) )
        return PTR_ERR(d);
    if ( !d->vcpu[d->max_vcpus - 1] )
        return -ENOMEM;

    hyperlaunch_report_iommu(dom);
    *ret_d = d;

    return 0;
}

/*
 * Xen needs a hardware domain of some mode.  The vCPU of this one is never
 * initialised, so it cannot be started.
 */
int __init arch_hyperlaunch_stand_in(const struct lcm_domain *dom,
                                     uint32_t ssidref)
{
    struct xen_domctl_createdomain cfg = {
        .ssidref = ssidref,
        .flags = IS_ENABLED(CONFIG_PV)
                 ? 0 : XEN_DOMCTL_CDF_hvm | XEN_DOMCTL_CDF_hap,
        .max_vcpus = 1,
        .max_evtchn_port = -1,
        .max_grant_frames = -1,
        .max_maptrack_frames = -1,
        .grant_opts = XEN_DOMCTL_GRANT_version(opt_gnttab_max_version),
        .arch = { .emulation_flags = IS_ENABLED(CONFIG_PV)
                                     ? 0 : XEN_X86_EMU_LAPIC |
                                           XEN_X86_EMU_IOAPIC |
                                           XEN_X86_EMU_VPCI },
    };
    struct domain *d;

    if ( hardware_domain )
        return 0;

    set_hardware_domid(dom->domid);
    /* Evaluates the options for dom0's nodes and CPUs. */
    dom0_max_vcpus();
    d = domain_create(dom->domid, &cfg, CDF_hardware);
    if ( IS_ERR(d) )
        return PTR_ERR(d);

    return alloc_dom0_vcpu0(d) ? 0 : -ENOMEM;
}

/*
 * An IOMMU context can be made only with the domain, so a domain with pci
 * nodes gets one now, though its devices are assigned later.
 */
static unsigned int __init iommu_flags(const struct lcm *lcm,
                                       const struct lcm_domain *dom)
{
    return iommu_enabled && has_pci(lcm, dom) ? XEN_DOMCTL_CDF_iommu : 0;
}

static struct domain *__init new_guest(const struct lcm *lcm,
                                       const struct lcm_domain *dom,
                                       uint32_t ssidref)
{
    bool pv = dom->mode & LCM_MODE_PV;
    struct xen_domctl_createdomain cfg = {
        .ssidref = ssidref,
        .flags = (pv ? 0 : XEN_DOMCTL_CDF_hvm) |
                 (!pv && hvm_hap_supported() ? XEN_DOMCTL_CDF_hap : 0) |
                 domctl_flags(dom) | iommu_flags(lcm, dom),
        .max_vcpus = dom->cpus,
        .max_evtchn_port = hyperlaunch_is_server(dom) ? -1 : 1023,
        .max_grant_frames = -1,
        .max_maptrack_frames = -1,
        .grant_opts = XEN_DOMCTL_GRANT_version(opt_gnttab_max_version),
        .arch = { .emulation_flags = pv ? 0 : XEN_X86_EMU_LAPIC },
    };

    return domain_create(dom->domid, &cfg, create_flags(dom));
}

static int __init construct(struct domain *d, const struct lcm_domain *dom,
                            const struct boot_domain *bd)
{
    if ( !vcpu_create(d, 0) )
        return -ENOMEM;

    /* As toolstacks set it: time passes for a vCPU that does not run. */
    if ( is_hvm_domain(d) )
        d->arch.hvm.params[HVM_PARAM_TIMER_MODE] =
            HVMPTM_no_delay_for_missed_ticks;

    if ( is_hvm_domain(d) )
        return hyperlaunch_construct_pvh(d, dom, bd);
    if ( is_pv_domain(d) )
        return hyperlaunch_construct_pv(d, dom, bd);

    return -EOPNOTSUPP;
}

static int __init create_guest(const struct lcm *lcm,
                               const struct lcm_domain *dom, uint32_t ssidref,
                               const struct boot_domain *bd,
                               struct domain **ret_d, bool *ret_created)
{
    struct domain *d = new_guest(lcm, dom, ssidref);
    int rc;

    *ret_created = !IS_ERR(d);
    if ( IS_ERR(d) )
        return PTR_ERR(d);
    if ( is_iommu_enabled(d) )
        printk("hyperlaunch: %pd: has an IOMMU context for its devices\n", d);

    rc = construct(d, dom, bd);
    if ( rc )
        hyperlaunch_destroy(d);
    else
        *ret_d = d;

    return rc;
}

/*
 * True if rc means an invalid kernel image.  The PV builder has no other cause
 * for -EINVAL; PVH has tables and a memory map as well.
 */
static bool __init is_image_error(const struct lcm_domain *dom, int rc)
{
    return rc == -ENOEXEC || (rc == -EINVAL && (dom->mode & LCM_MODE_PV));
}

/*
 * Fills *err with the node and error that rc means: image, memory of the
 * domain or of the host, or something else.  created: domain_create() has
 * succeeded, whose errors mean neither image nor memory.
 */
static int __init build_error_from_rc(const struct lcm *lcm,
                                      const struct lcm_domain *dom,
                                      bool created, int rc,
                                      struct hl_build_error *err)
{
    if ( !created && rc != -ENOMEM )
        return hyperlaunch_fail(err, LCM_ERR_BUILD, dom->node, NULL, rc);
    if ( rc == -E2BIG && dom->config != LCM_NONE )
        return hyperlaunch_fail(err, LCM_ERR_BUILD,
                                lcm->modules[dom->config].node, NULL, rc);
    if ( rc == -ENOSPC )
        return hyperlaunch_fail(err, LCM_ERR_KERNEL_SIZE, dom->node, "memory",
                                rc);
    if ( rc == -ENOMEM )
        return hyperlaunch_fail(err, LCM_ERR_NO_MEMORY, dom->node, "memory",
                                rc);
    if ( is_image_error(dom, rc) )
        return hyperlaunch_fail(err, LCM_ERR_IMAGE,
                                lcm->modules[dom->kernel].node, NULL, rc);

    return hyperlaunch_fail(err, LCM_ERR_BUILD, dom->node, NULL, rc);
}

int __init arch_hyperlaunch_create(const struct lcm *lcm, unsigned int index,
                                   struct domain **ret_d,
                                   struct hl_build_error *err)
{
    const struct lcm_domain *dom = &lcm->domains[index];
    uint32_t ssidref = hyperlaunch_ssidref(index);
    struct boot_domain bd;
    bool created = true;
    int rc;

    /* dom0's builder takes a kernel and a ramdisk only. */
    if ( is_hardware(dom) && dom->config != LCM_NONE )
        return hyperlaunch_fail(err, LCM_ERR_UNSUPPORTED,
                                lcm->modules[dom->config].node, NULL,
                                -EOPNOTSUPP);

    rc = hyperlaunch_take_modules(lcm, index, &bd, err);
    if ( rc )
        return rc;

    /* An earlier domain's builder may have relaxed it. */
    dom0_memflags = MEMF_no_dma | MEMF_exact_node;

    if ( IS_ENABLED(CONFIG_PV) && (dom->mode & LCM_MODE_PV) )
    {
        rc = hyperlaunch_check_pv_kernel(dom, &bd);
        if ( !rc && bd.ramdisk )
            hyperlaunch_clear_tail(bd.ramdisk);
    }
    if ( !rc && is_hardware(dom) )
    {
        rc = create_hardware(lcm, dom, ssidref, &bd, ret_d);
        created = hardware_domain;
    }
    else if ( !rc )
        rc = create_guest(lcm, dom, ssidref, &bd, ret_d, &created);

    hyperlaunch_drop_modules(lcm, index);
    hyperlaunch_report_clearing(rc ? NULL : *ret_d);

    return rc ? build_error_from_rc(lcm, dom, created, rc, err) : 0;
}

/* A PV domain's frame numbers are the machine's. */
uint64_t __init arch_hyperlaunch_store_gfn(const struct domain *d)
{
    const struct hl_pv_frames *frames =
        is_pv_domain(d) ? hyperlaunch_pv_frames(d) : NULL;

    if ( frames )
        return frames->store;

    return is_hardware_domain(d) ? XEN_HYPERLAUNCH_NO_GFN : GUEST_STORE_GFN;
}

uint64_t __init arch_hyperlaunch_console_gfn(const struct domain *d)
{
    if ( is_hardware_domain(d) )
        return XEN_HYPERLAUNCH_NO_GFN;

    return is_pv_domain(d) ? hyperlaunch_pv_frames(d)->console
                           : GUEST_CONSOLE_GFN;
}

void __init arch_hyperlaunch_set_store(struct domain *d, uint64_t gfn,
                                       uint32_t port)
{
    if ( is_pv_domain(d) )
        return hyperlaunch_pv_set_store(d, port);

    d->arch.hvm.params[HVM_PARAM_STORE_PFN] = gfn;
    d->arch.hvm.params[HVM_PARAM_STORE_EVTCHN] = port;
}

void __init arch_hyperlaunch_set_console(struct domain *d, uint64_t gfn,
                                         uint32_t port)
{
    if ( is_pv_domain(d) )
        return hyperlaunch_pv_set_console(d, port);

    d->arch.hvm.params[HVM_PARAM_CONSOLE_PFN] = gfn;
    d->arch.hvm.params[HVM_PARAM_CONSOLE_EVTCHN] = port;
}

/* With the same flag a PV kernel would look for the host's firmware. */
int __init arch_hyperlaunch_set_xenstore_domain(struct domain *d)
{
    if ( is_hvm_domain(d) && !is_hardware_domain(d) )
        return hyperlaunch_pvh_add_flags(d, SIF_INITDOMAIN);

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
