/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Events and time.  Nothing interrupts the program: it asks whether an event is
 * pending, and has Xen wake it when it waits.
 */
#ifndef BOOTDOM_EVENT_H
#define BOOTDOM_EVENT_H

#include <stdbool.h>
#include <stdint.h>

#define NS_PER_MS UINT64_C(1000000)
#define NEVER	  UINT64_MAX

void events_init(void);

/* Xen's clock since its start, ns. */
uint64_t clock_ns(void);

/* 0 with the port, or a negative errno.  Of vCPU 0. */
int event_bind_virq(uint32_t virq, uint32_t *ret_port);
void event_send(uint32_t port);
void event_close(uint32_t port);

/* Has another domain bound the port's other end? */
bool event_is_bound(uint32_t port);

/* Takes the event; false when there was none. */
bool event_take(uint32_t port);

/* Until an event of the port is pending, or until_ns.  Port 0: time alone. */
void event_wait(uint32_t port, uint64_t until_ns);
void sleep_ms(uint64_t ms);

#endif /* BOOTDOM_EVENT_H */
