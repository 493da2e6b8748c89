/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The records of the sysctl.  <xen/xen.h> declares what they need if __XEN_TOOLS__ is defined. */
#ifndef LIBHL_XEN_ABI_H
#define LIBHL_XEN_ABI_H

#include <stdint.h>

#ifndef __XEN_TOOLS__
#define __XEN_TOOLS__ 1
#endif
#include <xen/xen.h>

#include <public/hyperlaunch.h>

#endif /* LIBHL_XEN_ABI_H */
