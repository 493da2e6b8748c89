/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The domain with CONSOLE, where it is another one than ours: its helper serves the consoles of
 * initial domains, and is reached through xenstore.  It has a helper for as long as it lives.
 */
#ifndef HYPERLAUNCHD_CONSOLE_CONSOLE_DOMAIN_H
#define HYPERLAUNCHD_CONSOLE_CONSOLE_DOMAIN_H

struct console_domain;
struct consoles;
struct loop;
struct manager;

/* Without xenstore there is nothing to do. */
int console_domain_new(struct loop *loop, struct manager *manager, struct consoles *consoles,
		       struct console_domain **ret_domain);

/* Before the consoles are stopped. */
struct console_domain *console_domain_free(struct console_domain *domain);

#endif
