// SPDX-License-Identifier: (GPL-2.0-or-later OR BSD-2-Clause)
/*
 * Table of the properties that the parser reads, and the search for misspelt
 * ones, which would be ignored.
 */
#include "lcm-internal.h"

#define NAME_CHARS 20

#define KIND(kind) (1u << LCM_NODE_ ## kind)
#define ANY_KIND   ((1u << LCM_NR_NODE_KINDS) - 1)
#define REFUSED    0x8000              /* an error, so never suggested */
#define CELLS      (KIND(HYPERVISOR) | KIND(CONFIG) | KIND(DOMAIN))

/*
 * Arrays, not pointers: without relocations the text is freed with the rest.
 */
struct property {
    char name[NAME_CHARS];
    uint16_t kinds;
};

static const struct property __initconst properties[] = {
    { "compatible", ANY_KIND },
    { "#address-cells", CELLS },
    { "#size-cells", CELLS },
    { "boot-timeout-ms", KIND(HYPERVISOR) },
    { "domid", KIND(DOMAIN) },
    { "permissions", KIND(DOMAIN) },
    { "functions", KIND(DOMAIN) },
    { "capabilities", KIND(DOMAIN) },
    { "role", KIND(DOMAIN) | REFUSED },
    { "capability", KIND(DOMAIN) | REFUSED },
    { "mode", KIND(DOMAIN) },
    { "memory", KIND(DOMAIN) },
    { "cpus", KIND(DOMAIN) },
    { "domain-uuid", KIND(DOMAIN) },
    { "security-id", KIND(DOMAIN) },
    { "start-after", KIND(DOMAIN) },
    { "hold", KIND(DOMAIN) },
    { "restart", KIND(DOMAIN) },
    { "restart-limit", KIND(DOMAIN) },
    { "mb-index", KIND(MODULE) },
    { "module-index", KIND(MODULE) },
    { "module-addr", KIND(MODULE) },
    { "reg", KIND(MODULE) },
    { "file", KIND(MODULE) },
    { "bootargs", KIND(MODULE) },
    { "digest-sha256", KIND(MODULE) },
    { "bdf", KIND(PCI) },
    { "class", KIND(PCI) },
    { "vendor", KIND(PCI) },
    { "device", KIND(PCI) },
    { "count", KIND(PCI) },
    { "pf", KIND(PCI) },
    { "vf", KIND(PCI) },
    { "path", KIND(PCI) | KIND(DISK) },
    { "reset", KIND(PCI) },
    { "optional", KIND(PCI) },
    { "permissive", KIND(PCI) },
    { "slot", KIND(PCI) },
    { "id", KIND(VCPU) },
    { "hard-affinity", KIND(VCPU) },
    { "vdev", KIND(DISK) },
    { "format", KIND(DISK) },
    { "read-only", KIND(DISK) },
    { "backend", KIND(DISK) | KIND(NIC) },
    { "bridge", KIND(NIC) },
    { "mac", KIND(NIC) },
};

/* Other names for properties, mostly those of toolstacks. */
struct synonym {
    char word[NAME_CHARS], meant[NAME_CHARS];
};

static const struct synonym __initconst synonyms[] = {
    { "roles", "permissions" },
    { "vcpus", "cpus" },
    { "nr-cpus", "cpus" },
    { "num-cpus", "cpus" },
    { "maxvcpus", "cpus" },
    { "max-vcpus", "cpus" },
    { "maxmem", "memory" },
    { "mem", "memory" },
    { "memory-kib", "memory" },
    { "uuid", "domain-uuid" },
    { "domain-id", "domid" },
    { "seclabel", "security-id" },
    { "security-label", "security-id" },
    { "label", "security-id" },
    { "after", "start-after" },
    { "start-before", "start-after" },
    { "depends-on", "start-after" },
    { "held", "hold" },
    { "paused", "hold" },
    { "on-crash", "restart" },
    { "boot-timeout", "boot-timeout-ms" },
    { "timeout-ms", "boot-timeout-ms" },
    { "cmdline", "bootargs" },
    { "command-line", "bootargs" },
    { "args", "bootargs" },
    { "extra", "bootargs" },
    { "index", "mb-index" },
    { "addr", "module-addr" },
    { "address", "module-addr" },
    { "filename", "file" },
    { "digest", "digest-sha256" },
    { "sha256", "digest-sha256" },
    { "sbdf", "bdf" },
    { "class-code", "class" },
    { "vendor-id", "vendor" },
    { "device-id", "device" },
    { "affinity", "hard-affinity" },
    { "vcpu-id", "id" },
    { "target", "path" },
    { "dev", "vdev" },
    { "readonly", "read-only" },
    { "hwaddr", "mac" },
};

/* What a domain's own node is given instead of its kernel's. */
static const char __initconst of_kernel[] = "bootargs in the node of the kernel";

/* Properties that any node of a device tree may have. */
static const char __initconst standard[][NAME_CHARS] = {
    "model", "status", "name", "phandle", "ranges", "dma-ranges",
    "device_type",
};

static const char __initconst kind_names[LCM_NR_NODE_KINDS][NAME_CHARS] = {
    [LCM_NODE_HYPERVISOR] = "hypervisor",
    [LCM_NODE_CONFIG] = "config",
    [LCM_NODE_DOMAIN] = "domain",
    [LCM_NODE_MODULE] = "module",
    [LCM_NODE_PCI] = "pci",
    [LCM_NODE_VCPU] = "vcpu",
    [LCM_NODE_DISK] = "disk",
    [LCM_NODE_NIC] = "nic",
};

const char *__init lcm_property(unsigned int i, uint32_t *ret_kinds)
{
    if ( i >= ARRAY_SIZE(properties) )
        return NULL;
    *ret_kinds = properties[i].kinds & ANY_KIND;

    return properties[i].name;
}

const char *__init lcm_node_kind_name(enum lcm_node_kind kind)
{
    return (unsigned int)kind < LCM_NR_NODE_KINDS ? kind_names[kind]
                                                  : "unknown";
}

/* --- likeness -------------------------------------------------------------- */

/*
 * Normalises a name: lower case, hyphens, no plural.  Returns false if it is
 * longer than any name that it could resemble.
 */
static bool __init simplify(const char *name, char simple[NAME_CHARS + 2])
{
    unsigned int i;

    for ( i = 0; name[i]; i++ )
    {
        if ( i == NAME_CHARS + 1 )
            return false;
        simple[i] = name[i] == '_' ? '-' : name[i];
        if ( simple[i] >= 'A' && simple[i] <= 'Z' )
            simple[i] += 'a' - 'A';
    }
    if ( i > 1 && simple[i - 1] == 's' )
        i--;
    simple[i] = '\0';

    return true;
}

static unsigned int __init min3(unsigned int a, unsigned int b, unsigned int c)
{
    if ( b < a )
        a = b;

    return c < a ? c : a;
}

/*
 * Number of characters that are added, removed, changed or swapped with the
 * next to turn one text into the other.  simplify() bounds their lengths.
 */
static unsigned int __init distance(const char *a, const char *b)
{
    unsigned int rows[3][NAME_CHARS + 3];
    unsigned int *before = rows[0], *last = rows[1], *row = rows[2], *spare;
    unsigned int i, j, len = strlen(b);

    for ( j = 0; j <= len; j++ )
        last[j] = j;
    for ( i = 1; a[i - 1]; i++ )
    {
        row[0] = i;
        for ( j = 1; j <= len; j++ )
        {
            row[j] = min3(last[j] + 1, row[j - 1] + 1,
                          last[j - 1] + (a[i - 1] != b[j - 1]));
            if ( i > 1 && j > 1 && a[i - 1] == b[j - 2] &&
                 a[i - 2] == b[j - 1] && before[j - 2] + 1 < row[j] )
                row[j] = before[j - 2] + 1;
        }
        spare = before;
        before = last;
        last = row;
        row = spare;
    }

    return last[len];
}

/* A short name may differ by fewer characters. */
static unsigned int __init tolerance(const char *name)
{
    size_t len = strlen(name);

    return len < 4 ? 0 : len < 8 ? 1 : 2;
}

static bool __init resembles(const char *simple, const char *name)
{
    char other[NAME_CHARS + 2] = "";

    return simplify(name, other) &&
           distance(simple, other) <= tolerance(other);
}

static const struct property *__init find_property(const char *name)
{
    unsigned int i;

    for ( i = 0; i < ARRAY_SIZE(properties); i++ )
        if ( !strcmp(properties[i].name, name) )
            return &properties[i];

    return NULL;
}

static bool __init is_standard(const char *name)
{
    unsigned int i;

    for ( i = 0; i < ARRAY_SIZE(standard); i++ )
        if ( !strcmp(standard[i], name) )
            return true;

    return false;
}

/* Ignores "vendor,property", "#something-cells" and unprintable names. */
static bool __init is_of_others(const char *name)
{
    const char *c;

    if ( *name == '#' || strchr(name, ',') || is_standard(name) )
        return true;
    for ( c = name; *c; c++ )
        if ( *c <= ' ' || *c > '~' )
            return true;

    return !*name;
}

/* The property that the name is probably a misspelling of, or NULL. */
static const char *__init find_meant(const char *name, unsigned int kinds)
{
    char simple[NAME_CHARS + 2] = "";
    const struct property *prop;
    unsigned int i;

    if ( !simplify(name, simple) )
        return NULL;
    for ( i = 0; i < ARRAY_SIZE(synonyms); i++ )
    {
        prop = find_property(synonyms[i].meant);
        if ( prop && (prop->kinds & kinds) &&
             (!strcmp(simple, synonyms[i].word) ||
              !strcmp(name, synonyms[i].word) ||
              resembles(simple, synonyms[i].word)) )
            return prop->name;
    }
    for ( i = 0; i < ARRAY_SIZE(properties); i++ )
        if ( (properties[i].kinds & kinds) &&
             !(properties[i].kinds & REFUSED) &&
             resembles(simple, properties[i].name) )
            return properties[i].name;

    return NULL;
}

/* A command line in a domain's node belongs to the kernel's. */
static const char *__init find_meant_in_domain(const char *name)
{
    const char *meant = strcmp(name, "bootargs")
                        ? find_meant(name, KIND(MODULE)) : name;

    return meant && !strcmp(meant, "bootargs") ? of_kernel : NULL;
}

void __init lcm_warn_of_misspelt(struct lcm *lcm, int node,
                                 enum lcm_node_kind kind)
{
    const unsigned int kinds = 1u << kind;
    const struct property *known;
    const char *name, *meant;
    int prop, len;

    for ( prop = fdt_first_property_offset(lcm->fdt, node); prop >= 0;
          prop = fdt_next_property_offset(lcm->fdt, prop) )
    {
        if ( !fdt_getprop_by_offset(lcm->fdt, prop, &name, &len) ||
             is_of_others(name) )
            continue;
        known = find_property(name);
        if ( known && (known->kinds & kinds) )
            continue;
        meant = find_meant(name, kinds);
        if ( !meant && kind == LCM_NODE_DOMAIN )
            meant = find_meant_in_domain(name);
        if ( !meant )
            continue;
        lcm_warn(lcm, LCM_WARN_MISSPELT, node, name, 0);
        lcm->warnings[lcm->nr_warnings - 1].meant = meant;
    }
}
