// SPDX-License-Identifier: LGPL-2.1-or-later
/* Sends READY, STATUS, WATCHDOG and STOPPING to the service manager. */
#include "loop/notify.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <systemd/sd-daemon.h>

#include "loop/log.h"
#include "loop/timer.h"

struct notify {
	struct timer *timer;
	uint64_t period;
	void (*heartbeat)(void *userdata);
	void *userdata;
};

static void tell(const char *state)
{
	int r = sd_notify(0, state);

	if (r < 0)
		log_warning("cannot reach the service manager: %m");
}

static void on_timer(void *userdata)
{
	struct notify *notify = userdata;

	tell("WATCHDOG=1");
	notify->heartbeat(notify->userdata);
	if (timer_set(notify->timer, notify->period) < 0)
		log_error("no timer for the watchdog");
}

int notify_new(struct loop *loop, void (*heartbeat)(void *userdata), void *userdata,
	       struct notify **ret_notify)
{
	struct notify *notify;
	uint64_t usec = 0;
	int r = sd_watchdog_enabled(0, &usec);

	if (r < 0)
		return r;
	notify = calloc(1, sizeof(*notify));
	if (!notify)
		return -ENOMEM;
	notify->heartbeat = heartbeat;
	notify->userdata = userdata;
	notify->period = usec / 2;
	r = timer_new(loop, on_timer, notify, &notify->timer);
	if (r == 0 && usec > 0)
		r = timer_set(notify->timer, notify->period);
	if (r < 0) {
		notify_free(notify);
		return r;
	}
	*ret_notify = notify;
	return 0;
}

struct notify *notify_free(struct notify *notify)
{
	if (!notify)
		return NULL;
	timer_free(notify->timer);
	free(notify);
	return NULL;
}

void notify_ready(void)
{
	tell("READY=1");
}

void notify_stopping(void)
{
	tell("STOPPING=1");
}

void notify_status(const char *format, ...)
{
	char state[256] = "STATUS=";
	va_list args;

	va_start(args, format);
	vsnprintf(state + 7, sizeof(state) - 7, format, args);
	va_end(args);
	tell(state);
}
