// SPDX-License-Identifier: LGPL-2.1-or-later
/* The requests "relay", "attach" to a terminal, and "unrelay": one domain after the other. */
#include "console/relay.h"

#include <errno.h>
#include <hyperlaunch/hl.h>
#include <inttypes.h>
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/clock.h"
#include "common/json-write.h"
#include "console/consoles.h"
#include "console/request.h"
#include "domains/manager.h"
#include "loop/log.h"
#include "loop/loop.h"
#include "loop/timer.h"
#include "peers/peer.h"

/* After which one that failed is tried again, and at the soonest one that did not last. */
#define RETRY (10 * USEC_PER_SEC)
#define PAUSE (2 * USEC_PER_SEC)

struct relays {
	struct consoles_listener listener;
	struct manager *manager;
	struct consoles *consoles;
	struct timer *retry;
	struct console_request *request; /* NULL: nothing is being done */
	/* Which domain's console that is about. */
	uint32_t domid;
	uint64_t generation;
	bool complained; /* since the last success */
};

static void go_on(struct relays *relays);

static bool is_wanted(const struct domain *domain)
{
	const struct console_facts *facts = &domain->console;

	return facts->state == CONSOLE_SERVING &&
	       (facts->relay == CONSOLE_NONE || facts->relay == CONSOLE_DETACHED) &&
	       !peer_passes_fds(console_helper_peer(facts->helper));
}

static struct domain *find(const struct relays *relays)
{
	return domains_find(manager_domains(relays->manager), relays->domid, relays->generation);
}

static void fail(struct relays *relays, int error, const char *why)
{
	struct domain *domain = find(relays);

	log_msg(relays->complained ? LOG_DEBUG : LOG_NOTICE,
		"the console of domain %" PRIu32 " has no terminal here: %.256s", relays->domid,
		why ? why : strerror(-error));
	relays->complained = true;
	if (domain)
		domain->console.relay_next = loop_now() + RETRY;
}

static void on_retry(void *userdata)
{
	struct relays *relays = userdata;

	if (!relays->request)
		go_on(relays);
}

static int read_path(const struct peer_reply *reply, struct console_answer *answer)
{
	return console_stream_path(reply->result, &answer->path);
}

/* The other domain has connected to the stream, or has not. */
static void on_attached(void *userdata, struct console_answer *answer)
{
	struct relays *relays = userdata;

	relays->request = NULL;
	if (answer->error < 0)
		fail(relays, answer->error, answer->error == -EREMOTEIO ? answer->message : NULL);
	else
		relays->complained = false;
	go_on(relays);
}

static int attach(struct relays *relays, const struct domain *domain, const char *path)
{
	_cleanup_(json_putp) json_object *members = json_object_new_object();
	struct console_ask ask = {
		.name = "attach",
		.done = on_attached,
		.userdata = relays,
	};

	if (!members || json_add(members, "terminal", json_object_new_boolean(true)) < 0 ||
	    json_add(members, "stream", console_stream_members(relays->consoles, path)) < 0)
		return -ENOMEM;
	ask.members = steal(&members);
	return console_ask(relays->consoles, domain, &ask, &relays->request);
}

/* Our own helper serves a stream now: its other end is the terminal of the one that serves. */
static void on_served(void *userdata, struct console_answer *answer)
{
	struct relays *relays = userdata;
	const struct domain *domain = find(relays);
	int r = answer->error;

	relays->request = NULL;
	if (r == 0)
		r = domain && domain->console.state == CONSOLE_SERVING
			    ? attach(relays, domain, answer->path)
			    : -ENOTCONN;
	if (r < 0)
		fail(relays, r, answer->error == -EREMOTEIO ? answer->message : NULL);
	if (!relays->request)
		go_on(relays);
}

static json_object *make_members(const struct domain *domain)
{
	_cleanup_(json_putp) json_object *members = json_object_new_object();
	const struct console_facts *facts = &domain->console;

	if (!members || json_add(members, "domid", json_object_new_int64(domain->domid)) < 0 ||
	    json_add(members, "backend", json_object_new_int64(facts->owner)) < 0 ||
	    json_add(members, "uuid", json_object_new_string(facts->uuid)) < 0)
		return NULL;
	return steal(&members);
}

static int begin(struct relays *relays, struct domain *domain)
{
	const struct console_ask ask = {
		.name = "relay",
		.members = make_members(domain),
		.read = read_path,
		.done = on_served,
		.userdata = relays,
	};
	int r = console_ask(relays->consoles, NULL, &ask, &relays->request);

	relays->domid = domain->domid;
	relays->generation = domain->generation;
	if (r == 0)
		domain->console.relay_next = loop_now() + PAUSE;
	/* Without a helper here there is nothing to be done; it reports when it comes. */
	if (r < 0 && r != -ENOTCONN)
		fail(relays, r, NULL);
	return r;
}

static void on_ended(void *userdata, struct console_answer *answer)
{
	struct relays *relays = userdata;

	relays->request = NULL;
	/* The next report is the next try. */
	if (answer->error == 0)
		go_on(relays);
}

static int end(struct relays *relays, uint32_t domid)
{
	_cleanup_(json_putp) json_object *members = json_object_new_object();
	struct console_ask ask = {
		.name = "unrelay",
		.done = on_ended,
		.userdata = relays,
	};

	if (!members || json_add(members, "domid", json_object_new_int64(domid)) < 0)
		return -ENOMEM;
	ask.members = steal(&members);
	return console_ask(relays->consoles, NULL, &ask, &relays->request);
}

static void go_on(struct relays *relays)
{
	struct domain *d = domains_first(manager_domains(relays->manager));
	uint64_t now = loop_now(), next = UINT64_MAX;
	uint32_t stray;
	int r = -ENOENT;

	if (consoles_find_stray_relay(relays->consoles, &stray) && end(relays, stray) == 0)
		return;
	for (; d && r != 0 && r != -ENOTCONN; d = d->next) {
		if (!is_wanted(d))
			continue;
		if (d->console.relay_next <= now)
			r = begin(relays, d);
		else if (d->console.relay_next < next)
			next = d->console.relay_next;
	}
	/* What is begun now is followed by another look. */
	if (r != 0 && next != UINT64_MAX && timer_set(relays->retry, next - now) < 0)
		log_error("no timer: a terminal of a console may be missing");
}

static void on_report(void *userdata)
{
	struct relays *relays = userdata;

	if (!relays->request)
		go_on(relays);
}

int relays_new(struct manager *manager, struct consoles *consoles, struct relays **ret_relays)
{
	struct relays *relays = calloc(1, sizeof(*relays));
	int r;

	if (!relays)
		return -ENOMEM;
	r = timer_new(consoles_loop(consoles), on_retry, relays, &relays->retry);
	if (r < 0) {
		free(relays);
		return r;
	}
	relays->manager = manager;
	relays->consoles = consoles;
	relays->listener = (struct consoles_listener){.reported = on_report, .userdata = relays};
	consoles_listen(consoles, &relays->listener);
	*ret_relays = relays;
	return 0;
}

struct relays *relays_free(struct relays *relays)
{
	if (!relays)
		return NULL;
	consoles_unlisten(relays->consoles, &relays->listener);
	if (relays->request)
		console_request_cancel(relays->request);
	timer_free(relays->retry);
	free(relays);
	return NULL;
}
