// SPDX-License-Identifier: LGPL-2.1-or-later
#include "bus-handoff.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "bus-auth.h"
#include "bus-error.h"
#include "bus-request.h"
#include "log.h"
#include "loop.h"
#include "util.h"

/* Xen hands over by itself; this long after that a caller may still wait. */
#define ASK_AGAIN   (20 * USEC_PER_MSEC)
#define MAX_WAITING 64

struct handoff {
	struct handoff *next;
	sd_bus_message *call;
	struct bus_subject subject;
};

struct handoffs {
	struct bus *bus;
	struct event *timer;
	struct handoff *first, **end;
	unsigned int nr;
};

static void answer(const struct handoff *handoff, int r, const sd_bus_error *error)
{
	if (sd_bus_error_is_set(error))
		r = sd_bus_reply_method_error(handoff->call, error);
	else if (r < 0)
		r = sd_bus_reply_method_errno(handoff->call, r, NULL);
	else
		r = sd_bus_reply_method_return(handoff->call, "");
	if (r < 0)
		log_debug("cannot answer: %s", strerror(-r));
}

static void remove_first(struct handoffs *handoffs)
{
	struct handoff *handoff = handoffs->first;

	handoffs->first = handoff->next;
	if (!handoffs->first)
		handoffs->end = &handoffs->first;
	handoffs->nr--;
	sd_bus_message_unref(handoff->call);
	free(handoff);
}

/* Until there is one for which Xen needs more time. */
static void work(struct handoffs *handoffs)
{
	while (handoffs->first) {
		_cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
		const struct handoff *first = handoffs->first;
		int r = bus_request_set_console(handoffs->bus, first->call, &first->subject, &error);

		if (r == -EAGAIN) {
			r = loop_timer_set(handoffs->timer, ASK_AGAIN);
			if (r == 0)
				return;
		}
		answer(first, r, &error);
		remove_first(handoffs);
	}
}

static void on_timer(evutil_socket_t fd, short what, void *userdata)
{
	work(userdata);
}

int handoffs_add(struct handoffs *handoffs, sd_bus_message *call, const struct bus_subject *subject,
		 sd_bus_error *error)
{
	struct handoff *handoff;

	if (handoffs->nr == MAX_WAITING)
		return bus_error_set(error, BUS_ERROR_LIMITS_EXCEEDED, "Too many calls wait for the console");
	handoff = calloc(1, sizeof(*handoff));
	if (!handoff)
		return -ENOMEM;
	handoff->call = sd_bus_message_ref(call);
	handoff->subject = *subject;
	*handoffs->end = handoff;
	handoffs->end = &handoff->next;
	if (handoffs->nr++ == 0)
		work(handoffs);
	return 1;
}

int handoffs_new(struct loop *loop, struct bus *bus, struct handoffs **ret_handoffs)
{
	struct handoffs *handoffs = calloc(1, sizeof(*handoffs));

	if (!handoffs)
		return -ENOMEM;
	handoffs->bus = bus;
	handoffs->end = &handoffs->first;
	handoffs->timer = evtimer_new(loop_base(loop), on_timer, handoffs);
	if (!handoffs->timer) {
		free(handoffs);
		return -ENOMEM;
	}
	*ret_handoffs = handoffs;
	return 0;
}

struct handoffs *handoffs_free(struct handoffs *handoffs)
{
	if (!handoffs)
		return NULL;
	while (handoffs->first)
		remove_first(handoffs);
	event_free(handoffs->timer);
	free(handoffs);
	return NULL;
}
