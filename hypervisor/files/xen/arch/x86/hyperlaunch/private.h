/* SPDX-License-Identifier: GPL-2.0-only */
/* Functions of each x86 file here that only other files here call. */
#ifndef X86__HYPERLAUNCH__PRIVATE_H
#define X86__HYPERLAUNCH__PRIVATE_H

#include <xen/hyperlaunch-build.h>
#include <xen/sha2.h>

#include <asm/bootinfo.h>

/*
 * A PVH guest's frames outside its RAM.  The tables are where firmware would
 * have them; the rings are at the top of the 32-bit space, below the local
 * APIC.
 */
#define GUEST_LOW_RAM_END   GB(3)
#define GUEST_ACPI_GFN      0xfc000UL
#define GUEST_CONFIG_GFN    0xfc001UL
#define GUEST_STORE_GFN     0xfeffdUL
#define GUEST_CONSOLE_GFN   0xfeffeUL

/* --- kernel.c --- */

/*
 * Replaces a compressed kernel by its content, 2^order pages from the heap.
 * *ret_ours is false if it was not compressed, and is unchanged.  Returns 0,
 * -ENOMEM, or -EINVAL for an image that Xen cannot load.
 */
int hyperlaunch_unpack(struct boot_module *bm, bool *ret_ours,
                       unsigned int *ret_order);

/* --- elf.c --- */

/* Returns 0, or -EINVAL if Xen's loader cannot load this ELF image safely. */
int hyperlaunch_check_elf(const void *data, size_t size);

/* --- module.c --- */

/* Without the LCM itself. */
unsigned int hyperlaunch_nr_modules(void);

/* The modules of one domain, as Xen's builders take them; Xen 4.21's name. */
struct boot_domain {
    struct boot_module *kernel;
    struct boot_module *ramdisk, *config;  /* may be NULL */
    const char *cmdline;                   /* "" if none */
};

/*
 * Lends a domain's modules to its builder, the kernel unpacked, until they are
 * dropped again.  Returns 0, or -errno with *err filled.
 */
int hyperlaunch_take_modules(const struct lcm *lcm, unsigned int index,
                             struct boot_domain *ret,
                             struct hl_build_error *err);
void hyperlaunch_drop_modules(const struct lcm *lcm, unsigned int index);

/* hyperlaunch=weak-hwdom: a hardware domain without an IOMMU is accepted. */
extern bool hyperlaunch_weak_hwdom;

/* --- iommu.c: for a hardware domain without CONTROL --- */

/* Before it is created: its IOMMU context maps its own memory alone. */
void hyperlaunch_confine(const struct lcm_domain *dom);

/* Creating it failed: restores the settings of Xen's command line. */
void hyperlaunch_unconfine(void);

/* It is created: records and prints how its devices are isolated. */
void hyperlaunch_report_iommu(const struct lcm_domain *dom);

/* --- sha256.c --- */

/* For data of any size: processes softirqs, if there are any yet. */
void hyperlaunch_sha256(uint8_t ret_digest[SHA2_256_DIGEST_SIZE],
                        const void *data, size_t size);

/* --- pvh.c --- */

/*
 * Adds memory, rings, tables and kernel to a guest without host resources.
 * Returns 0, -ENOEXEC for the image, -ENOSPC if it does not fit, -E2BIG for a
 * config module that is too large, or another -errno.
 */
int hyperlaunch_construct_pvh(struct domain *d, const struct lcm_domain *dom,
                              const struct boot_domain *bd);

/* Adds SIF_* flags to those in start_info.  Returns 0 or -errno. */
int hyperlaunch_pvh_add_flags(struct domain *d, uint32_t flags);

/* --- clear.c --- */

/*
 * Prints how much was cleared for d since the last call; NULL prints nothing.
 */
void hyperlaunch_report_clearing(const struct domain *d);

/* --- pv.c --- */

/* Clears the rest of a ramdisk's last page, which a domain gets as it is. */
void hyperlaunch_clear_tail(const struct boot_module *bm);

/* Returns 0, or -EINVAL if the kernel is not of the mode's width. */
int hyperlaunch_check_pv_kernel(const struct lcm_domain *dom,
                                const struct boot_domain *bd);

/* Does the same as hyperlaunch_construct_pvh(), by dom0's PV builder. */
int hyperlaunch_construct_pv(struct domain *d, const struct lcm_domain *dom,
                             const struct boot_domain *bd);

/* Returns NULL if d has no such pages, as the hardware domain. */
const struct hl_pv_frames *hyperlaunch_pv_frames(const struct domain *d);

/* Write the ports of the rings to d's start_info. */
void hyperlaunch_pv_set_store(const struct domain *d, uint32_t port);
void hyperlaunch_pv_set_console(const struct domain *d, uint32_t port);

/* --- acpi.c --- */

/* Writes all tables to one page of the guest.  Returns 0, or -ENOSPC. */
int hyperlaunch_acpi(struct domain *d, void *page, paddr_t base,
                     paddr_t *ret_rsdp);

#endif /* X86__HYPERLAUNCH__PRIVATE_H */

/*
 * Local variables:
 * mode: C
 * c-file-style: "BSD"
 * c-basic-offset: 4
 * tab-width: 4
 * indent-tabs-mode: nil
 * End:
 */
