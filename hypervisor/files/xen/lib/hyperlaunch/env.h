/* SPDX-License-Identifier: (GPL-2.0-or-later OR BSD-2-Clause) */
/*
 * Environment of the LCM parser: fixed-width types, errno names, mem*() and
 * str*(), libfdt, and the attributes by which Xen frees the parser after boot.
 */
#ifndef LIB__HYPERLAUNCH__ENV_H
#define LIB__HYPERLAUNCH__ENV_H

#ifdef __XEN__

#include <xen/errno.h>
#include <xen/init.h>
#include <xen/libfdt/libfdt.h>
#include <xen/macros.h>
#include <xen/string.h>
#include <xen/types.h>

#else /* !__XEN__ */

#include <errno.h>
#include <limits.h>
#include <string.h>

#include <libfdt.h>

#define __init
#define __initconst
#define __initconstrel

#define ARRAY_SIZE(x) (sizeof(x) / sizeof((x)[0]))

#endif /* __XEN__ */

#include <xen/lib/hyperlaunch/lcm.h>

#endif /* LIB__HYPERLAUNCH__ENV_H */
