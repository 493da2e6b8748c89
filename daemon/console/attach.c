// SPDX-License-Identifier: LGPL-2.1-or-later
/* The request "attach". */
#include "console/attach.h"

#include <errno.h>
#include <json-c/json.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/json-write.h"
#include "common/packet.h"
#include "peers/peer.h"

static int read_answer(const struct peer_reply *reply, struct console_answer *answer)
{
	int r = packet_get_bool(reply->result, "writer", &answer->writer);

	if (r < 0)
		return r;
	return isatty(reply->fd) ? 0 : -EBADMSG;
}

static json_object *make_members(const struct console_attach_options *options)
{
	_cleanup_(json_putp) json_object *members = json_object_new_object();

	if (!members ||
	    json_add(members, "read-only", json_object_new_boolean(options->read_only)) < 0 ||
	    json_add(members, "exclusive", json_object_new_boolean(options->exclusive)) < 0 ||
	    json_add(members, "replay", json_object_new_int64((int64_t)options->replay)) < 0)
		return NULL;
	return steal(&members);
}

int console_attach(struct consoles *consoles, const struct domain *domain,
		   const struct console_attach_options *options, console_done_t done,
		   void *userdata, struct console_request **ret_request)
{
	const struct console_ask ask = {
		.name = "attach",
		.members = make_members(options),
		.wants_fd = true,
		.terminal = true,
		.read = read_answer,
		.done = done,
		.userdata = userdata,
	};

	return console_ask(consoles, domain, &ask, ret_request);
}
