/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Hypercalls.  They return 0 or more, or a negative errno of Xen's. */
#ifndef BOOTDOM_HYPERCALL_H
#define BOOTDOM_HYPERCALL_H

#include <stdint.h>

#include "xen-abi.h"

/* Both are in entry.S; Xen writes the code of the page. */
long hypercall(unsigned int nr, uintptr_t a1, uintptr_t a2, uintptr_t a3, uintptr_t a4,
	       uintptr_t a5);
extern char hypercall_page[];

static inline long hypercall1(unsigned int nr, const void *arg)
{
	return hypercall(nr, (uintptr_t)arg, 0, 0, 0, 0);
}

/* A hypercall with a command and a structure, as most of them are. */
static inline long hypercall2(unsigned int nr, unsigned int cmd, const void *arg)
{
	return hypercall(nr, cmd, (uintptr_t)arg, 0, 0, 0);
}

#endif /* BOOTDOM_HYPERCALL_H */
