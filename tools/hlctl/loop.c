// SPDX-License-Identifier: LGPL-2.1-or-later
/* Runs until a signal or the end of the connection. */
#include "loop.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <systemd/sd-event.h>

static int add_signals(sd_event *event)
{
	sigset_t set;
	int r;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
		return -errno;
	/* Without a handler they end the loop, with 0. */
	r = sd_event_add_signal(event, NULL, SIGINT, NULL, (void *)EXIT_OK);
	if (r >= 0)
		r = sd_event_add_signal(event, NULL, SIGTERM, NULL, (void *)EXIT_OK);
	return r;
}

static int on_disconnected(sd_bus_message *m, void *userdata, sd_bus_error *ret_error)
{
	(void)sd_event_exit(userdata, report_error(EXIT_FAILED, "the connection to the bus broke"));
	return 0;
}

int loop_new(sd_bus *bus, sd_event **ret_event)
{
	_cleanup_(sd_event_unrefp) sd_event *event = NULL;
	int r = sd_event_new(&event);

	if (r >= 0)
		r = add_signals(event);
	if (r >= 0)
		r = sd_bus_match_signal(bus, NULL, NULL, "/org/freedesktop/DBus/Local",
					"org.freedesktop.DBus.Local", "Disconnected",
					on_disconnected, event);
	if (r >= 0)
		*ret_event = sd_event_ref(event);
	return r;
}

enum exit_code loop_run(sd_bus *bus, sd_event *event)
{
	int r = sd_bus_attach_event(bus, event, 0);

	if (r >= 0)
		r = sd_event_loop(event);
	(void)sd_bus_detach_event(bus);
	return r < 0 ? report_error(EXIT_FAILED, "cannot listen: %s", strerror(-r))
		     : (enum exit_code)r;
}
