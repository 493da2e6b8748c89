/* SPDX-License-Identifier: (GPL-2.0-or-later OR BSD-2-Clause) */
/*
 * The launch control module (LCM): what a device tree may ask Xen to build.
 *
 * One parser for Xen, libhl, the boot domain and the tools.  It allocates
 * nothing, logs nothing and never reads outside the blob.  Each string in
 * struct lcm points into the blob, so the blob must stay where it is for as
 * long as the struct is used; all else is copied.
 *
 * bytes -> lcm_fdt_check() -> lcm_parse() -> lcm_check() -> a struct to build from
 */
#ifndef XEN__LIB__HYPERLAUNCH__LCM_H
#define XEN__LIB__HYPERLAUNCH__LCM_H

#ifdef __XEN__
#include <xen/stdbool.h>
#include <xen/types.h>
#else
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#endif

/* Capacity.  More of any of these in an LCM is an error, never a truncation. */
#define LCM_MAX_DOMAINS     32
#define LCM_MAX_MODULES     192      /* module nodes; several may name one blob */
#define LCM_MAX_PCI         64
#define LCM_MAX_WARNINGS    32
#define LCM_MAX_DEPTH       16       /* of nodes below the root */
#define LCM_MAX_SIZE        (64u << 10)
#define LCM_NAME_SIZE       64       /* a domain's name with its NUL */
#define LCM_PATH_SIZE       256      /* enough for lcm_path() of any sound LCM */

/* permissions */
#define LCM_PERM_CONTROL    (1u << 0)
#define LCM_PERM_HARDWARE   (1u << 1)
#define LCM_PERM_ALL        (LCM_PERM_CONTROL | LCM_PERM_HARDWARE)

/* functions */
#define LCM_FUNC_BOOT       (1u << 0)
#define LCM_FUNC_CRASH      (1u << 1)
#define LCM_FUNC_CONSOLE    (1u << 2)
#define LCM_FUNC_XENSTORE   (1u << 30)
#define LCM_FUNC_LEGACY_DOM0 (1u << 31)
#define LCM_FUNC_ALL        (LCM_FUNC_BOOT | LCM_FUNC_CRASH | LCM_FUNC_CONSOLE | \
                             LCM_FUNC_XENSTORE | LCM_FUNC_LEGACY_DOM0)

/* mode */
#define LCM_MODE_PV         (1u << 0)
#define LCM_MODE_DEVICE_MODEL (1u << 1)
#define LCM_MODE_LONG       (1u << 2)

/* capabilities, the dom0less dialect's name for roles */
#define LCM_CAP_CONTROL     (1u << 0)
#define LCM_CAP_HARDWARE    (1u << 1)
#define LCM_CAP_XENSTORE    (1u << 2)

#define LCM_DOMID_MAX       0x7fef   /* the last ordinary id */
#define LCM_DOMID_BOOT      0x7ff5   /* what an LCM may ask for with BOOT */
#define LCM_DOMID_BOOT_REAL LCM_DOMID_MAX /* what it then runs as */

#define LCM_BOOT_TIMEOUT_MS 120000   /* of a hypervisor node that says nothing */

#define LCM_NONE            (-1)     /* no such index */

enum lcm_module_type {
    LCM_MODULE_KERNEL,
    LCM_MODULE_RAMDISK,
    LCM_MODULE_DEVICE_TREE,
    LCM_MODULE_MICROCODE,
    LCM_MODULE_XSM_POLICY,
    LCM_MODULE_CONFIG,
    LCM_NR_MODULE_TYPES
};

enum lcm_locator {
    LCM_LOCATE_INDEX,                /* mb-index or module-index */
    LCM_LOCATE_ADDR,                 /* module-addr or reg */
    LCM_LOCATE_FILE,                 /* a source LCM, before the link step */
};

struct lcm_module {
    int node;                        /* offset in the blob */
    int domain;                      /* index in lcm.domains; LCM_NONE: the config node's */
    enum lcm_module_type type;
    enum lcm_locator locator;
    uint32_t index;                  /* LCM_LOCATE_INDEX; 1 is the module after the LCM */
    uint64_t addr, size;             /* LCM_LOCATE_ADDR, bytes */
    const char *file;                /* NULL: no such property */
    const char *bootargs;            /* NULL: no such property */
    const uint8_t *digest;           /* 32 bytes of SHA-256; NULL: none given */
};

enum lcm_pci_form {
    LCM_PCI_BDF,                     /* bdf */
    LCM_PCI_MATCH,                   /* class, vendor, device, count */
    LCM_PCI_VF,                      /* pf and vf */
};

struct lcm_pci {
    int node;
    int domain;                      /* index in lcm.domains */
    enum lcm_pci_form form;
    uint32_t sbdf;                   /* segment << 16 | bus << 8 | device << 3 | function; of the PF for LCM_PCI_VF */
    uint32_t vf;                     /* LCM_PCI_VF: number of the function, from 0 */
    bool has_class, has_vendor, has_device, has_slot;
    uint32_t class, vendor, device;  /* LCM_PCI_MATCH */
    uint32_t count;                  /* LCM_PCI_MATCH: at most so many; 0: no limit */
    uint32_t slot;                   /* virtual slot, 0..31 */
    bool optional, permissive;
};

struct lcm_domain {
    int node;
    char name[LCM_NAME_SIZE];
    uint32_t requested_domid;        /* as written; 0: absent or 0, the next free one */
    uint16_t domid;                  /* what it will run as; set by lcm_check() */
    uint32_t permissions;            /* LCM_PERM_*, implied ones included by lcm_check() */
    uint32_t functions;              /* LCM_FUNC_*, implied ones included by lcm_check() */
    uint32_t mode;                   /* LCM_MODE_* */
    bool has_mode, has_capabilities, has_uuid, hold;
    uint32_t capabilities;           /* LCM_CAP_*, as written */
    uint32_t cpus;
    uint64_t memory_kib;
    uint8_t uuid[16];                /* in the order written; all zero: none */
    const char *security_id;         /* as written; NULL: default domu_t */
    const char *start_after;         /* string list; NULL: none */
    int start_after_len;             /* bytes of it */
    uint32_t start_after_mask;       /* bit i: after lcm.domains[i]; set by lcm_check() */
    int kernel, ramdisk, device_tree, config; /* index in lcm.modules or LCM_NONE */
};

enum lcm_err {
    LCM_OK,
    /* the blob */
    LCM_ERR_FDT,                     /* not a sound flattened device tree */
    LCM_ERR_SIZE,                    /* larger than LCM_MAX_SIZE */
    LCM_ERR_DEPTH,                   /* nodes nested deeper than LCM_MAX_DEPTH */
    LCM_ERR_NO_HYPERVISOR,           /* neither /chosen/hypervisor nor xen,domain children of /chosen */
    LCM_ERR_BOTH_FORMS,              /* both of them */
    LCM_ERR_COMPATIBLE,              /* a required compatible is absent or wrong */
    /* any property */
    LCM_ERR_LENGTH,                  /* a length that the property can't have */
    LCM_ERR_STRING,                  /* text without a NUL, or empty */
    LCM_ERR_MISSING,                 /* a required property is absent */
    LCM_ERR_RANGE,                   /* a value outside what the property allows */
    LCM_ERR_UNSUPPORTED_PROP,        /* role, capability: dialects that were never merged */
    /* capacity */
    LCM_ERR_TOO_MANY_DOMAINS,
    LCM_ERR_TOO_MANY_MODULES,
    LCM_ERR_TOO_MANY_PCI,
    LCM_ERR_NO_DOMAIN,
    LCM_ERR_TWO_CONFIGS,             /* two config nodes */
    /* domains */
    LCM_ERR_NAME,                    /* too long */
    LCM_ERR_NAME_DUPLICATE,
    LCM_ERR_DOMID_RESERVED,
    LCM_ERR_DOMID_DUPLICATE,
    LCM_ERR_DOMID_BOOT,              /* 0x7FF5 without FUNCTION_BOOT */
    LCM_ERR_CAPABILITIES,            /* unknown bits */
    LCM_ERR_ROLES_DISAGREE,          /* capabilities against permissions or functions */
    LCM_ERR_MODE_PV_DM,
    LCM_ERR_MODE_PV32,
    LCM_ERR_MEMORY_ZERO,
    LCM_ERR_MEMORY_HOST,             /* more than the host has */
    LCM_ERR_MEMORY_TEXT,             /* not a size */
    LCM_ERR_CPUS_ZERO,
    LCM_ERR_CPUS_LIMIT,
    LCM_ERR_UUID_LENGTH,
    LCM_ERR_UUID_DUPLICATE,
    LCM_ERR_SECURITY_LABEL,          /* the loaded policy has none such for an initial domain; raised by Xen */
    /* modules */
    LCM_ERR_MODULE_TYPE,
    LCM_ERR_MODULE_PLACE,            /* a type that does not belong on this node */
    LCM_ERR_CONFIG_PV,               /* config of a PV domain: there is no way to hand it over */
    LCM_ERR_NO_KERNEL,
    LCM_ERR_TWO_KERNELS,
    LCM_ERR_TWO_RAMDISKS,
    LCM_ERR_TWO_OF_TYPE,             /* device-tree or config of a domain; any of the config node */
    LCM_ERR_NO_LOCATOR,
    LCM_ERR_TWO_LOCATORS,
    LCM_ERR_INDEX_ZERO,
    LCM_ERR_INDEX_RANGE,             /* beyond the chain */
    LCM_ERR_ADDR_EMPTY,
    LCM_ERR_ADDR_WRAP,
    LCM_ERR_ADDR_OVERLAP,            /* two modules overlap without being the same */
    LCM_ERR_NOT_LINKED,              /* `file` alone where a linked LCM is needed */
    LCM_ERR_DIGEST,                  /* the module's digest differs; raised by its user */
    /* rules across domains */
    LCM_ERR_TWO_HARDWARE,
    LCM_ERR_NO_HARDWARE,             /* x86 */
    LCM_ERR_TWO_BOOT,
    LCM_ERR_TWO_CRASH,
    LCM_ERR_TWO_CONSOLE,
    LCM_ERR_TWO_XENSTORE,
    LCM_ERR_TWO_LEGACY_DOM0,
    LCM_ERR_BOOT_CRASH,
    LCM_ERR_START_AFTER_UNKNOWN,
    LCM_ERR_START_AFTER_CYCLE,
    LCM_ERR_PCI_FORM,                /* not exactly one of bdf, match, pf with vf */
    LCM_ERR_PCI_BDF,                 /* not a PCI address */
    /* raised by Xen while it builds */
    LCM_ERR_IMAGE,                   /* no kernel that Xen can start */
    LCM_ERR_NO_MEMORY,
    LCM_ERR_BUILD,                   /* any other failure of the builder */
    LCM_ERR_UNSUPPORTED,             /* sound, but not built by this Xen */
    LCM_ERR_KERNEL_SIZE,             /* kernel and ramdisk do not fit into the domain's memory */
    LCM_ERR_XSM_POLICY,              /* the config node's xsm-policy is none */
    /* raised while the boot domain prepares the launch */
    LCM_ERR_BOOT_FAILED,             /* it said so */
    LCM_ERR_BOOT_DIED,
    LCM_ERR_BOOT_TIMEOUT,            /* not done within boot-timeout-ms */
    LCM_NR_ERRS
};

enum lcm_warn {
    LCM_WARN_NONE,
    LCM_WARN_PERMISSIONS,            /* unknown bits, ignored */
    LCM_WARN_FUNCTIONS,              /* unknown bits, ignored */
    LCM_WARN_MODE_DEFAULT,           /* absent: 64-bit PVH */
    LCM_WARN_MODE_BITS,              /* unknown bits, ignored */
    LCM_WARN_UUID_SHORT,             /* 8 bytes, zero-extended */
    LCM_WARN_PV_XENSTORE,            /* XENSTORE, PV and no HARDWARE */
    LCM_WARN_DEVICE_TREE,            /* of an x86 domain, not used */
    LCM_WARN_START_AFTER,            /* without a boot domain */
    LCM_WARN_LOST,                   /* there were more than LCM_MAX_WARNINGS */
    LCM_NR_WARNS
};

/* Where something is wrong.  Filled on failure only. */
struct lcm_error {
    enum lcm_err code;
    int node;                        /* offset in the blob, or LCM_NONE: the whole of it */
    int other_node;                  /* the node it clashes with, or LCM_NONE */
    const char *prop;                /* a string constant; NULL: the node itself */
    uint64_t value;                  /* the offending value, where it is a number */
    int fdt_err;                     /* LCM_ERR_FDT: libfdt's (negative) code */
};

struct lcm_warning {
    enum lcm_warn code;
    int node;
    const char *prop;
    uint64_t value;
};

enum lcm_form {
    LCM_FORM_HYPERVISOR,             /* /chosen/hypervisor */
    LCM_FORM_DOM0LESS,               /* xen,domain children of /chosen */
};

enum lcm_platform { LCM_PLATFORM_X86, LCM_PLATFORM_ARM };

struct lcm {
    const void *fdt;
    enum lcm_form form;
    int root;                        /* node of the form */
    uint32_t boot_timeout_ms;        /* 0: no limit */
    unsigned int nr_domains, nr_modules, nr_pci, nr_warnings;
    int microcode, xsm_policy;       /* config node's, index in modules or LCM_NONE */
    struct lcm_domain domains[LCM_MAX_DOMAINS];
    struct lcm_module modules[LCM_MAX_MODULES];
    struct lcm_pci pci[LCM_MAX_PCI];
    struct lcm_warning warnings[LCM_MAX_WARNINGS];
};

/* What the rules across domains are held against.  0 in a field: unknown, not checked. */
struct lcm_limits {
    enum lcm_platform platform;
    unsigned int nr_modules;         /* boot modules after the LCM: 1..nr_modules are good */
    uint64_t memory_kib;             /* the host's */
    unsigned int max_vcpus;
    unsigned int max_vcpus_pv;       /* of a PV domain; 0: max_vcpus is for it too */
    bool no_pv32;                    /* refuse 32-bit PV */
    bool source;                     /* `file` is enough of a locator */
    bool no_modules;                 /* the LCM is the last of the chain: no index is good */
};

/* Is this sound FDT bytes with an LCM in it?  Cheap; says nothing of what it asks for. */
bool lcm_detect(const void *blob, size_t size);

/*
 * 0 or -EINVAL with *err filled: header, structure, strings, depth, size.  The
 * blob must be aligned to 8 bytes; where it is not, that is LCM_ERR_FDT.
 */
int lcm_fdt_check(const void *blob, size_t size, struct lcm_error *err);

/* Reads everything of one node at a time.  Runs lcm_fdt_check() itself. */
int lcm_parse(const void *blob, size_t size, struct lcm *lcm, struct lcm_error *err);

/* Implied roles, domids, and each rule across domains.  After lcm_parse(). */
int lcm_check(struct lcm *lcm, const struct lcm_limits *limits, struct lcm_error *err);

/*
 * Of an LCM that lcm_parse() or lcm_check() refused: its first sound domain
 * with CRASH or LEGACY_DOM0, without hold, start-after and pci.  Where that one
 * has no HARDWARE, its first sound HARDWARE domain besides, with that role alone:
 * x86 needs one, though it will not run.  lcm_check() then still has its say.
 * 0, or -EINVAL with *err filled: the whole is no LCM, or (LCM_ERR_NO_DOMAIN) it
 * has no such crash domain.
 */
int lcm_parse_recovery(const void *blob, size_t size, struct lcm *lcm,
                       struct lcm_error *err);

/* mb-index somewhere: x86; else address: Arm; else (file only) x86. */
enum lcm_platform lcm_guess_platform(const struct lcm *lcm);

/* After lcm_check().  Each gives an index in lcm.domains or LCM_NONE. */
int lcm_find_function(const struct lcm *lcm, uint32_t function);
int lcm_find_permission(const struct lcm *lcm, uint32_t permission); /* the first */
int lcm_console_owner(const struct lcm *lcm);    /* first owner, the boot domain aside */
bool lcm_is_dynamic(const struct lcm *lcm);      /* some domain has CONTROL */

/* The node's path, always NUL-terminated, "?" where it can't be had. */
void lcm_path(const void *fdt, int node, char *buf, size_t size);

/* English, no trailing full stop; never NULL. */
const char *lcm_strerror(enum lcm_err code);
const char *lcm_errname(enum lcm_err code);      /* "domid-duplicate" */
const char *lcm_strwarning(enum lcm_warn code);
const char *lcm_module_type_name(enum lcm_module_type type); /* "kernel" */

#endif /* XEN__LIB__HYPERLAUNCH__LCM_H */
