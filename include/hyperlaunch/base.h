/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What all headers of libhl share: objects, sizes, and values that mean none. */
#ifndef HYPERLAUNCH_BASE_H
#define HYPERLAUNCH_BASE_H

#include <stdint.h>

#if defined(__GNUC__)
#define HL_PRINTF(f, a) __attribute__((format(printf, f, a)))
#define HL_MUST_CHECK	__attribute__((warn_unused_result))
#else
#define HL_PRINTF(f, a)
#define HL_MUST_CHECK
#endif

struct hl_ctx;
struct hl_events;
struct hl_lcm;
struct hl_snapshot;
struct hl_table;
struct hl_diff;

#define HL_NO_DOMID	    UINT32_MAX /* no such domain, or not built yet */
#define HL_NO_INDEX	    UINT32_MAX /* no such module, or no such record */
#define HL_NO_GFN	    UINT64_MAX /* no such page */
#define HL_UNLIMITED	    UINT64_MAX /* value of memory_max */
#define HL_NAME_SIZE	    64	       /* with the NUL */
#define HL_PROP_SIZE	    32
#define HL_PATH_SIZE	    128
#define HL_UUID_TEXT_SIZE   37
#define HL_AFFINITY_SIZE    256 /* with the NUL */
#define HL_SHA256_SIZE	    32
#define HL_SHA256_TEXT_SIZE 65

#endif /* HYPERLAUNCH_BASE_H */
