/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Boot modules: claimed for the LCM, digested as loaded, lent to the builder
 * of one domain after the other, and freed.  The LCM alone decides which
 * modules a domain is built from: an unclaimed module is not taken for a
 * ramdisk.
 */

#include <xen/hyperlaunch-record.h>
#include <xen/lib.h>
#include <xen/mm.h>
#include <xen/param.h>
#include <xen/pfn.h>
#include <xen/softirq.h>
#include <xen/string.h>

#include <asm/hyperlaunch.h>
#include <asm/microcode.h>
#include <asm/pv/shim.h>
#include <asm/setup.h>

#include "private.h"

struct unpacked {
    bool done;
    bool ours;                             /* bm->start is from the heap, */
    unsigned int order;                    /* of that order */
};

/* The modules of the domain that is being built; NULL if it has none. */
struct lent {
    const struct boot_module *kernel, *ramdisk;
};

static struct boot_info *__initdata boot;
static struct lent __initdata lent;

static struct unpacked __initdata unpacked[MAX_NR_BOOTMODS + 1];

/* The original of a lent ramdisk that is a private copy. */
static struct boot_module __initdata saved_ramdisk;
static bool __initdata ramdisk_is_copy;

static bool __initdata free_now;
static bool __initdata opt_fallback;
bool __initdata hyperlaunch_weak_hwdom;

static int __init cf_check parse_hyperlaunch(const char *s)
{
    const char *end;
    int rc = 0;

    do {
        end = strchr(s, ',') ?: strchr(s, '\0');

        if ( !cmdline_strcmp(s, "fallback") )
            opt_fallback = true;
        else if ( !cmdline_strcmp(s, "weak-hwdom") )
            hyperlaunch_weak_hwdom = true;
        else
            rc = -EINVAL;

        s = end + 1;
    } while ( *end );

    return rc;
}
custom_param("hyperlaunch", parse_hyperlaunch);

static unsigned int __init nr_modules(const struct boot_info *bi)
{
    return min(bi->nr_modules, MAX_NR_BOOTMODS + 0U);
}

/* Called so early that only the bootstrap mapping has the module. */
static bool __init is_as_linked(const struct boot_module *bm,
                                const struct lcm_module *mod)
{
    uint8_t sha256[SHA2_256_DIGEST_SIZE];
    const void *data;

    if ( !mod->digest )
        return true;

    data = bootstrap_map_bm(bm);
    if ( !data )
        return false;

    hyperlaunch_sha256(sha256, data, bm->size);
    bootstrap_unmap();

    return !memcmp(mod->digest, sha256, sizeof(sha256));
}

/* Other locators and indices are errors that lcm_check() reports. */
static bool __init is_in_chain(const struct boot_info *bi,
                               const struct lcm_module *mod)
{
    return mod && mod->locator == LCM_LOCATE_INDEX && mod->index &&
           mod->index < nr_modules(bi);
}

/*
 * Leaves a module for Xen itself to its loader, which looks for modules of
 * type BOOTMOD_UNKNOWN.  Returns false, and leaves it claimed, if it cannot be
 * used.
 */
static bool __init leave_to_xen(struct boot_info *bi,
                                const struct lcm_module *mod)
{
    if ( !is_in_chain(bi, mod) )
        return false;

    /* Loaders read the first word without a check of the size. */
    if ( !bi->mods[mod->index].size )
    {
        printk(XENLOG_WARNING "hyperlaunch: warning: module %u is for Xen,"
               " and is empty\n", mod->index);
        return false;
    }

    if ( !is_as_linked(&bi->mods[mod->index], mod) )
    {
        hyperlaunch_reject_lcm(LCM_ERR_DIGEST, mod->node, "digest-sha256");
        return false;
    }

    bi->mods[mod->index].type = BOOTMOD_UNKNOWN;

    return true;
}

/*
 * ucode=scan looks into ramdisks, too: into the hardware domain's as into a
 * classic dom0's.  If its digest differs, that is reported later.
 */
static void __init show_to_scan(struct boot_info *bi,
                                const struct lcm_module *ramdisk)
{
    if ( is_in_chain(bi, ramdisk) && bi->mods[ramdisk->index].size &&
         is_as_linked(&bi->mods[ramdisk->index], ramdisk) )
        bi->mods[ramdisk->index].type = BOOTMOD_RAMDISK;
}

/* All modules belong to the LCM. */
static void __init claim_modules(struct boot_info *bi)
{
    const struct lcm_module *ucode =
        hyperlaunch_config_module(LCM_MODULE_MICROCODE);
    const struct lcm_module *policy =
        hyperlaunch_config_module(LCM_MODULE_XSM_POLICY);
    unsigned int i;

    for ( i = 0; i < nr_modules(bi); i++ )
        bi->mods[i].type = BOOTMOD_HYPERLAUNCH;

    leave_to_xen(bi, policy);
    if ( leave_to_xen(bi, ucode) )
        microcode_default_module(ucode->index);
    if ( microcode_scans_modules() )
        show_to_scan(bi, hyperlaunch_hwdom_ramdisk());
}

void __init hyperlaunch_probe(struct boot_info *bi)
{
    const struct boot_module *bm = &bi->mods[0];
    const void *data;

    if ( !bi->nr_modules || pv_shim )
        return;

    data = bootstrap_map_bm(bm);
    if ( data && hyperlaunch_detect(data, bm->size) )
    {
        boot = bi;
        claim_modules(bi);
    }

    bootstrap_unmap();
}

unsigned int __init hyperlaunch_module_index(const struct boot_info *bi,
                                             enum bootmod_type type)
{
    const struct boot_module *bm = NULL;

    if ( !boot )
        return first_boot_module_index(bi, type);

    if ( type == BOOTMOD_KERNEL )
        bm = lent.kernel;
    else if ( type == BOOTMOD_RAMDISK )
        bm = lent.ramdisk;

    return bm ? bm - boot->mods : MAX_NR_BOOTMODS + 1;
}

static struct boot_module *__init module_at(const struct lcm *lcm, int index)
{
    return index == LCM_NONE ? NULL : &boot->mods[lcm->modules[index].index];
}

unsigned int __init hyperlaunch_nr_modules(void)
{
    return boot->nr_modules - 1;
}

bool __init arch_hyperlaunch_policy_found(unsigned int index)
{
    return !IS_ENABLED(CONFIG_XSM_FLASK) ||
           boot->mods[index].type == BOOTMOD_XSM_POLICY;
}

void __init arch_hyperlaunch_digest(void)
{
    unsigned int i;

    for ( i = 1; i < boot->nr_modules; i++ )
    {
        const struct boot_module *bm = &boot->mods[i];
        struct xen_hyperlaunch_module *rec = hyperlaunch_module(i);

        rec->size = bm->size;
        hyperlaunch_sha256(rec->sha256, maddr_to_virt(bm->start), bm->size);
        printk("hyperlaunch: module %u: %lu bytes, sha256 %32phN\n", i,
               rec->size, rec->sha256);
        process_pending_softirqs();
    }
}

static int __init unpack_once(struct boot_module *bm)
{
    struct unpacked *u = &unpacked[bm - boot->mods];
    int rc = 0;

    if ( !u->done )
        rc = hyperlaunch_unpack(bm, &u->ours, &u->order);

    u->done = !rc;

    return rc;
}

/* A PV builder assigns the ramdisk's own pages to the domain. */
static int __init copy_ramdisk(struct boot_module *bm)
{
    unsigned int order = get_order_from_bytes(bm->size);
    struct page_info *pg = alloc_domheap_pages(NULL, order, MEMF_no_scrub);
    unsigned long i;

    if ( !pg )
        return -ENOMEM;

    for ( i = PFN_UP(bm->size); i < 1UL << order; i++ )
        free_domheap_page(pg + i);

    memcpy(page_to_virt(pg), maddr_to_virt(bm->start), bm->size);
    memset(page_to_virt(pg) + bm->size, 0, -bm->size & ~PAGE_MASK);

    saved_ramdisk = *bm;
    ramdisk_is_copy = true;
    bm->start = page_to_maddr(pg);

    return 0;
}

static bool __init is_shared(const struct lcm_module *mod)
{
    uint32_t users = hyperlaunch_module(mod->index)->users;

    return users & (users - 1);
}

/* The boot loader's command line takes precedence over the LCM's. */
static const char *__init pick_cmdline(const struct boot_module *bm,
                                       const struct lcm_module *mod)
{
    const char *own = bm->cmdline_pa ? boot_cmdline(boot, bm) : "";

    return *own ? own : mod->bootargs ?: "";
}

/* A kernel is unpacked in place, so no other use can have the original. */
static bool __init has_other_use(const struct lcm *lcm,
                                 const struct lcm_module *kernel)
{
    unsigned int i;

    for ( i = 0; i < lcm->nr_modules; i++ )
        if ( lcm->modules[i].index == kernel->index &&
             lcm->modules[i].type != kernel->type )
            return true;

    return false;
}

int __init hyperlaunch_take_modules(const struct lcm *lcm, unsigned int index,
                                    struct boot_domain *ret,
                                    struct hl_build_error *err)
{
    const struct lcm_domain *dom = &lcm->domains[index];
    const struct lcm_module *kernel = &lcm->modules[dom->kernel];
    int rc;

    ret->kernel = module_at(lcm, dom->kernel);
    ret->ramdisk = module_at(lcm, dom->ramdisk);
    ret->config = module_at(lcm, dom->config);
    ret->cmdline = pick_cmdline(ret->kernel, kernel);

    rc = unpack_once(ret->kernel);
    if ( rc )
        return hyperlaunch_fail(err, rc == -ENOMEM ? LCM_ERR_NO_MEMORY
                                                   : LCM_ERR_IMAGE,
                                kernel->node, NULL, rc);
    if ( has_other_use(lcm, kernel) )
        return hyperlaunch_fail(err, LCM_ERR_UNSUPPORTED, kernel->node,
                                "mb-index", -EOPNOTSUPP);

    if ( ret->ramdisk && (dom->mode & LCM_MODE_PV) &&
         is_shared(&lcm->modules[dom->ramdisk]) )
    {
        rc = copy_ramdisk(ret->ramdisk);
        if ( rc )
            return hyperlaunch_fail(err, LCM_ERR_NO_MEMORY,
                                    lcm->modules[dom->ramdisk].node, NULL, rc);
    }

    lent.kernel = ret->kernel;
    lent.ramdisk = ret->ramdisk;

    return 0;
}

void __init hyperlaunch_drop_modules(const struct lcm *lcm, unsigned int index)
{
    const struct lcm_domain *dom = &lcm->domains[index];
    struct boot_module *ramdisk = module_at(lcm, dom->ramdisk);

    if ( ramdisk_is_copy )
    {
        if ( !ramdisk->released )
            release_boot_module(ramdisk);
        *ramdisk = saved_ramdisk;
        ramdisk_is_copy = false;
    }

    lent.kernel = lent.ramdisk = NULL;
}

bool __init hyperlaunch_keeps_modules(void)
{
    return boot && !free_now;
}

void __init hyperlaunch_free_modules(void)
{
    unsigned int i;

    if ( !boot )
        return;

    for ( i = 0; i < boot->nr_modules; i++ )
    {
        struct boot_module *bm = &boot->mods[i];

        if ( unpacked[i].ours )
        {
            free_xenheap_pages(maddr_to_virt(bm->start), unpacked[i].order);
            bm->released = true;
        }
    }

    free_now = true;
    free_boot_modules();
}

/* Checks the module as loaded: once it is unpacked, by the recorded digest. */
static bool __init may_fall_back_to(unsigned int index, bool need_digest)
{
    const struct boot_module *bm = &boot->mods[index];
    const struct xen_hyperlaunch_module *rec = hyperlaunch_module(index);
    uint8_t sha256[SHA2_256_DIGEST_SIZE];
    enum hl_trust trust;

    if ( rec && rec->size )
        memcpy(sha256, rec->sha256, sizeof(sha256));
    else
        hyperlaunch_sha256(sha256, maddr_to_virt(bm->start), bm->size);

    trust = hyperlaunch_trust(index, sha256);
    if ( trust == HL_TRUST_AS_LINKED ||
         (trust == HL_TRUST_NO_DIGEST && !need_digest) )
        return true;

    printk(XENLOG_ERR
           "hyperlaunch: no fallback: module %u %s\n", index,
           trust == HL_TRUST_MISMATCH ? "differs from its digest in the LCM"
                                      : "has no digest in the LCM");

    return false;
}

int __init arch_hyperlaunch_fallback(bool need_digest)
{
    bool ramdisk = boot->nr_modules > 2 && !hyperlaunch_is_for_xen(2);

    if ( !opt_fallback || boot->nr_modules < 2 )
        return -ENOENT;
    if ( !may_fall_back_to(1, need_digest) ||
         (ramdisk && !may_fall_back_to(2, need_digest)) )
        return -EPERM;
    if ( unpack_once(&boot->mods[1]) )
        return -ENOENT;

    lent.kernel = &boot->mods[1];
    lent.ramdisk = ramdisk ? &boot->mods[2] : NULL;

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
