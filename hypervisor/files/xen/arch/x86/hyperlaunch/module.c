/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The boot loader's modules: claimed for the LCM, digested as loaded, lent to
 * one domain after the other, and given back.
 */

#include <xen/hyperlaunch-launch.h>
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
    bool ours;                             /* bm->start is from the heap */
    unsigned int order;                    /* then, of that many pages */
};

static struct boot_info *__initdata boot;
static struct unpacked __initdata unpacked[MAX_NR_BOOTMODS + 1];

/* What a lent ramdisk was like before a private copy took its place. */
static struct boot_module __initdata saved_ramdisk;
static bool __initdata ramdisk_is_copy;

static bool __initdata free_now;
static bool __initdata opt_fallback;

static int __init cf_check parse_hyperlaunch(const char *s)
{
    if ( strcmp(s, "fallback") )
        return -EINVAL;

    opt_fallback = true;

    return 0;
}
custom_param("hyperlaunch", parse_hyperlaunch);

static unsigned int __init nr_modules(const struct boot_info *bi)
{
    return min(bi->nr_modules, MAX_NR_BOOTMODS + 0U);
}

static bool __init digest_agrees(const struct lcm_module *mod,
                                 const uint8_t sha256[SHA2_256_DIGEST_SIZE])
{
    return !mod->digest || !memcmp(mod->digest, sha256, SHA2_256_DIGEST_SIZE);
}

/* So early that nothing but the bootstrap mapping shows the module. */
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

    return digest_agrees(mod, sha256);
}

/*
 * A module for Xen itself is left to its loader, which looks for modules that
 * nobody has claimed.  An index beyond the chain is lcm_check()'s to find.
 */
static bool __init leave_to_xen(struct boot_info *bi,
                                const struct lcm_module *mod)
{
    if ( !mod || mod->index >= nr_modules(bi) )
        return false;

    /* Loaders look at the first word without asking. */
    if ( !bi->mods[mod->index].size )
    {
        printk(XENLOG_WARNING "hyperlaunch: warning: module %u is for Xen,"
               " and is empty\n", mod->index);
        return false;
    }

    if ( !is_as_linked(&bi->mods[mod->index], mod) )
    {
        hyperlaunch_refuse(LCM_ERR_DIGEST, mod->node, "digest-sha256");
        return false;
    }

    bi->mods[mod->index].type = BOOTMOD_UNKNOWN;

    return true;
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

static int __init check_digest(const struct lcm *lcm, unsigned int i,
                               struct hl_build_error *err)
{
    const struct lcm_module *mod = &lcm->modules[i];
    const struct xen_hyperlaunch_module *rec = launch_module(mod->index);

    if ( digest_agrees(mod, rec->sha256) )
        return 0;

    return hyperlaunch_fail(err, LCM_ERR_DIGEST, mod->node, "digest-sha256", 0);
}

int __init arch_hyperlaunch_digest(const struct lcm *lcm,
                                   struct hl_build_error *err)
{
    unsigned int i;
    int rc = 0;

    for ( i = 1; i < boot->nr_modules; i++ )
    {
        const struct boot_module *bm = &boot->mods[i];
        struct xen_hyperlaunch_module *rec = launch_module(i);

        rec->size = bm->size;
        hyperlaunch_sha256(rec->sha256, maddr_to_virt(bm->start), bm->size);
        printk("hyperlaunch: module %u: %lu bytes, sha256 %32phN\n", i,
               rec->size, rec->sha256);
        process_pending_softirqs();
    }

    for ( i = 0; !rc && i < lcm->nr_modules; i++ )
        rc = check_digest(lcm, i, err);

    return rc;
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

/* A PV builder hands the ramdisk's own pages to the domain. */
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
    uint32_t users = launch_module(mod->index)->users;

    return users & (users - 1);
}

/* The boot loader's own string counts, unless it is empty. */
static const char *__init pick_cmdline(const struct boot_module *bm,
                                       const struct lcm_module *mod)
{
    const char *own = bm->cmdline_pa ? boot_cmdline(boot, bm) : "";

    return *own ? own : mod->bootargs ?: "";
}

/* A kernel is unpacked in place: nobody can have it as it came. */
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
                                    struct hl_modules *ret,
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

    ret->kernel->type = BOOTMOD_KERNEL;
    if ( ret->ramdisk )
        ret->ramdisk->type = BOOTMOD_RAMDISK;

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

    if ( ramdisk )
        ramdisk->type = BOOTMOD_HYPERLAUNCH;
    module_at(lcm, dom->kernel)->type = BOOTMOD_HYPERLAUNCH;
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
            free_domheap_pages(maddr_to_page(bm->start), unpacked[i].order);
            bm->released = true;
        }
    }

    free_now = true;
    free_boot_modules();
}

int __init arch_hyperlaunch_fallback(void)
{
    if ( !opt_fallback || boot->nr_modules < 2 ||
         unpack_once(&boot->mods[1]) )
        return -ENOENT;

    boot->mods[1].type = BOOTMOD_KERNEL;
    if ( boot->nr_modules > 2 )
        boot->mods[2].type = BOOTMOD_RAMDISK;

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
