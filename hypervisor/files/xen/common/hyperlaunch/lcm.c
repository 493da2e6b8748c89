/* SPDX-License-Identifier: GPL-2.0-only */
/* The LCM from the boot loader: found, copied, parsed, its errors printed. */

#include <xen/lib.h>
#include <xen/libfdt/libfdt.h>
#include <xen/string.h>

#include "private.h"

/*
 * Xen relocates the boot loader's copy with the modules.  This one stays in
 * place until .init is freed: struct lcm points into it.
 */
static uint8_t __initdata __aligned(8) blob[LCM_MAX_SIZE];
static size_t __initdata blob_size;
static struct lcm __initdata parsed;
static struct hl_build_error __initdata parse_error;
static bool __initdata found;

int __init hyperlaunch_fail(struct hl_build_error *err, enum lcm_err code,
                            int node, const char *prop, int rc)
{
    *err = (struct hl_build_error){
        .lcm = {
            .code = code,
            .node = node,
            .other_node = LCM_NONE,
            .prop = prop,
        },
        .rc = rc,
    };

    return rc ?: -EINVAL;
}

void __init hyperlaunch_error_path(const struct hl_build_error *err, char *buf,
                                   size_t size)
{
    if ( err->lcm.node == LCM_NONE )
        strlcpy(buf, "/", size);
    else
        lcm_path(blob, err->lcm.node, buf, size);
}

void __init hyperlaunch_report_error(const struct hl_build_error *err)
{
    static char __initdata path[LCM_PATH_SIZE], text[LCM_TEXT_SIZE];

    hyperlaunch_error_path(err, path, sizeof(path));
    printk(XENLOG_ERR "hyperlaunch: error: %s: %s%s%s [%s]", path,
           err->lcm.prop ?: "", err->lcm.prop ? ": " : "",
           lcm_error_text(&err->lcm, text), lcm_errname(err->lcm.code));
    if ( err->lcm.other_node != LCM_NONE )
    {
        lcm_path(blob, err->lcm.other_node, path, sizeof(path));
        printk(" (see %s)", path);
    }
    if ( err->rc )
        printk(" (%d)", err->rc);
    printk("\n");
}

/* What Xen cannot build is reported as an error later. */
static void __init report_warnings(void)
{
    static char __initdata path[LCM_PATH_SIZE], text[LCM_TEXT_SIZE];
    unsigned int i;

    for ( i = 0; i < parsed.nr_warnings; i++ )
    {
        const struct lcm_warning *w = &parsed.warnings[i];

        if ( w->code == LCM_WARN_UNSUPPORTED )
            continue;
        lcm_path(blob, w->node, path, sizeof(path));
        printk(XENLOG_WARNING "hyperlaunch: warning: %s: %s: %s\n", path,
               w->prop ?: "node", lcm_warning_text(w, text));
    }
}

static bool __init has_fdt_magic(const void *data, size_t size)
{
    return size >= sizeof(struct fdt_header) && fdt_magic(data) == FDT_MAGIC;
}

/* A module may be larger: padding and other nodes are left out. */
static int __init copy_lcm(const void *data, size_t size,
                           struct lcm_error *err)
{
    if ( size > sizeof(blob) )
        return lcm_extract(data, size, blob, &blob_size, err);

    memcpy(blob, data, size);
    blob_size = size;

    return 0;
}

bool __init hyperlaunch_detect(const void *data, size_t size)
{
    if ( !has_fdt_magic(data, size) )
        return false;

    if ( !copy_lcm(data, size, &parse_error.lcm) &&
         lcm_parse(blob, blob_size, &parsed, &parse_error.lcm) )
    {
        /* A device tree, but no LCM. */
        if ( parse_error.lcm.code == LCM_ERR_NO_HYPERVISOR )
            return false;
    }

    found = true;

    if ( parse_error.lcm.code )
        hyperlaunch_report_error(&parse_error);
    else
        report_warnings();

    return true;
}

bool __init hyperlaunch_enabled(void)
{
    return found;
}

const struct lcm_module *__init hyperlaunch_config_module(
    enum lcm_module_type type)
{
    int i = LCM_NONE;

    if ( !found || parse_error.lcm.code )
        return NULL;

    if ( type == LCM_MODULE_MICROCODE )
        i = parsed.microcode;
    else if ( type == LCM_MODULE_XSM_POLICY )
        i = parsed.xsm_policy;

    return i == LCM_NONE ? NULL : &parsed.modules[i];
}

const struct lcm_module *__init hyperlaunch_hwdom_ramdisk(void)
{
    unsigned int i;

    if ( !found || parse_error.lcm.code )
        return NULL;

    for ( i = 0; i < parsed.nr_domains; i++ )
    {
        const struct lcm_domain *dom = &parsed.domains[i];

        /* lcm_check() has not added implied roles yet. */
        if ( (dom->permissions & LCM_PERM_HARDWARE) ||
             (dom->functions & LCM_FUNC_LEGACY_DOM0) )
            return dom->ramdisk == LCM_NONE ? NULL
                                            : &parsed.modules[dom->ramdisk];
    }

    return NULL;
}

void __init hyperlaunch_reject_lcm(enum lcm_err code, int node,
                                   const char *prop)
{
    if ( parse_error.lcm.code )
        return;

    hyperlaunch_fail(&parse_error, code, node, prop, 0);
    hyperlaunch_report_error(&parse_error);
}

void __init hyperlaunch_reject_policy(void)
{
    const struct lcm_module *policy =
        hyperlaunch_config_module(LCM_MODULE_XSM_POLICY);

    if ( policy )
        hyperlaunch_reject_lcm(LCM_ERR_XSM_POLICY, policy->node, NULL);
}

void __init hyperlaunch_stop_if_rejected(void)
{
    if ( parse_error.lcm.code )
        hyperlaunch_stop();
}

struct lcm *__init hyperlaunch_lcm(size_t *ret_size,
                                   struct hl_build_error *ret_err)
{
    *ret_size = blob_size;
    *ret_err = parse_error;

    return &parsed;
}

const void *__init hyperlaunch_blob(void)
{
    return blob;
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
