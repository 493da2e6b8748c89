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
#define LCM_MAX_VCPU_NODES  256
#define LCM_MAX_DISKS       64
#define LCM_MAX_NICS        64
#define LCM_MAX_WARNINGS    32
#define LCM_MAX_DEPTH       16       /* of nodes below the root */
#define LCM_MAX_SIZE        (64u << 10) /* of the LCM itself; see lcm_extract() */
#define LCM_MAX_TREE        (2u << 20) /* of the device tree that it is a part of */
#define LCM_MAX_CHAIN       62       /* modules after the LCM: Xen takes 63 in all */
#define LCM_NAME_SIZE       64       /* a domain's name with its NUL */
#define LCM_PATH_SIZE       256      /* enough for lcm_path() of any valid LCM */
#define LCM_TEXT_SIZE       192      /* enough for lcm_error_text() and lcm_warning_text() */

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

/* capabilities: the roles in the dom0less bindings */
#define LCM_CAP_CONTROL     (1u << 0)
#define LCM_CAP_HARDWARE    (1u << 1)
#define LCM_CAP_XENSTORE    (1u << 2)

#define LCM_DOMID_MAX       0x7fef   /* the last ordinary id */
#define LCM_DOMID_BOOT      0x7ff5   /* what an LCM may ask for with BOOT */
#define LCM_DOMID_BOOT_REAL LCM_DOMID_MAX /* what it then runs as */

#define LCM_BOOT_TIMEOUT_MS 120000   /* default of a hypervisor node */
#define LCM_RESTART_LIMIT   5        /* restarts in ten minutes, without restart-limit */

#define LCM_NONE            (-1)     /* no such index */

enum lcm_module_type {
    LCM_MODULE_KERNEL,
    LCM_MODULE_RAMDISK,
    LCM_MODULE_DEVICE_TREE,
    LCM_MODULE_MICROCODE,
    LCM_MODULE_XSM_POLICY,
    LCM_MODULE_CONFIG,
    LCM_MODULE_FIRMWARE,
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
    LCM_PCI_PATH,                    /* path */
};

enum lcm_pci_reset {
    LCM_PCI_RESET_AUTO,              /* a device that can't be reset is an error */
    LCM_PCI_RESET_NONE,
};

struct lcm_pci {
    int node;
    int domain;                      /* index in lcm.domains */
    enum lcm_pci_form form;
    uint32_t sbdf;                   /* segment << 16 | bus << 8 | device << 3 | function; of the PF for
                                        LCM_PCI_VF, of the first bridge for LCM_PCI_PATH */
    const char *path;                /* LCM_PCI_PATH: as written, see lcm_next_slot() */
    enum lcm_pci_reset reset;
    uint32_t vf;                     /* LCM_PCI_VF: number of the function, from 0 */
    bool has_class, has_vendor, has_device, has_slot;
    uint32_t class, vendor, device;  /* LCM_PCI_MATCH */
    uint32_t count;                  /* LCM_PCI_MATCH: at most so many; 0: no limit */
    uint32_t slot;                   /* virtual slot, 0..31 */
    bool optional, permissive;
};

struct lcm_vcpu {
    int node;
    int domain;                      /* index in lcm.domains */
    uint32_t id;
    const char *hard_affinity;       /* NULL: any CPU; see lcm_next_cpus() */
};

struct lcm_disk {
    int node;
    int domain;                      /* index in lcm.domains */
    const char *path, *vdev;
    const char *format;              /* NULL: raw */
    const char *backend_name;        /* NULL: the hardware domain */
    int backend;                     /* index in lcm.domains; set by lcm_check() */
    bool read_only;
};

struct lcm_nic {
    int node;
    int domain;                      /* index in lcm.domains */
    const char *bridge;              /* NULL: the back end's default */
    bool has_mac;
    uint8_t mac[6];
    const char *backend_name;        /* NULL: the hardware domain */
    int backend;                     /* index in lcm.domains; set by lcm_check() */
};

enum lcm_restart {
    LCM_RESTART_NEVER,
    LCM_RESTART_ON_FAILURE,          /* after a crash, a watchdog or a reboot request */
    LCM_RESTART_ALWAYS,              /* after a power-off too */
    LCM_NR_RESTARTS
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
    enum lcm_restart restart;
    uint32_t restart_limit;          /* in ten minutes */
    int kernel, ramdisk, device_tree, config, firmware; /* index in lcm.modules or LCM_NONE */
};

enum lcm_err {
    LCM_OK,
    /* the blob */
    LCM_ERR_FDT,                     /* not a valid flattened device tree */
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
    LCM_ERR_UNSUPPORTED_PROP,        /* role, capability: bindings that were never merged */
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
    LCM_ERR_SECURITY_LABEL,          /* unknown to the loaded policy; raised by Xen */
    /* modules */
    LCM_ERR_MODULE_TYPE,
    LCM_ERR_MODULE_PLACE,            /* a type that this node cannot have */
    LCM_ERR_CONFIG_PV,               /* config of a PV domain, which cannot receive it */
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
    LCM_ERR_IMAGE,                   /* image format not supported */
    LCM_ERR_NO_MEMORY,
    LCM_ERR_BUILD,                   /* any other failure of the builder */
    LCM_ERR_UNSUPPORTED,             /* valid, but this Xen cannot build it */
    LCM_ERR_KERNEL_SIZE,             /* kernel and ramdisk do not fit into the domain's memory */
    LCM_ERR_XSM_POLICY,              /* the config node's xsm-policy is invalid */
    /* raised while the boot domain prepares the launch */
    LCM_ERR_BOOT_FAILED,             /* it reported so */
    LCM_ERR_BOOT_DIED,
    LCM_ERR_BOOT_TIMEOUT,            /* not done within boot-timeout-ms */
    /* These numbers are part of Xen's ABI: add new ones at the end only. */
    LCM_ERR_LEGACY_HARDWARE,         /* HARDWARE besides a LEGACY_DOM0 */
    LCM_ERR_TWO_TYPES,               /* one blob as two types of module */
    LCM_ERR_NAMES,                   /* names instead of a bit mask */
    LCM_ERR_WORD,                    /* not one of the property's values */
    LCM_ERR_TOO_MANY_VCPUS,
    LCM_ERR_TOO_MANY_DEVICES,        /* disks or nics */
    LCM_ERR_VCPU_RANGE,              /* id not below cpus */
    LCM_ERR_VCPU_DUPLICATE,
    LCM_ERR_AFFINITY,                /* not a list of CPUs */
    LCM_ERR_CPU_HOST,                /* a CPU that the host lacks */
    LCM_ERR_PCI_PATH,                /* not a path by bridges and slots */
    LCM_ERR_PCI_DUPLICATE,           /* one device that two nodes name */
    LCM_ERR_PCI_PVH,                 /* x86: pci of a PVH domain */
    LCM_ERR_PCI_HARDWARE,            /* pci of the hardware domain itself */
    LCM_ERR_PCI_PVH_HARDWARE,        /* x86: pci with a PVH hardware domain */
    LCM_ERR_HOLD_CONTROL,            /* all domains with CONTROL are held */
    LCM_ERR_START_AFTER_HELD,
    LCM_ERR_STORE_DEVICE,            /* XENSTORE waits for HARDWARE, and HARDWARE for it */
    LCM_ERR_DEVICE_STATIC,           /* disk or nic, and no domain has CONTROL */
    LCM_ERR_BACKEND,                 /* not another domain of the LCM */
    LCM_ERR_VDEV,                    /* not a virtual block device */
    LCM_ERR_VDEV_DUPLICATE,
    LCM_ERR_DISK_FORMAT,             /* needs QEMU, but HARDWARE is not CONTROL */
    LCM_ERR_MAC,                     /* not a unicast MAC address */
    LCM_ERR_MAC_DUPLICATE,
    LCM_ERR_START_AFTER_BOOT,        /* on the boot domain itself */
    LCM_ERR_NO_IOMMU,                /* HARDWARE without CONTROL, and no IOMMU */
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
    LCM_WARN_LOST,                   /* more than LCM_MAX_WARNINGS */
    LCM_WARN_UNSUPPORTED,            /* this Xen cannot build it */
    LCM_WARN_NOT_IN_FORCE,           /* checked, but without effect so far */
    LCM_WARN_RESTART_STATIC,         /* restart, and no domain has CONTROL */
    LCM_WARN_HOLD_STATIC,            /* hold, and no domain has CONTROL */
    LCM_WARN_PCI_SLOT,               /* slot on a PV domain */
    LCM_WARN_MISSPELT,               /* a property that resembles a known one */
    LCM_WARN_NAME_DOMAIN_0,
    LCM_WARN_NAME_NUMBER,
    LCM_WARN_MEMORY_SMALL,
    LCM_NR_WARNS
};

/* Location and kind of an error.  Filled on failure only. */
struct lcm_error {
    enum lcm_err code;
    int node;                        /* offset in the blob; LCM_NONE: the LCM itself */
    int other_node;                  /* the node it clashes with, or LCM_NONE */
    const char *prop;                /* a string constant; NULL: the node itself */
    uint64_t value;                  /* the invalid value, if it is a number */
    uint64_t limit;                  /* the limit for it, if that is a number */
    int fdt_err;                     /* LCM_ERR_FDT: libfdt's (negative) code */
};

struct lcm_warning {
    enum lcm_warn code;
    int node;
    const char *prop;                /* a constant; LCM_WARN_MISSPELT: in the blob */
    const char *meant;               /* LCM_WARN_MISSPELT: a known property, and where */
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
    int chosen;
    int root;                        /* node of the form */
    uint32_t boot_timeout_ms;        /* 0: no limit */
    unsigned int nr_domains, nr_modules, nr_pci, nr_vcpus, nr_disks, nr_nics;
    unsigned int nr_warnings;
    int microcode, xsm_policy;       /* of the config node, or LCM_NONE */
    struct lcm_domain domains[LCM_MAX_DOMAINS];
    struct lcm_module modules[LCM_MAX_MODULES];
    struct lcm_pci pci[LCM_MAX_PCI];
    struct lcm_vcpu vcpus[LCM_MAX_VCPU_NODES];
    struct lcm_disk disks[LCM_MAX_DISKS];
    struct lcm_nic nics[LCM_MAX_NICS];
    struct lcm_warning warnings[LCM_MAX_WARNINGS];
};

/*
 * Limits for the rules across domains.  A field of 0 is unknown, and not
 * checked.
 */
struct lcm_limits {
    enum lcm_platform platform;
    unsigned int nr_modules;         /* boot modules after the LCM: 1..nr_modules */
    uint64_t memory_kib;             /* the host's */
    unsigned int max_vcpus;
    unsigned int max_vcpus_pv;       /* of a PV domain; 0: as max_vcpus */
    unsigned int host_cpus;          /* the host's CPUs are 0..host_cpus - 1 */
    bool no_pv32;                    /* reject 32-bit PV */
    bool strict;                     /* reject what LCM_WARN_UNSUPPORTED is for */
    bool source;                     /* `file` is enough of a locator */
    bool no_modules;                 /* the LCM is the last module: no index is valid */
    bool definition;                 /* of a domain beside a launch, which has HARDWARE */
};

/* True if this is a valid FDT with an LCM in it, valid or not. */
bool lcm_detect(const void *blob, size_t size);

/*
 * Checks header, structure, strings, depth and size.  Returns 0, or -EINVAL
 * with *err filled.  A blob that is not aligned to 8 bytes is an LCM_ERR_FDT.
 */
int lcm_fdt_check(const void *blob, size_t size, struct lcm_error *err);

/*
 * Copies the LCM out of a tree that may describe a whole host, as
 * lcm_fdt_check() accepts at most LCM_MAX_SIZE bytes.  A smaller tree is
 * copied as it is; of a larger one the root with its cells, and /chosen.  buf
 * has LCM_MAX_SIZE bytes, aligned to 8.  Returns as lcm_fdt_check().
 */
int lcm_extract(const void *blob, size_t size, void *buf, size_t *ret_size,
                struct lcm_error *err);

/*
 * Runs lcm_fdt_check(), reads all nodes and checks each by itself.  Returns 0,
 * or -EINVAL with *err filled.
 */
int lcm_parse(const void *blob, size_t size, struct lcm *lcm, struct lcm_error *err);

/*
 * After lcm_parse(): adds implied roles and domids, and checks the rules
 * across domains.  Returns 0, or -EINVAL with *err filled.
 */
int lcm_check(struct lcm *lcm, const struct lcm_limits *limits, struct lcm_error *err);

/*
 * For an LCM that lcm_parse() or lcm_check() rejects: reads its first valid
 * domain with CRASH or LEGACY_DOM0, without hold, start-after and pci.  If
 * that has no HARDWARE, reads the first valid HARDWARE domain as well, with
 * that role alone: x86 needs one, though it will not run.  To be followed by
 * lcm_check().  Returns 0, or -EINVAL with *err filled if the blob is no LCM
 * or (LCM_ERR_NO_DOMAIN) has no such crash domain.
 */
int lcm_parse_recovery(const void *blob, size_t size, struct lcm *lcm,
                       struct lcm_error *err);

/* x86 if a module has mb-index, else Arm if one has an address, else x86. */
enum lcm_platform lcm_guess_platform(const struct lcm *lcm);

/* After lcm_check().  These return an index in lcm.domains, or LCM_NONE. */
int lcm_find_function(const struct lcm *lcm, uint32_t function);
int lcm_find_permission(const struct lcm *lcm, uint32_t permission); /* the first */
int lcm_console_owner(const struct lcm *lcm);    /* first owner, not the boot domain */
bool lcm_is_dynamic(const struct lcm *lcm);      /* some domain has CONTROL */
/* The XENSTORE domain, if dom has a ring to it. */
int lcm_store_of(const struct lcm *lcm, const struct lcm_domain *dom);

/* The node's path, always NUL-terminated; "?" for an invalid node. */
void lcm_path(const void *fdt, int node, char *buf, size_t size);

/*
 * The next range of CPUs in a hard_affinity that lcm_parse() has accepted,
 * from *pos, which is 0 at first.  Returns false at its end.
 */
bool lcm_next_cpus(const char *list, unsigned int *pos, unsigned int *ret_first,
                   unsigned int *ret_last);

/*
 * The same for the slots of a pci path, from the root bus on: device << 3 |
 * function.
 */
bool lcm_next_slot(const char *path, unsigned int *pos, unsigned int *ret_devfn);

/* Kinds of nodes, for the properties that they have. */
enum lcm_node_kind {
    LCM_NODE_HYPERVISOR,
    LCM_NODE_CONFIG,
    LCM_NODE_DOMAIN,
    LCM_NODE_MODULE,
    LCM_NODE_PCI,
    LCM_NODE_VCPU,
    LCM_NODE_DISK,
    LCM_NODE_NIC,
    LCM_NR_NODE_KINDS
};

/*
 * Property number i of those that the parser reads, with a bit in *ret_kinds
 * for each kind of node that can have it.  NULL after the last.
 */
const char *lcm_property(unsigned int i, uint32_t *ret_kinds);
const char *lcm_node_kind_name(enum lcm_node_kind kind); /* "domain" */

/*
 * The text of an error or a warning with its numbers, in buf of LCM_TEXT_SIZE
 * bytes.  Node, property and other node are not part of it.
 */
const char *lcm_error_text(const struct lcm_error *err, char *buf);
const char *lcm_warning_text(const struct lcm_warning *warning, char *buf);

/* English, without a full stop; never NULL. */
const char *lcm_strerror(enum lcm_err code);
const char *lcm_errname(enum lcm_err code);      /* "domid-duplicate" */
const char *lcm_strwarning(enum lcm_warn code);
const char *lcm_module_type_name(enum lcm_module_type type); /* "kernel" */
const char *lcm_restart_name(enum lcm_restart restart); /* "on-failure" */

#endif /* XEN__LIB__HYPERLAUNCH__LCM_H */
