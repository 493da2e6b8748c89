/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Calls to Xen.  Each gives 0 or more, or a negative errno of Xen's. */
#ifndef BOOTDOM_HYPERCALL_H
#define BOOTDOM_HYPERCALL_H

#include <stdint.h>

#include "xen-abi.h"

/* In entry.S, as is the page; Xen writes that page's code. */
long hypercall(unsigned int nr, uintptr_t a1, uintptr_t a2, uintptr_t a3, uintptr_t a4, uintptr_t a5);
extern char hypercall_page[];

static inline long hypercall1(unsigned int nr, const void *arg)
{
	return hypercall(nr, (uintptr_t)arg, 0, 0, 0, 0);
}

/* The usual form: a command and a structure. */
static inline long hypercall2(unsigned int nr, unsigned int cmd, const void *arg)
{
	return hypercall(nr, cmd, (uintptr_t)arg, 0, 0, 0);
}

#endif /* BOOTDOM_HYPERCALL_H */
