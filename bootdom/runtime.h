/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a program of this directory stands on: it is entered once, and never left. */
#ifndef BOOTDOM_RUNTIME_H
#define BOOTDOM_RUNTIME_H

#include <stdint.h>
#include <stdnoreturn.h>

#include "pvh-info.h"
#include "xen-abi.h"

#include <xen/sched.h>

/* The program's own.  When it returns the domain shuts down, as `crashed` when that is not 0. */
int program(const struct pvh_info *info);
extern const char program_name[];

/* Xen's word for this domain, or XEN_HYPERLAUNCH_NO_DOMID where it gives none. */
uint32_t own_domid(void);
/* major << 16 | minor */
uint32_t xen_version(void);

/* reason: SHUTDOWN_* */
noreturn void shut_down(unsigned int reason);
/* Says why, then crashes. */
noreturn void give_up(const char *text, ...) __attribute__((format(printf, 1, 2)));

#endif /* BOOTDOM_RUNTIME_H */
