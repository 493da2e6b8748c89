// SPDX-License-Identifier: LGPL-2.1-or-later
/* Requests of kind "console", and what their answers may be. */
#include "console/request.h"

#include <errno.h>
#include <hyperlaunch/hl.h>
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/json-write.h"
#include "common/packet.h"
#include "console/consoles.h"
#include "domains/domain.h"
#include "domains/manager.h"
#include "peers/peer.h"

#define STREAM_PATH_MAX 64

struct console_request {
	struct consoles *consoles;
	struct peer_call *call;
	struct console_ask ask;	   /* members: NULL: taken */
	struct json_object *again; /* the members, for the next helper; NULL: there is none */
	uint32_t helper; /* the domain of the one that is asked, or is to be, by a stream */
	int fd;		 /* our end of that stream; -1: none */
};

static void request_free(struct console_request *request)
{
	json_object_put(request->ask.members);
	json_object_put(request->again);
	closep(&request->fd);
	free(request);
}

/* What the answer changed is told before it is. */
static void finish(struct console_request *request, struct console_answer *answer)
{
	consoles_flush(request->consoles);
	request->ask.done(request->ask.userdata, answer);
	closep(&answer->fd);
	request_free(request);
}

static struct console_answer answer_of(const struct peer_reply *reply)
{
	return (struct console_answer){
		.error = reply->error,
		.code = reply->code,
		.message = reply->message,
		.fd = -1,
	};
}

static int ask_helper(struct console_request *request, const struct console_helper *helper);

/* The one that was asked does not know what the members name, and has not taken anything over. */
static bool ask_next(struct console_request *request, const struct peer_reply *reply)
{
	const struct console_helper *helper =
		consoles_find_helper(request->consoles, request->helper);

	if (!request->again || reply->error != -EREMOTEIO ||
	    strcmp(reply->code, "NoSuchDomain") != 0 || !helper)
		return false;
	do
		helper = consoles_next_remote(request->consoles, helper);
	while (helper && !peer_is_ready(console_helper_peer(helper)));
	if (!helper || json_object_deep_copy(request->again, &request->ask.members, NULL) < 0)
		return false;
	closep(&request->fd);
	request->fd = -1;
	return ask_helper(request, helper) == 0;
}

static int on_done(void *userdata, struct peer_reply *reply)
{
	struct console_request *request = userdata;
	struct console_answer answer = answer_of(reply);
	int r = 0;

	if (ask_next(request, reply))
		return 0;
	/* What is left in the reply is closed with it. */
	if (request->fd >= 0)
		reply->fd = steal_fd(&request->fd);
	if (reply->error == 0 && request->ask.read)
		r = request->ask.read(reply, &answer);
	if (r < 0)
		answer.error = r;
	else if (reply->error == 0)
		answer.fd = steal_fd(&reply->fd);
	finish(request, &answer);
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

static int send_request(struct console_request *request, const struct console_helper *helper,
			bool wants_fd)
{
	const struct peer_request message = {
		.name = request->ask.name,
		.members = steal(&request->ask.members),
		.wants_fd = wants_fd,
		.done = on_done,
		.userdata = request,
	};

	return peer_send_request(console_helper_peer(helper), &message, &request->call);
}

struct json_object *console_stream_members(const struct consoles *consoles, const char *path)
{
	_cleanup_(json_putp) json_object *stream = json_object_new_object();
	const struct hl_summary *summary =
		hl_table_summary(manager_table(consoles_manager(consoles)));

	if (!stream || json_add(stream, "domid", json_object_new_int64(summary->self_domid)) < 0 ||
	    json_add(stream, "path", json_object_new_string(path)) < 0)
		return NULL;
	return steal(&stream);
}

int console_stream_path(struct json_object *result, const char **ret_path)
{
	return packet_get_text(result, "path", STREAM_PATH_MAX, ret_path);
}

/* The stream is there: its other end is asked for what is wanted. */
static int ask_through(struct console_request *request, struct peer_reply *reply)
{
	const struct console_helper *helper =
		consoles_find_helper(request->consoles, request->helper);
	const char *path;
	int r = console_stream_path(reply->result, &path);

	if (r < 0)
		return r;
	request->fd = steal_fd(&reply->fd);
	r = json_add(request->ask.members, "stream",
		     console_stream_members(request->consoles, path));
	if (r < 0)
		return r;
	/* The domain may have gone meanwhile. */
	r = helper ? send_request(request, helper, false) : -ENOTCONN;
	return r == -ENOTCONN ? -ECONNRESET : r;
}

static int on_stream(void *userdata, struct peer_reply *reply)
{
	struct console_request *request = userdata;
	struct console_answer answer = answer_of(reply);
	int r = reply->error == 0 ? ask_through(request, reply) : 0;

	if (reply->error == 0 && r == 0)
		return 0;
	if (r == -EBUSY) {
		answer.code = "LimitsExceeded";
		answer.message = "too many requests are open";
		r = -EREMOTEIO;
	}
	if (r < 0)
		answer.error = r;
	finish(request, &answer);
	return r == -EBADMSG ? r : 0;
}

/* Only a helper in our own domain can serve the stream. */
static int send_stream(struct console_request *request, const struct console_helper *helper)
{
	const struct console_helper *own = consoles_own_helper(request->consoles);
	struct peer_request message = {
		.name = "stream",
		.members = json_object_new_object(),
		.wants_fd = true,
		.done = on_stream,
		.userdata = request,
	};
	const char *type = request->ask.terminal ? "terminal" : "pipe";
	int r;

	if (!message.members ||
	    json_add(message.members, "domid", json_object_new_int64(request->helper)) < 0 ||
	    json_add(message.members, "type", json_object_new_string(type)) < 0) {
		json_object_put(message.members);
		return -ENOMEM;
	}
	if (!own) {
		json_object_put(message.members);
		return -EOPNOTSUPP;
	}
	r = peer_send_request(console_helper_peer(own), &message, &request->call);
	return r == -ENOTCONN ? -EOPNOTSUPP : r;
}

static int ask_helper(struct console_request *request, const struct console_helper *helper)
{
	bool wants_fd = request->ask.wants_fd;

	request->helper = console_helper_domid(helper);
	return wants_fd && !peer_passes_fds(console_helper_peer(helper))
		       ? send_stream(request, helper)
		       : send_request(request, helper, wants_fd);
}

int console_ask(struct consoles *consoles, const struct domain *domain,
		const struct console_ask *ask, struct console_request **ret_request)
{
	const struct console_helper *helper =
		domain ? domain->console.helper : consoles_own_helper(consoles);
	struct console_request *new = calloc(1, sizeof(*new));
	int r = new && ask->members ? add_domain(ask->members, domain) : -ENOMEM;

	if (!new) {
		json_object_put(ask->members);
		return -ENOMEM;
	}
	*new = (struct console_request){.consoles = consoles, .ask = *ask, .fd = -1};
	if (r == 0 && !helper)
		r = -ENOTCONN;
	if (r == 0 && ask->anywhere)
		r = json_object_deep_copy(ask->members, &new->again, NULL) < 0 ? -ENOMEM : 0;
	if (r == 0)
		r = ask_helper(new, helper);
	if (r < 0) {
		request_free(new);
		return r;
	}
	*ret_request = new;
	return 0;
}

void console_request_cancel(struct console_request *request)
{
	peer_call_cancel(request->call);
	request_free(request);
}
