// SPDX-License-Identifier: LGPL-2.1-or-later
/* The request "log". */
#include "console/log.h"

#include <errno.h>
#include <json-c/json.h>
#include <sys/stat.h>

#include "common/cleanup.h"
#include "common/json-write.h"
#include "common/packet.h"
#include "peers/peer.h"

static int read_answer(const struct peer_reply *reply, struct console_answer *answer)
{
	struct stat st;
	int r = packet_get_uint(reply->result, "size", INT64_MAX, &answer->size);

	if (r < 0)
		return r;
	return fstat(reply->fd, &st) == 0 && S_ISFIFO(st.st_mode) ? 0 : -EBADMSG;
}

static json_object *make_members(const char *uuid, bool follow)
{
	_cleanup_(json_putp) json_object *members = json_object_new_object();

	if (!members || json_add(members, "follow", json_object_new_boolean(follow)) < 0 ||
	    (uuid && json_add(members, "uuid", json_object_new_string(uuid)) < 0))
		return NULL;
	return steal(&members);
}

int console_open_log(struct consoles *consoles, const struct domain *domain, const char *uuid,
		     bool follow, console_done_t done, void *userdata,
		     struct console_request **ret_request)
{
	const struct console_ask ask = {
		.name = "log",
		.members = make_members(domain ? NULL : uuid, follow),
		.wants_fd = true,
		.anywhere = !domain,
		.read = read_answer,
		.done = done,
		.userdata = userdata,
	};

	return console_ask(consoles, domain, &ask, ret_request);
}
