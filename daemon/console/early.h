/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What initial domains printed before their consoles had a back end: it is read from Xen and given
 * to the helper, once for each console that asks for it.
 */
#ifndef HYPERLAUNCHD_CONSOLE_EARLY_H
#define HYPERLAUNCHD_CONSOLE_EARLY_H

struct consoles;
struct early;
struct manager;

int early_new(struct manager *manager, struct consoles *consoles, struct early **ret_early);

/* Before the consoles. */
struct early *early_free(struct early *early);

#endif
