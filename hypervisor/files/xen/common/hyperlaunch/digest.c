/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Digests of modules, compared with those in the LCM; for a fallback also with
 * those in an LCM that is invalid.
 */

#include <xen/lib.h>
#include <xen/libfdt/libfdt.h>
#include <xen/sha2.h>
#include <xen/string.h>

#include "private.h"

int __init hyperlaunch_check_digests(const struct lcm *lcm, int domain,
                                     struct hl_build_error *err)
{
    unsigned int i;

    for ( i = 0; i < lcm->nr_modules; i++ )
    {
        const struct lcm_module *mod = &lcm->modules[i];

        if ( (domain == LCM_NONE || mod->domain == domain) && mod->digest &&
             memcmp(mod->digest, hyperlaunch_module(mod->index)->sha256,
                    SHA2_256_DIGEST_SIZE) )
            return hyperlaunch_fail(err, LCM_ERR_DIGEST, mod->node,
                                    "digest-sha256", 0);
    }

    return 0;
}

static bool __init is_index(const void *fdt, int node, const char *prop,
                            unsigned int index)
{
    int len;
    const fdt32_t *value = fdt_getprop(fdt, node, prop, &len);

    return value && len == sizeof(*value) && fdt32_to_cpu(*value) == index;
}

/* Returns the blob, or NULL if it is not even a device tree. */
static const void *__init tree(void)
{
    struct hl_build_error ignored;
    struct lcm_error err;
    size_t size;

    hyperlaunch_lcm(&size, &ignored);

    return lcm_fdt_check(hyperlaunch_blob(), size, &err) ? NULL
                                                         : hyperlaunch_blob();
}

/* Returns the next node after `node` with this module's index; < 0 if none. */
static int __init next_of(const void *fdt, int node, unsigned int index)
{
    do
        node = fdt_next_node(fdt, node, NULL);
    while ( node >= 0 && !is_index(fdt, node, "mb-index", index) &&
            !is_index(fdt, node, "module-index", index) );

    return node;
}

enum hl_trust __init hyperlaunch_trust(
    unsigned int index, const uint8_t sha256[SHA2_256_DIGEST_SIZE])
{
    const void *fdt = tree();
    enum hl_trust trust = HL_TRUST_NO_DIGEST;
    int node = -1;

    while ( fdt && (node = next_of(fdt, node, index)) >= 0 )
    {
        int len;
        const void *digest = fdt_getprop(fdt, node, "digest-sha256", &len);

        if ( !digest )
            continue;
        if ( len != SHA2_256_DIGEST_SIZE || memcmp(digest, sha256, len) )
            return HL_TRUST_MISMATCH;
        trust = HL_TRUST_AS_LINKED;
    }

    return trust;
}

bool __init hyperlaunch_is_for_xen(unsigned int index)
{
    static const char types[][24] __initconst = {
        "module,microcode", "multiboot,microcode",
        "module,xsm-policy", "multiboot,xsm-policy",
    };
    const void *fdt = tree();
    unsigned int i;
    int node = -1;

    while ( fdt && (node = next_of(fdt, node, index)) >= 0 )
        for ( i = 0; i < ARRAY_SIZE(types); i++ )
            if ( !fdt_node_check_compatible(fdt, node, types[i]) )
                return true;

    return false;
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
