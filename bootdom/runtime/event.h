/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Event channels and time.  Interrupts are off: the program polls pending events, and
 * waits for them by SCHEDOP_poll.
 */
#ifndef BOOTDOM_EVENT_H
#define BOOTDOM_EVENT_H

#include <stdbool.h>
#include <stdint.h>

#define NS_PER_MS UINT64_C(1000000)
#define NEVER	  UINT64_MAX

/* Maps the shared info page; to be called before all others. */
void events_init(void);

/* Returns the time since Xen's start in nanoseconds. */
uint64_t clock_ns(void);

/* Binds a virtual interrupt of vCPU 0 to a port.  Returns 0, or a negative errno. */
int event_bind_virq(uint32_t virq, uint32_t *ret_port);
/* Notifies the other end; no effect if there is none. */
void event_send(uint32_t port);
void event_close(uint32_t port);

/* Whether another domain has bound the other end of the port. */
bool event_is_bound(uint32_t port);

/* Clears a pending event.  Returns whether there was one; false for port 0. */
bool event_take(uint32_t port);

/* Waits until an event of the port is pending, or the clock is at until_ns.  Port 0: none. */
void event_wait(uint32_t port, uint64_t until_ns);
void sleep_ms(uint64_t ms);

#endif /* BOOTDOM_EVENT_H */
