// SPDX-License-Identifier: (GPL-2.0-or-later OR BSD-2-Clause)
/* Texts and short names of the parser's codes. */
#include "env.h"

#define NAME_MAX_CHARS 24
#define TEXT_MAX_CHARS 88

/*
 * Arrays, not pointers: without relocations the text is freed with the rest.
 */
struct text {
    char name[NAME_MAX_CHARS];
    char text[TEXT_MAX_CHARS];
};

static const struct text __initconst errors[LCM_NR_ERRS] = {
    [LCM_OK] = { "ok", "no error" },
    [LCM_ERR_FDT] = { "fdt", "not a valid flattened device tree" },
    [LCM_ERR_SIZE] = { "size", "the LCM is larger than 64 KiB" },
    [LCM_ERR_DEPTH] = { "depth", "nodes are nested deeper than 16" },
    [LCM_ERR_NO_HYPERVISOR] = { "no-hypervisor",
        "there is neither /chosen/hypervisor nor a xen,domain under /chosen" },
    [LCM_ERR_BOTH_FORMS] = { "both-forms",
        "the launch is described by a hypervisor node and by domains" },
    [LCM_ERR_COMPATIBLE] = { "compatible",
        "the node's name or properties require another compatible" },
    [LCM_ERR_LENGTH] = { "length", "the value has a wrong length" },
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
        "capabilities has unknown bits" },
    [LCM_ERR_ROLES_DISAGREE] = { "roles-disagree",
        "capabilities differs from permissions and functions" },
    [LCM_ERR_MODE_PV_DM] = { "mode-pv-dm",
        "a PV domain can't have a device model" },
    [LCM_ERR_MODE_PV32] = { "mode-pv32", "this Xen runs no 32-bit PV domains" },
    [LCM_ERR_MEMORY_ZERO] = { "memory-zero", "a domain needs memory" },
    [LCM_ERR_MEMORY_HOST] = { "memory-host",
        "the domains up to this one need more memory than the host has" },
    [LCM_ERR_MEMORY_TEXT] = { "memory-text",
        "not a size: digits and one of K, M, G, T" },
    [LCM_ERR_CPUS_ZERO] = { "cpus-zero", "a domain needs a vCPU" },
    [LCM_ERR_CPUS_LIMIT] = { "cpus-limit",
        "more vCPUs than Xen supports in a domain of this mode" },
    [LCM_ERR_UUID_LENGTH] = { "uuid-length", "a uuid has 16 bytes, or 8" },
    [LCM_ERR_UUID_DUPLICATE] = { "uuid-duplicate",
        "another domain has the same uuid" },
    [LCM_ERR_SECURITY_LABEL] = { "security-label",
        "the loaded XSM policy has no such label for an initial domain" },
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
        "the module has no locator for this platform" },
    [LCM_ERR_TWO_LOCATORS] = { "two-locators",
        "the module has a second locator that differs" },
    [LCM_ERR_INDEX_ZERO] = { "index-zero", "module 0 is the LCM itself" },
    [LCM_ERR_INDEX_RANGE] = { "index-range",
        "there is no module with this number" },
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
        "needs exactly one of: bdf; path; class, vendor or device; pf with vf" },
    [LCM_ERR_PCI_BDF] = { "pci-bdf",
        "not a PCI address like 0000:01:10.0" },
    [LCM_ERR_IMAGE] = { "image",
        "the kernel's image format is not supported" },
    [LCM_ERR_NO_MEMORY] = { "no-memory",
        "not enough free memory to build the domain" },
    [LCM_ERR_BUILD] = { "build", "the domain could not be built" },
    [LCM_ERR_UNSUPPORTED] = { "unsupported",
        "valid, but this Xen can't build it" },
    [LCM_ERR_KERNEL_SIZE] = { "kernel-size",
        "too little memory for the domain's kernel and ramdisk" },
    [LCM_ERR_XSM_POLICY] = { "xsm-policy",
        "the module is not an XSM policy that Xen can load" },
    [LCM_ERR_NO_IOMMU] = { "no-iommu",
        "HARDWARE without CONTROL needs an IOMMU, or hyperlaunch=weak-hwdom" },
    [LCM_ERR_BOOT_FAILED] = { "boot-failed",
        "the boot domain reported a failure" },
    [LCM_ERR_BOOT_DIED] = { "boot-died",
        "the boot domain ended before it had finished" },
    [LCM_ERR_BOOT_TIMEOUT] = { "boot-timeout",
        "the boot domain did not finish in time" },
    [LCM_ERR_LEGACY_HARDWARE] = { "legacy-hardware",
        "a LEGACY_DOM0 has the hardware, so no other domain can have it" },
    [LCM_ERR_TWO_TYPES] = { "two-types",
        "another node uses the same module as another type" },
    [LCM_ERR_NAMES] = { "names",
        "names are for source: `lcmtool link` writes the bit mask" },
    [LCM_ERR_WORD] = { "word", "not one of the property's values" },
    [LCM_ERR_TOO_MANY_VCPUS] = { "too-many-vcpus",
        "there are more than 256 vcpu nodes" },
    [LCM_ERR_TOO_MANY_DEVICES] = { "too-many-devices",
        "there are more than 64 disks or 64 nics" },
    [LCM_ERR_VCPU_RANGE] = { "vcpu-range", "the domain has no such vCPU" },
    [LCM_ERR_VCPU_DUPLICATE] = { "vcpu-duplicate",
        "another node is for the same vCPU" },
    [LCM_ERR_AFFINITY] = { "affinity",
        "not a list of CPUs like 0-3,6, each at most 16383" },
    [LCM_ERR_CPU_HOST] = { "cpu-host", "the host has no such CPU" },
    [LCM_ERR_PCI_PATH] = { "pci-path",
        "not a path by bridges and slots like 0000:00:1c.0/00.0" },
    [LCM_ERR_PCI_DUPLICATE] = { "pci-duplicate",
        "another node names the same device" },
    [LCM_ERR_PCI_PVH] = { "pci-pvh",
        "Xen passes no PCI devices to PVH domains: use a PV domain" },
    [LCM_ERR_PCI_HARDWARE] = { "pci-hardware",
        "the hardware domain already has all devices" },
    [LCM_ERR_PCI_PVH_HARDWARE] = { "pci-pvh-hardware",
        "a PVH hardware domain passes no PCI devices on: use a PV one" },
    [LCM_ERR_HOLD_CONTROL] = { "hold-control",
        "no other CONTROL domain runs by itself, so this one stays held" },
    [LCM_ERR_START_AFTER_HELD] = { "start-after-held",
        "start-after names a domain that waits until the launch is over" },
    [LCM_ERR_STORE_DEVICE] = { "store-device",
        "the XENSTORE domain needs a device of one that needs xenstore" },
    [LCM_ERR_DEVICE_STATIC] = { "device-static",
        "no domain has CONTROL, so there is no toolstack for the device" },
    [LCM_ERR_BACKEND] = { "backend",
        "the back end must be another domain of the LCM" },
    [LCM_ERR_VDEV] = { "vdev", "not a block device like xvda, hdb or sdc1" },
    [LCM_ERR_VDEV_DUPLICATE] = { "vdev-duplicate",
        "the domain has another disk of this name" },
    [LCM_ERR_DISK_FORMAT] = { "disk-format",
        "the format needs QEMU, so HARDWARE and CONTROL on one domain" },
    [LCM_ERR_MAC] = { "mac", "not a unicast address like 00:16:3e:00:00:01" },
    [LCM_ERR_MAC_DUPLICATE] = { "mac-duplicate",
        "another nic has the same address" },
    [LCM_ERR_START_AFTER_BOOT] = { "start-after-boot",
        "the boot domain starts the others, so it can wait for none" },
};

static const char __initconst warnings[LCM_NR_WARNS][TEXT_MAX_CHARS] = {
    [LCM_WARN_NONE] = "no warning",
    [LCM_WARN_PERMISSIONS] = "unknown permission bits are ignored",
    [LCM_WARN_FUNCTIONS] = "unknown function bits are ignored",
    [LCM_WARN_MODE_DEFAULT] = "no mode given: 64-bit PVH is assumed",
    [LCM_WARN_MODE_BITS] = "unknown mode bits are ignored",
    [LCM_WARN_UUID_SHORT] =
        "a uuid of 8 bytes is extended with 8 zero bytes",
    [LCM_WARN_PV_XENSTORE] =
        "Linux serves xenstore in PVH domains and the hardware domain only",
    [LCM_WARN_DEVICE_TREE] =
        "an x86 domain gets no device tree: the module is not used",
    [LCM_WARN_START_AFTER] =
        "there is no boot domain, so start-after has no effect",
    [LCM_WARN_LOST] = "there are more warnings than can be kept",
    [LCM_WARN_UNSUPPORTED] = "valid, but Xen 4.20 can't build it on x86",
    [LCM_WARN_NOT_IN_FORCE] = "checked, but without effect so far",
    [LCM_WARN_RESTART_STATIC] =
        "no domain has CONTROL, so none restarts this one",
    [LCM_WARN_HOLD_STATIC] = "no domain has CONTROL, so none releases this one",
    [LCM_WARN_PCI_SLOT] = "a PV domain has no virtual slots: this has no effect",
    [LCM_WARN_MISSPELT] = "this property is not read; probably meant",
    [LCM_WARN_NAME_DOMAIN_0] =
        "toolstacks use this name for domain 0",
    [LCM_WARN_NAME_NUMBER] = "toolstacks read a number as a domid",
    [LCM_WARN_MEMORY_SMALL] = "too little for most kernels",
};

static const char __initconst types[LCM_NR_MODULE_TYPES][NAME_MAX_CHARS] = {
    [LCM_MODULE_KERNEL] = "kernel",
    [LCM_MODULE_RAMDISK] = "ramdisk",
    [LCM_MODULE_DEVICE_TREE] = "device-tree",
    [LCM_MODULE_MICROCODE] = "microcode",
    [LCM_MODULE_XSM_POLICY] = "xsm-policy",
    [LCM_MODULE_CONFIG] = "config",
    [LCM_MODULE_FIRMWARE] = "firmware",
};

static const char __initconst restarts[LCM_NR_RESTARTS][NAME_MAX_CHARS] = {
    [LCM_RESTART_NEVER] = "never",
    [LCM_RESTART_ON_FAILURE] = "on-failure",
    [LCM_RESTART_ALWAYS] = "always",
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

const char *__init lcm_restart_name(enum lcm_restart restart)
{
    return (unsigned int)restart < LCM_NR_RESTARTS ? restarts[restart]
                                                   : "unknown";
}
