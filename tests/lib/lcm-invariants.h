/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What holds for every blob, however broken, once the parser is done with it.
 */
#ifndef LCM_INVARIANTS_H
#define LCM_INVARIANTS_H

#include <xen/lib/hyperlaunch/lcm.h>

/*
 * Parses and checks the bytes, and holds what comes out against the promises of
 * lcm.h; aborts with a message where one is broken.  The blob must be aligned to
 * 8 bytes.  Gives the error, or LCM_OK.
 */
enum lcm_err lcm_exercise(const void *blob, size_t size, const struct lcm_limits *limits);

#endif /* LCM_INVARIANTS_H */
