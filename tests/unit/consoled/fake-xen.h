/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Event channels and console rings without Xen, in memory that child processes share.  Ports are
 * bound by the consoled under test, as local port = FAKE_PORT + domid; the rest of each function is
 * the guest's side.
 */
#ifndef TESTS_FAKE_XEN_H
#define TESTS_FAKE_XEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <xen/io/console.h>

#include "ops.h"

#define FAKE_DOMAINS 256
#define FAKE_PORT    1000
#define FAKE_REMOTE  7	 /* each guest's own port */
#define FAKE_FD	     500 /* descriptors from here on: a service manager's begin at 3 */

extern const struct xen_ops fake_xen_ops;

/* All domains have a ring, and nobody is bound. */
void fake_xen_reset(void);

/* The page of a domain's ring, which the test may write as a hostile guest does. */
struct xencons_interface *fake_page(uint32_t domid);

/* The next maps of this domain's grant fail. */
void fake_refuse_grant(uint32_t domid, bool refuse);

/* Another process has the port: the next binds fail. */
void fake_take_port(uint32_t domid, bool taken);

bool fake_is_bound(uint32_t domid);
bool fake_is_mapped(uint32_t domid);

/* Events that consoled has sent to the guest. */
unsigned int fake_notified(uint32_t domid);

/* The guest sends an event. */
void fake_notify(uint32_t domid);

/* The guest closes its port. */
void fake_close(uint32_t domid);

/* The guest prints as much as there is room for, and sends an event; returns how much. */
size_t fake_print(uint32_t domid, const void *data, size_t size);

/* The guest reads its input, at most `size` bytes, and sends an event if there was any. */
size_t fake_read(uint32_t domid, void *data, size_t size);

#endif
