/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the service manager is told. Without one all of this does nothing. */
#ifndef HYPERLAUNCHD_LOOP_NOTIFY_H
#define HYPERLAUNCHD_LOOP_NOTIFY_H

struct loop;
struct notify;

/* Starts the watchdog's heartbeat, half of its period long, where the unit asks for one. */
int notify_new(struct loop *loop, void (*heartbeat)(void *userdata), void *userdata,
	       struct notify **ret_notify);
struct notify *notify_free(struct notify *notify);

void notify_ready(void);
void notify_stopping(void);
void notify_status(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
