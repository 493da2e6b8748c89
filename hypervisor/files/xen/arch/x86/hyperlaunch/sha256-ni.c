/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * SHA-256 by the CPU's SHA extensions.  Xen is built without SSE, so this
 * names the registers:
 *
 *   xmm0        words and constants of the next rounds (implicit operand)
 *   xmm1, xmm2  the state in the instructions' order: A B E F, and C D G H
 *   xmm3-xmm6   the last 16 words, four in each
 *   xmm7        the standard's byte order in a word
 *   xmm8-xmm10  the state before the block; scratch
 */

#include <xen/init.h>
#include <xen/lib.h>
#include <xen/sched.h>

#include <asm/processor.h>
#include <asm/system.h>

#include "sha256.h"

/* Loads the next four words of the block, from its byte `at` on. */
#define LOAD(at, now)                                                       \
    "movdqu " #at "(%[data]), %%xmm" #now "\n\t"                            \
    "pshufb %%xmm7, %%xmm" #now "\n\t"

/* Rounds on the words in `now`, with the constants at byte `at`. */
#define ROUNDS(at, now)                                                     \
    "movdqa %%xmm" #now ", %%xmm0\n\t"                                      \
    "paddd " #at "(%[K]), %%xmm0\n\t"                                       \
    "sha256rnds2 %%xmm1, %%xmm2\n\t"                                        \
    "pshufd $0x0e, %%xmm0, %%xmm0\n\t"                                      \
    "sha256rnds2 %%xmm2, %%xmm1\n\t"

/* `next` already has its sigma0; its W[t - 7] is in `now` and `prev`. */
#define FINISH(prev, now, next)                                             \
    "movdqa %%xmm" #now ", %%xmm10\n\t"                                     \
    "palignr $4, %%xmm" #prev ", %%xmm10\n\t"                               \
    "paddd %%xmm10, %%xmm" #next "\n\t"                                     \
    "sha256msg2 %%xmm" #now ", %%xmm" #next "\n\t"

/* Adds sigma0 of the words after them to the words in `prev`. */
#define BEGIN(prev, now)                                                    \
    "sha256msg1 %%xmm" #now ", %%xmm" #prev "\n\t"

/*
 * Four rounds in the middle of a block, which use words and compute later
 * ones.
 */
#define MIDDLE(at, prev, now, next)                                         \
    FINISH(prev, now, next) ROUNDS(at, now) BEGIN(prev, now)

static const uint8_t __initconst byte_order[16] __aligned(16) = {
    3, 2, 1, 0, 7, 6, 5, 4, 11, 10, 9, 8, 15, 14, 13, 12,
};

static void __init blocks(uint32_t abef[4], uint32_t cdgh[4],
                          const uint32_t K[64], const uint8_t *data,
                          size_t nr)
{
    asm volatile (
        "movdqu (%[abef]), %%xmm1\n\t"
        "movdqu (%[cdgh]), %%xmm2\n\t"
        "movdqa (%[order]), %%xmm7\n"
        "1:\n\t"
        "movdqa %%xmm1, %%xmm8\n\t"
        "movdqa %%xmm2, %%xmm9\n\t"
        LOAD(0, 3)  ROUNDS(0, 3)
        LOAD(16, 4) ROUNDS(16, 4) BEGIN(3, 4)
        LOAD(32, 5) ROUNDS(32, 5) BEGIN(4, 5)
        LOAD(48, 6)
        MIDDLE(48, 5, 6, 3)
        MIDDLE(64, 6, 3, 4)
        MIDDLE(80, 3, 4, 5)
        MIDDLE(96, 4, 5, 6)
        MIDDLE(112, 5, 6, 3)
        MIDDLE(128, 6, 3, 4)
        MIDDLE(144, 3, 4, 5)
        MIDDLE(160, 4, 5, 6)
        MIDDLE(176, 5, 6, 3)
        MIDDLE(192, 6, 3, 4)
        FINISH(3, 4, 5) ROUNDS(208, 4)
        FINISH(4, 5, 6) ROUNDS(224, 5)
        ROUNDS(240, 6)
        "paddd %%xmm8, %%xmm1\n\t"
        "paddd %%xmm9, %%xmm2\n\t"
        "add %[block], %[data]\n\t"
        "dec %[nr]\n\t"
        "jnz 1b\n\t"
        "movdqu %%xmm1, (%[abef])\n\t"
        "movdqu %%xmm2, (%[cdgh])"
        : [data] "+r" (data), [nr] "+r" (nr)
        : [abef] "r" (abef), [cdgh] "r" (cdgh), [order] "r" (byte_order),
          [K] "r" (K), [block] "i" (HL_SHA256_BLOCK)
        : "memory", "cc" );
}

void __init hyperlaunch_sha256_ni(uint32_t H[8], const uint32_t K[64],
                                 const uint8_t *data, size_t nr)
{
    uint32_t abef[4] = { H[5], H[4], H[1], H[0] };
    uint32_t cdgh[4] = { H[7], H[6], H[3], H[2] };
    unsigned long cr0 = read_cr0();

    if ( !nr )
        return;

    /* No vCPU has run yet: the registers hold nothing that must be saved. */
    ASSERT(is_idle_vcpu(current));

    clts();
    blocks(abef, cdgh, K, data, nr);
    write_cr0(cr0);

    H[0] = abef[3]; H[1] = abef[2]; H[4] = abef[1]; H[5] = abef[0];
    H[2] = cdgh[3]; H[3] = cdgh[2]; H[6] = cdgh[1]; H[7] = cdgh[0];
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
