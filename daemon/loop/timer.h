/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A timer of the loop that fires once each time it is set. */
#ifndef HYPERLAUNCHD_LOOP_TIMER_H
#define HYPERLAUNCHD_LOOP_TIMER_H

#include <stdbool.h>
#include <stdint.h>

struct loop;
struct timer;

typedef void (*timer_run_t)(void *userdata);

int timer_new(struct loop *loop, timer_run_t run, void *userdata, struct timer **ret_timer);
struct timer *timer_free(struct timer *timer);

/* (Re)starts it: it fires after `usec`, rounded up.  -ENOMEM. */
int timer_set(struct timer *timer, uint64_t usec);
void timer_stop(struct timer *timer);
bool timer_is_set(const struct timer *timer);

#endif
