// SPDX-License-Identifier: LGPL-2.1-or-later
/* Requests of kind "console", and what their answers may be. */
#include "console/request.h"

#include <errno.h>
#include <json-c/json.h>
#include <stdlib.h>

#include "common/cleanup.h"
#include "common/json-write.h"
#include "console/consoles.h"
#include "domains/domain.h"
#include "peers/peer.h"

struct console_request {
	struct consoles *consoles;
	struct peer_call *call;
	int (*read)(const struct peer_reply *reply, struct console_answer *answer);
	console_done_t done;
	void *userdata;
};

static int on_done(void *userdata, struct peer_reply *reply)
{
	_cleanup_(freep) struct console_request *request = userdata;
	struct console_answer answer = {
		.error = reply->error,
		.code = reply->code,
		.message = reply->message,
		.fd = -1,
	};
	int r = reply->error == 0 ? request->read(reply, &answer) : 0;

	if (r < 0)
		answer.error = r;
	else
		answer.fd = steal_fd(&reply->fd);
	/* What the answer changed is told before it is. */
	consoles_flush(request->consoles);
	request->done(request->userdata, &answer);
	closep(&answer.fd);
	return r;
}

/* The domid may have another domain when the helper reads this. */
static int add_domain(json_object *members, const struct domain *domain)
{
	int r;

	if (!domain)
		return 0;
	r = json_add(members, "domid", json_object_new_int64(domain->domid));
	if (r < 0 || domain->console.uuid[0] == '\0')
		return r;
	return json_add(members, "uuid", json_object_new_string(domain->console.uuid));
}

int console_ask(struct consoles *consoles, const struct domain *domain,
		const struct console_ask *ask, struct console_request **ret_request)
{
	const struct console_helper *helper =
		domain ? domain->console.helper : consoles_own_helper(consoles);
	struct console_request *new = calloc(1, sizeof(*new));
	struct peer_request request = {
		.name = ask->name,
		.members = ask->members,
		.wants_fd = ask->wants_fd,
		.done = on_done,
		.userdata = new,
	};
	int r = new && ask->members ? add_domain(ask->members, domain) : -ENOMEM;

	if (r == 0 && !helper)
		r = -ENOTCONN;
	if (r < 0) {
		json_object_put(ask->members);
		free(new);
		return r;
	}
	*new = (struct console_request){.consoles = consoles,
					.read = ask->read,
					.done = ask->done,
					.userdata = ask->userdata};
	r = peer_send_request(console_helper_peer(helper), &request, &new->call);
	if (r < 0) {
		free(new);
		return r;
	}
	*ret_request = new;
	return 0;
}

void console_request_cancel(struct console_request *request)
{
	peer_call_cancel(request->call);
	free(request);
}
