/* SPDX-License-Identifier: GPL-2.0-only */
/* The SHA-256 rounds by the CPU's SHA extensions, for sha256.c. */
#ifndef X86__HYPERLAUNCH__SHA256_H
#define X86__HYPERLAUNCH__SHA256_H

#include <xen/types.h>

#define HL_SHA256_BLOCK 64              /* bytes */

/*
 * Updates H with nr blocks.  K holds the standard's constants, aligned to 16
 * bytes.  Only for processors with SHA and SSSE3, and where CR4 enables SSE.
 */
void hyperlaunch_sha256_ni(uint32_t H[8], const uint32_t K[64],
                           const uint8_t *data, size_t nr);

#endif /* X86__HYPERLAUNCH__SHA256_H */

/*
 * Local variables:
 * mode: C
 * c-file-style: "BSD"
 * c-basic-offset: 4
 * tab-width: 4
 * indent-tabs-mode: nil
 * End:
 */
