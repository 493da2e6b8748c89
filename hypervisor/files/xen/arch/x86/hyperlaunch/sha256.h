/* SPDX-License-Identifier: GPL-2.0-only */
/* What the two ways to compute SHA-256 share. */
#ifndef X86__HYPERLAUNCH__SHA256_H
#define X86__HYPERLAUNCH__SHA256_H

#include <xen/types.h>

#define HL_SHA256_BLOCK 64              /* bytes */

/* The standard's constants, one for each round; aligned to 16 bytes. */
extern const uint32_t hl_sha256_K[64];

/* sha256-ni.c: H after nr more blocks.  For processors with SHA and SSSE3. */
void hl_sha256_ni(uint32_t H[8], const uint8_t *data, size_t nr);

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
