/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The runtime of the guests in this directory: calls program(), and ends the domain. */
#ifndef BOOTDOM_RUNTIME_H
#define BOOTDOM_RUNTIME_H

#include <stdint.h>
#include <stdnoreturn.h>

#include "start-info.h"
#include "xen-abi.h"

#include <xen/sched.h>

/*
 * Defined by each guest.  When program() returns the domain shuts down: with SHUTDOWN_poweroff
 * if it returns 0, else with SHUTDOWN_crash.
 */
int program(const struct pvh_info *info);
extern const char program_name[];

/* Returns the domid of this domain; XEN_HYPERLAUNCH_NO_DOMID: not known (PV, or an older Xen). */
uint32_t own_domid(void);
/* Returns major << 16 | minor. */
uint32_t xen_version(void);

/* reason: SHUTDOWN_* */
noreturn void shut_down(unsigned int reason);
/* Prints the text, then shuts down with SHUTDOWN_crash. */
noreturn void panic(const char *text, ...) __attribute__((format(printf, 1, 2)));

#endif /* BOOTDOM_RUNTIME_H */
