/* SPDX-License-Identifier: GPL-2.0-only */
/* What the x86 files that build a launch share among themselves. */
#ifndef X86__HYPERLAUNCH__PRIVATE_H
#define X86__HYPERLAUNCH__PRIVATE_H

#include <xen/hyperlaunch-build.h>
#include <xen/sha2.h>

#include <asm/bootinfo.h>

/*
 * A PVH guest's frames beside its RAM.  The tables lie where a firmware would
 * have them; the rings at the top of the 32-bit space, clear of the local APIC.
 */
#define GUEST_LOW_RAM_END   GB(3)
#define GUEST_ACPI_GFN      0xfc000UL
#define GUEST_CONFIG_GFN    0xfc001UL
#define GUEST_STORE_GFN     0xfeffdUL
#define GUEST_CONSOLE_GFN   0xfeffeUL

/*
 * kernel.c: swap a compressed kernel for what is in it, 2^order pages from the
 * heap.  *ret_ours false: it was not compressed, and is where it was.
 */
int hyperlaunch_unpack(struct boot_module *bm, bool *ret_ours,
                       unsigned int *ret_order);

/* elf.c: can Xen's loader believe this image, which has ELF's magic? */
int hyperlaunch_check_elf(const void *data, size_t size);

/* module.c */

unsigned int hyperlaunch_nr_modules(void);   /* the LCM not counted */

/* The modules of one domain, the way Xen's builders look for them. */
struct hl_modules {
    struct boot_module *kernel;
    struct boot_module *ramdisk, *config;  /* may be NULL */
    const char *cmdline;                   /* "" none */
};

int hyperlaunch_take_modules(const struct lcm *lcm, unsigned int index,
                             struct hl_modules *ret, struct hl_build_error *err);
void hyperlaunch_drop_modules(const struct lcm *lcm, unsigned int index);

/* sha256.c: of data as long as it likes. */
void hyperlaunch_sha256(uint8_t ret_digest[SHA2_256_DIGEST_SIZE],
                        const void *data, size_t size);

/* pvh.c: fill a guest that owns nothing of the host. */
int hyperlaunch_construct_pvh(struct domain *d, const struct lcm_domain *dom,
                              const struct hl_modules *mods);
/* SIF_* flags to those that its kernel finds in start_info. */
int hyperlaunch_pvh_add_flags(struct domain *d, uint32_t flags);

/* pv.c */

/* Is the kernel of the width that the node's mode names? */
int hyperlaunch_check_pv_kernel(const struct lcm_domain *dom,
                                const struct hl_modules *mods);

/* Fill a guest that owns nothing of the host, by dom0's builder. */
int hyperlaunch_construct_pv(struct domain *d, const struct lcm_domain *dom,
                             const struct hl_modules *mods);

/* Its pages, or NULL: it has none, as for the hardware domain. */
const struct hl_pv_frames *hyperlaunch_pv_frames(const struct domain *d);

/* Ports of the rings, into its start_info. */
void hyperlaunch_pv_set_store(const struct domain *d, uint32_t port);
void hyperlaunch_pv_set_console(const struct domain *d, uint32_t port);

/* acpi.c: RSDP, XSDT, FADT, DSDT and MADT into one page of the guest. */
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
