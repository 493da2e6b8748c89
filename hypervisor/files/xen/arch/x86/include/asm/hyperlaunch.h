/* SPDX-License-Identifier: GPL-2.0-only */
/* x86's end of hyperlaunch, as the rest of the architecture sees it. */
#ifndef ASM__X86__HYPERLAUNCH_H
#define ASM__X86__HYPERLAUNCH_H

#include <xen/types.h>

struct boot_info;
struct domain;

/* What dom0's builder takes from the LCM instead of Xen's command line. */
struct hl_dom0 {
    domid_t domid;
    unsigned int max_vcpus;          /* 0: not from an LCM */
    unsigned long nr_pages;
    bool unprivileged;               /* HARDWARE without CONTROL */
    unsigned int domctl_flags;       /* XEN_DOMCTL_CDF_* beside dom0's own */
    uint32_t ssidref;                /* 0: XSM's own idea of dom0 */
};

/* What dom0's builder made of a PV guest's pages; machine frames. */
struct hl_pv_frames {
    unsigned long start_info, store, console;
};

#ifdef CONFIG_HYPERLAUNCH

extern struct hl_dom0 hyperlaunch_dom0;

/* Is module 0 an LCM?  Then all modules are its own. */
void hyperlaunch_probe(struct boot_info *bi);

/* Modules stay until the last domain is built. */
bool hyperlaunch_keeps_modules(void);
void hyperlaunch_free_modules(void);

/* Called by the PV builder, on the guest's page tables. */
void hyperlaunch_pv_built(const struct domain *d,
                          const struct hl_pv_frames *frames);

#else /* !CONFIG_HYPERLAUNCH */

#define hyperlaunch_dom0 ((struct hl_dom0){})

static inline void hyperlaunch_probe(struct boot_info *bi) {}
static inline bool hyperlaunch_keeps_modules(void) { return false; }
static inline void hyperlaunch_free_modules(void) {}
static inline void hyperlaunch_pv_built(const struct domain *d,
                                        const struct hl_pv_frames *frames) {}

#endif /* CONFIG_HYPERLAUNCH */

/*
 * Bytes to where a guest that is being built sees `to`, which must be RAM;
 * -EFAULT where it is not.  By entries of the p2m, not page by page: not for
 * guests that run.
 */
int hyperlaunch_copy_to_guest(struct domain *d, paddr_t to, const void *from,
                              uint64_t size);

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
