// SPDX-License-Identifier: (GPL-2.0-or-later OR BSD-2-Clause)
/*
 * What the parser's codes are called, for people and for programs.
 */
#include "env.h"

#define NAME_MAX_CHARS 24
#define TEXT_MAX_CHARS 88

/* Arrays, not pointers: text without relocations, which goes with the rest. */
struct text {
    char name[NAME_MAX_CHARS];
    char text[TEXT_MAX_CHARS];
};

static const struct text __initconst errors[LCM_NR_ERRS] = {
    [LCM_OK] = { "ok", "no error" },
    [LCM_ERR_FDT] = { "fdt", "not a sound flattened device tree" },
    [LCM_ERR_SIZE] = { "size", "the LCM is larger than 64 KiB" },
    [LCM_ERR_DEPTH] = { "depth", "nodes are nested deeper than 16" },
    [LCM_ERR_NO_HYPERVISOR] = { "no-hypervisor",
        "there is neither /chosen/hypervisor nor a xen,domain under /chosen" },
    [LCM_ERR_BOTH_FORMS] = { "both-forms",
        "the launch is described twice: one hypervisor node, or domains" },
    [LCM_ERR_COMPATIBLE] = { "compatible",
        "the node lacks the compatible that what it holds requires" },
    [LCM_ERR_LENGTH] = { "length", "the value has a length that can't be" },
    [LCM_ERR_STRING] = { "string",
        "the value is not terminated, empty, not printable or not one string" },
    [LCM_ERR_MISSING] = { "missing", "a required property is absent" },
    [LCM_ERR_RANGE] = { "range", "the value is out of range" },
    [LCM_ERR_UNSUPPORTED_PROP] = { "unsupported-prop",
        "not supported: use permissions and functions, or capabilities" },
    [LCM_ERR_TOO_MANY_DOMAINS] = { "too-many-domains",
        "there are more than 32 domains" },
    [LCM_ERR_TOO_MANY_MODULES] = { "too-many-modules",
        "there are more than 192 module nodes" },
    [LCM_ERR_TOO_MANY_PCI] = { "too-many-pci",
        "there are more than 64 pci nodes" },
    [LCM_ERR_NO_DOMAIN] = { "no-domain", "there is no domain to build" },
    [LCM_ERR_TWO_CONFIGS] = { "two-configs", "there is a second config node" },
    [LCM_ERR_NAME] = { "name",
        "not a name: 1 to 63 letters, digits and characters of ,._+-" },
    [LCM_ERR_NAME_DUPLICATE] = { "name-duplicate",
        "another domain has the same name" },
    [LCM_ERR_DOMID_RESERVED] = { "domid-reserved",
        "the domid is above 0x7fef, where Xen reserves them" },
    [LCM_ERR_DOMID_DUPLICATE] = { "domid-duplicate",
        "another domain has the same domid" },
    [LCM_ERR_DOMID_BOOT] = { "domid-boot",
        "domid 0x7ff5 is only for the boot domain" },
    [LCM_ERR_CAPABILITIES] = { "capabilities",
        "capabilities has bits other than 1, 2 and 4" },
    [LCM_ERR_ROLES_DISAGREE] = { "roles-disagree",
        "capabilities says something else than permissions and functions" },
    [LCM_ERR_MODE_PV_DM] = { "mode-pv-dm",
        "a PV domain can't have a device model" },
    [LCM_ERR_MODE_PV32] = { "mode-pv32", "this Xen runs no 32-bit PV domains" },
    [LCM_ERR_MEMORY_ZERO] = { "memory-zero", "a domain needs memory" },
    [LCM_ERR_MEMORY_HOST] = { "memory-host",
        "up to this domain, more memory is asked for than the host has" },
    [LCM_ERR_MEMORY_TEXT] = { "memory-text",
        "not a size: digits and one of K, M, G, T" },
    [LCM_ERR_CPUS_ZERO] = { "cpus-zero", "a domain needs a vCPU" },
    [LCM_ERR_CPUS_LIMIT] = { "cpus-limit",
        "more vCPUs than Xen gives to a domain of this mode" },
    [LCM_ERR_UUID_LENGTH] = { "uuid-length", "a uuid has 16 bytes, or 8" },
    [LCM_ERR_UUID_DUPLICATE] = { "uuid-duplicate",
        "another domain has the same uuid" },
    [LCM_ERR_SECURITY_LABEL] = { "security-label",
        "the loaded XSM policy has no such label to give at boot" },
    [LCM_ERR_MODULE_TYPE] = { "module-type",
        "compatible names no module type, an unknown one, or two" },
    [LCM_ERR_MODULE_PLACE] = { "module-place",
        "a module of this type does not belong on this node" },
    [LCM_ERR_CONFIG_PV] = { "config-pv",
        "a PV domain can't be given a config module" },
    [LCM_ERR_NO_KERNEL] = { "no-kernel", "the domain has no kernel" },
    [LCM_ERR_TWO_KERNELS] = { "two-kernels", "the domain has a second kernel" },
    [LCM_ERR_TWO_RAMDISKS] = { "two-ramdisks",
        "the domain has a second ramdisk" },
    [LCM_ERR_TWO_OF_TYPE] = { "two-of-type",
        "the node has a second module of this type" },
    [LCM_ERR_NO_LOCATOR] = { "no-locator",
        "nothing says where this platform finds the module" },
    [LCM_ERR_TWO_LOCATORS] = { "two-locators",
        "the module has a second locator that differs" },
    [LCM_ERR_INDEX_ZERO] = { "index-zero", "module 0 is the LCM itself" },
    [LCM_ERR_INDEX_RANGE] = { "index-range",
        "the boot loader passed fewer modules than this" },
    [LCM_ERR_ADDR_EMPTY] = { "addr-empty", "the module's size is 0" },
    [LCM_ERR_ADDR_WRAP] = { "addr-wrap",
        "the module goes beyond the end of the address space" },
    [LCM_ERR_ADDR_OVERLAP] = { "addr-overlap",
        "the module overlaps another without being the same" },
    [LCM_ERR_NOT_LINKED] = { "not-linked",
        "a source LCM: `lcmtool link` turns file into mb-index" },
    [LCM_ERR_DIGEST] = { "digest",
        "the module's SHA-256 is not the one in the LCM" },
    [LCM_ERR_TWO_HARDWARE] = { "two-hardware",
        "a second domain has the HARDWARE permission" },
    [LCM_ERR_NO_HARDWARE] = { "no-hardware",
        "no domain has the HARDWARE permission, and x86 needs one" },
    [LCM_ERR_TWO_BOOT] = { "two-boot",
        "a second domain has the BOOT function" },
    [LCM_ERR_TWO_CRASH] = { "two-crash",
        "a second domain has the CRASH function" },
    [LCM_ERR_TWO_CONSOLE] = { "two-console",
        "a second domain has the CONSOLE function" },
    [LCM_ERR_TWO_XENSTORE] = { "two-xenstore",
        "a second domain has the XENSTORE function" },
    [LCM_ERR_TWO_LEGACY_DOM0] = { "two-legacy-dom0",
        "a second domain has the LEGACY_DOM0 function" },
    [LCM_ERR_BOOT_CRASH] = { "boot-crash",
        "one domain can't have both the BOOT and the CRASH function" },
    [LCM_ERR_START_AFTER_UNKNOWN] = { "start-after-unknown",
        "start-after names a domain that the LCM does not have" },
    [LCM_ERR_START_AFTER_CYCLE] = { "start-after-cycle",
        "the domain would have to start after itself" },
    [LCM_ERR_PCI_FORM] = { "pci-form",
        "needs exactly one of: bdf; class, vendor or device; pf with vf" },
    [LCM_ERR_PCI_BDF] = { "pci-bdf",
        "not a PCI address like 0000:01:10.0" },
    [LCM_ERR_IMAGE] = { "image", "the kernel is nothing that Xen can start" },
    [LCM_ERR_NO_MEMORY] = { "no-memory",
        "not enough free memory to build the domain" },
    [LCM_ERR_BUILD] = { "build", "the domain could not be built" },
    [LCM_ERR_UNSUPPORTED] = { "unsupported",
        "sound, but this Xen can't build it" },
    [LCM_ERR_KERNEL_SIZE] = { "kernel-size",
        "too little memory for the domain's kernel and ramdisk" },
    [LCM_ERR_XSM_POLICY] = { "xsm-policy",
        "the module is no XSM policy that Xen knows" },
    [LCM_ERR_BOOT_FAILED] = { "boot-failed",
        "the boot domain gave up" },
    [LCM_ERR_BOOT_DIED] = { "boot-died",
        "the boot domain ended before it was done" },
    [LCM_ERR_BOOT_TIMEOUT] = { "boot-timeout",
        "the boot domain was not done in time" },
};

static const char __initconst warnings[LCM_NR_WARNS][TEXT_MAX_CHARS] = {
    [LCM_WARN_NONE] = "no warning",
    [LCM_WARN_PERMISSIONS] = "unknown permission bits are ignored",
    [LCM_WARN_FUNCTIONS] = "unknown function bits are ignored",
    [LCM_WARN_MODE_DEFAULT] = "no mode given: 64-bit PVH is taken",
    [LCM_WARN_MODE_BITS] = "unknown mode bits are ignored",
    [LCM_WARN_UUID_SHORT] =
        "a uuid of 8 bytes: 8 bytes of zero are put after it",
    [LCM_WARN_PV_XENSTORE] =
        "Linux serves xenstore in PVH domains and the hardware domain only",
    [LCM_WARN_DEVICE_TREE] =
        "on x86 a domain is given no device tree: the module is not used",
    [LCM_WARN_START_AFTER] =
        "there is no boot domain to see to it: the domain waits for nobody",
    [LCM_WARN_LOST] = "there were more warnings than are kept",
};

static const char __initconst types[LCM_NR_MODULE_TYPES][NAME_MAX_CHARS] = {
    [LCM_MODULE_KERNEL] = "kernel",
    [LCM_MODULE_RAMDISK] = "ramdisk",
    [LCM_MODULE_DEVICE_TREE] = "device-tree",
    [LCM_MODULE_MICROCODE] = "microcode",
    [LCM_MODULE_XSM_POLICY] = "xsm-policy",
    [LCM_MODULE_CONFIG] = "config",
};

static bool __init is_error(enum lcm_err code)
{
    return (unsigned int)code < LCM_NR_ERRS;
}

const char *__init lcm_strerror(enum lcm_err code)
{
    return is_error(code) ? errors[code].text : "unknown error";
}

const char *__init lcm_errname(enum lcm_err code)
{
    return is_error(code) ? errors[code].name : "unknown";
}

const char *__init lcm_strwarning(enum lcm_warn code)
{
    return (unsigned int)code < LCM_NR_WARNS ? warnings[code]
                                             : "unknown warning";
}

const char *__init lcm_module_type_name(enum lcm_module_type type)
{
    return (unsigned int)type < LCM_NR_MODULE_TYPES ? types[type] : "unknown";
}
