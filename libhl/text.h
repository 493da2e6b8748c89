/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Text that is safe to pass on. */
#ifndef LIBHL_TEXT_H
#define LIBHL_TEXT_H

#include "util.h"

/* A copy in the arena, made printable as hl_utf8_dup() does it; NULL: no memory. */
char *arena_utf8(struct arena *arena, const char *text);

#endif /* LIBHL_TEXT_H */
