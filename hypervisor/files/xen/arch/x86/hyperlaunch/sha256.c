/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * SHA-256 of whole modules, with the names of FIPS 180-4.  Xen's own is
 * written to be small, for the few KiB of a microcode update, but a launch
 * digests tens of MiB while Xen does nothing else.  So every round is unrolled
 * here: all indices and constants are known at compile time.
 */

#include <xen/bitops.h>
#include <xen/kernel.h>
#include <xen/sha2.h>
#include <xen/sizes.h>
#include <xen/softirq.h>
#include <xen/string.h>
#include <xen/unaligned.h>

#include <asm/cpufeature.h>
#include <asm/processor.h>

#include "private.h"
#include "sha256.h"

#define BLOCK HL_SHA256_BLOCK
#define PIECE MB(16)

static const uint32_t __initconst K[64] __aligned(16) = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5,
    0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3,
    0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc,
    0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7,
    0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13,
    0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3,
    0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5,
    0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208,
    0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

static const uint32_t __initconst first[8] = {
    0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
    0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
};

/* Nested rotations give the same result in fewer operations. */
static always_inline uint32_t Sigma0(uint32_t x)   /* by 2, 13, 22 */
{
    return ror32(ror32(ror32(x, 9) ^ x, 11) ^ x, 2);
}

static always_inline uint32_t Sigma1(uint32_t x)   /* by 6, 11, 25 */
{
    return ror32(ror32(ror32(x, 14) ^ x, 5) ^ x, 6);
}

static always_inline uint32_t sigma0(uint32_t x)   /* by 7, 18; 3 */
{
    return ror32(ror32(x, 11) ^ x, 7) ^ (x >> 3);
}

static always_inline uint32_t sigma1(uint32_t x)   /* by 17, 19; 10 */
{
    return ror32(ror32(x, 2) ^ x, 17) ^ (x >> 10);
}

/* W[t]; the last 16 of them are kept. */
static always_inline uint32_t word(uint32_t W[16], unsigned int t)
{
    if ( t >= 16 )
        W[t & 15] += sigma1(W[(t - 2) & 15]) + W[(t - 7) & 15] +
                     sigma0(W[(t - 15) & 15]);

    return W[t & 15];
}

/*
 * One round.  It changes d and h only, and the next round takes the same
 * variables, shifted by one.  bc is b ^ c, and is updated for the next round:
 * both need it for Maj.
 */
#define ROUND(t, a, b, c, d, e, f, g, h)                                    \
({                                                                          \
    uint32_t ab = (a) ^ (b);                                                \
                                                                            \
    (h) += Sigma1(e) + ((((f) ^ (g)) & (e)) ^ (g)) +                        \
           K[t] + word(W, t);                                               \
    (d) += (h);                                                             \
    (h) += Sigma0(a) + ((bc & ab) ^ (b));                                   \
    bc = ab;                                                                \
})

#define EIGHT_ROUNDS(t)                                                     \
({                                                                          \
    ROUND((t) + 0, a, b, c, d, e, f, g, h);                                 \
    ROUND((t) + 1, h, a, b, c, d, e, f, g);                                 \
    ROUND((t) + 2, g, h, a, b, c, d, e, f);                                 \
    ROUND((t) + 3, f, g, h, a, b, c, d, e);                                 \
    ROUND((t) + 4, e, f, g, h, a, b, c, d);                                 \
    ROUND((t) + 5, d, e, f, g, h, a, b, c);                                 \
    ROUND((t) + 6, c, d, e, f, g, h, a, b);                                 \
    ROUND((t) + 7, b, c, d, e, f, g, h, a);                                 \
})

static void __init hash_one(uint32_t H[8], const uint8_t *block)
{
    uint32_t a = H[0], b = H[1], c = H[2], d = H[3];
    uint32_t e = H[4], f = H[5], g = H[6], h = H[7];
    uint32_t bc = b ^ c, W[16];
    unsigned int t;

    for ( t = 0; t < 16; t++ )
        W[t] = get_unaligned_be32(block + 4 * t);

    EIGHT_ROUNDS(0);
    EIGHT_ROUNDS(8);
    EIGHT_ROUNDS(16);
    EIGHT_ROUNDS(24);
    EIGHT_ROUNDS(32);
    EIGHT_ROUNDS(40);
    EIGHT_ROUNDS(48);
    EIGHT_ROUNDS(56);

    H[0] += a; H[1] += b; H[2] += c; H[3] += d;
    H[4] += e; H[5] += f; H[6] += g; H[7] += h;
}

static void __init hash_blocks(uint32_t H[8], const uint8_t *data, size_t nr)
{
    /*
     * The digests of modules for Xen itself are needed before SSE is enabled.
     */
    if ( cpu_has_sha && cpu_has_ssse3 && (read_cr4() & X86_CR4_OSFXSR) )
    {
        hyperlaunch_sha256_ni(H, K, data, nr);
        return;
    }

    for ( ; nr; nr--, data += BLOCK )
        hash_one(H, data);
}

/*
 * Softirqs are processed after each piece: Xen's watchdog fires after 5 s.
 * There are none yet when modules for Xen itself are digested.
 */
static void __init hash_long(uint32_t H[8], const uint8_t *data, size_t nr)
{
    for ( ; nr > PIECE / BLOCK; nr -= PIECE / BLOCK, data += PIECE )
    {
        hash_blocks(H, data, PIECE / BLOCK);
        if ( system_state >= SYS_STATE_smp_boot )
            process_pending_softirqs();
    }

    hash_blocks(H, data, nr);
}

void __init hyperlaunch_sha256(uint8_t ret_digest[SHA2_256_DIGEST_SIZE],
                               const void *data, size_t size)
{
    const uint8_t *bytes = data;
    uint64_t bits = size * 8ULL;
    uint8_t last[2 * BLOCK] = {};
    uint32_t H[8];
    unsigned int i, tail;

    memcpy(H, first, sizeof(H));
    hash_long(H, bytes, size / BLOCK);

    bytes += size - size % BLOCK;
    size %= BLOCK;
    memcpy(last, bytes, size);
    last[size] = 0x80;
    tail = size + 9 > BLOCK ? 2 : 1;
    put_unaligned_be64(bits, last + tail * BLOCK - 8);
    hash_blocks(H, last, tail);

    for ( i = 0; i < ARRAY_SIZE(H); i++ )
        put_unaligned_be32(H[i], ret_digest + 4 * i);
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
