// SPDX-License-Identifier: LGPL-2.1-or-later
/* The request "keep-streams": whenever a domain with a helper comes or goes, and to each new
 * helper. */
#include "console/stream-keep.h"

#include <errno.h>
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/json-write.h"
#include "console/consoles.h"
#include "console/request.h"
#include "loop/log.h"
#include "peers/peer.h"

struct stream_keep {
	struct consoles_listener listener;
	struct consoles *consoles;
	struct console_request *request; /* NULL: nothing is being told */
	char *told; /* the helper, on this connection: the list as text; NULL: nothing */
};

static void go_on(struct stream_keep *keep);

static void on_done(void *userdata, struct console_answer *answer)
{
	struct stream_keep *keep = userdata;

	keep->request = NULL;
	/* One that does not know the request keeps its streams until they end by themselves. */
	if (answer->error < 0)
		log_debug("the helper does not end streams to domains that are gone: %s",
			  answer->error == -EREMOTEIO ? answer->message : strerror(-answer->error));
	go_on(keep);
}

static json_object *list_domains(const struct stream_keep *keep)
{
	_cleanup_(json_putp) json_object *domids = json_object_new_array();
	const struct console_helper *helper = NULL;

	if (!domids)
		return NULL;
	while ((helper = consoles_next_remote(keep->consoles, helper))) {
		json_object *domid = json_object_new_int64(console_helper_domid(helper));

		if (!domid || json_object_array_add(domids, domid) < 0) {
			json_object_put(domid);
			return NULL;
		}
	}
	return steal(&domids);
}

static int tell(struct stream_keep *keep, json_object *domids)
{
	struct console_ask ask = {
		.name = "keep-streams",
		.members = json_object_new_object(),
		.done = on_done,
		.userdata = keep,
	};

	if (!ask.members || json_add(ask.members, "domids", json_object_get(domids)) < 0) {
		json_object_put(ask.members);
		return -ENOMEM;
	}
	return console_ask(keep->consoles, NULL, &ask, &keep->request);
}

static void go_on(struct stream_keep *keep)
{
	const struct console_helper *own = consoles_own_helper(keep->consoles);
	_cleanup_(json_putp) json_object *domids = NULL;
	char *text = NULL;

	if (keep->request)
		return;
	if (!own || !peer_is_ready(console_helper_peer(own))) {
		free(steal(&keep->told));
		return;
	}
	domids = list_domains(keep);
	if (domids)
		text = strdup(json_object_to_json_string(domids));
	/* What fails is told again when something is reported. */
	if (text && (!keep->told || strcmp(text, keep->told) != 0) && tell(keep, domids) == 0) {
		free(keep->told);
		keep->told = steal(&text);
	}
	free(text);
}

static void on_report(void *userdata)
{
	go_on(userdata);
}

int stream_keep_new(struct consoles *consoles, struct stream_keep **ret_keep)
{
	struct stream_keep *keep = calloc(1, sizeof(*keep));

	if (!keep)
		return -ENOMEM;
	keep->consoles = consoles;
	keep->listener = (struct consoles_listener){.reported = on_report, .userdata = keep};
	consoles_listen(consoles, &keep->listener);
	*ret_keep = keep;
	return 0;
}

struct stream_keep *stream_keep_free(struct stream_keep *keep)
{
	if (!keep)
		return NULL;
	consoles_unlisten(keep->consoles, &keep->listener);
	if (keep->request)
		console_request_cancel(keep->request);
	free(keep->told);
	free(keep);
	return NULL;
}
