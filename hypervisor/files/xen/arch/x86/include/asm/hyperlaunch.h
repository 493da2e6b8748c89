/* SPDX-License-Identifier: GPL-2.0-only */
/* Hooks of Hyperlaunch in the rest of x86. */
#ifndef ASM__X86__HYPERLAUNCH_H
#define ASM__X86__HYPERLAUNCH_H

#include <xen/types.h>

#include <asm/bootinfo.h>

struct domain;

/* Values of the LCM that dom0's builder takes before Xen's command line. */
struct hl_dom0 {
    domid_t domid;
    unsigned int max_vcpus;          /* 0: not from an LCM */
    unsigned long nr_pages;
    bool unprivileged;               /* HARDWARE without CONTROL */
    bool store;                      /* PV: another domain serves its store */
    unsigned int domctl_flags;       /* XEN_DOMCTL_CDF_* besides dom0's */
    uint32_t ssidref;                /* 0: XSM's default for dom0 */
    bool lacks_memory;               /* set by the builder: got less */
};

/* Machine frames that dom0's builder has used for a PV guest. */
struct hl_pv_frames {
    unsigned long start_info, store, console;
};

#ifdef CONFIG_HYPERLAUNCH

extern struct hl_dom0 hyperlaunch_dom0;

/* Looks for an LCM in module 0, and claims all modules for it. */
void hyperlaunch_probe(struct boot_info *bi);

/*
 * Index of the kernel or ramdisk of the domain that is being built, above
 * MAX_NR_BOOTMODS if it has none.  In a classic boot, the first of that type.
 */
unsigned int hyperlaunch_module_index(const struct boot_info *bi,
                                      enum bootmod_type type);

/* True until the last domain is built: then modules are freed. */
bool hyperlaunch_keeps_modules(void);
void hyperlaunch_free_modules(void);

/*
 * Flags for the allocation of d's memory in addition to its builder's:
 * MEMF_zero, unless d has CONTROL and HARDWARE.
 */
unsigned int hyperlaunch_memflags(const struct domain *d);

/* Called by the PV builder while it runs on the guest's page tables. */
void hyperlaunch_pv_built(const struct domain *d,
                          const struct hl_pv_frames *frames);

#else /* !CONFIG_HYPERLAUNCH */

#define hyperlaunch_dom0 ((struct hl_dom0){})

#define hyperlaunch_module_index(bi, type) first_boot_module_index(bi, type)

static inline void hyperlaunch_probe(struct boot_info *bi) {}
static inline bool hyperlaunch_keeps_modules(void) { return false; }
static inline void hyperlaunch_free_modules(void) {}
static inline unsigned int hyperlaunch_memflags(const struct domain *d)
{
    return 0;
}
static inline void hyperlaunch_pv_built(const struct domain *d,
                                        const struct hl_pv_frames *frames) {}

#endif /* CONFIG_HYPERLAUNCH */

/*
 * Copies to the guest physical address `to` of a guest that is being built.
 * Returns 0, or -EFAULT if not all of it is RAM.  Takes whole p2m entries at a
 * time, so it must not be used for guests that run.
 */
int cf_check hyperlaunch_copy_to_guest(struct domain *d, paddr_t to,
                                       const void *from, uint64_t size);

#endif /* ASM__X86__HYPERLAUNCH_H */

/*
 * Local variables:
 * mode: C
 * c-file-style: "BSD"
 * c-basic-offset: 4
 * tab-width: 4
 * indent-tabs-mode: nil
 * End:
 */
