// SPDX-License-Identifier: LGPL-2.1-or-later
/* Descriptors whose other end is in another domain. */
#include "requests-stream.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "members.h"
#include "pty.h"
#include "relay.h"
#include "requests.h"
#include "server.h"
#include "stream.h"
#include "util.h"

#define MAX_DOMID 0x7fefu
#define MAX_KEPT  256 /* domains */

/* A request whose answer waits for its stream. */
struct waiting {
	struct peer_later *later;
	struct json_object *result;
	int fd;	      /* that goes with it; -1: none */
	bool is_ours; /* we serve the vchan: whoever is to connect is told the path */
};

static void fail_stream(struct peer_answer *answer, int r)
{
	if (r == -EMFILE)
		answer_fail(answer, "LimitsExceeded", "too many streams to other domains");
	else if (r == -ENOMEM)
		answer_fail(answer, "NoMemory", "no memory");
	else if (r == -EEXIST)
		answer_fail(answer, "WrongState", "it is relayed already, or served here");
	else if (r == -EIO)
		answer_fail(answer, "Failed", "the stream between the domains cannot be opened");
	else
		answer_fail(answer, "Failed", "no stream to another domain: %s", strerror(-r));
}

static void on_opened(void *userdata, int r, const char *path)
{
	_cleanup_(freep) struct waiting *waiting = userdata;
	struct peer_answer answer = {.result = waiting->result, .fd = waiting->fd};

	if (r == 0 && waiting->is_ours &&
	    !member_add(answer.result, "path", json_object_new_string(path)))
		r = -ENOMEM;
	if (r < 0)
		fail_stream(&answer, r);
	peer_answer_later(waiting->later, &answer);
}

/* Takes the descriptor and the result over from the answer; NULL: it says why. */
static struct waiting *wait_with(struct peer_answer *answer)
{
	struct waiting *waiting = calloc(1, sizeof(*waiting));

	if (!waiting) {
		fail_stream(answer, -ENOMEM);
		return NULL;
	}
	waiting->later = peer_defer(answer);
	if (!waiting->later) {
		free(waiting);
		return NULL;
	}
	waiting->result = answer->result;
	waiting->fd = steal_fd(&answer->fd);
	answer->result = NULL;
	return waiting;
}

static bool is_supported(const struct requests *requests, struct peer_answer *answer)
{
	if (!requests->streams)
		answer_fail(answer, "NotSupported", "there are no streams to other domains");
	return requests->streams;
}

bool stream_target_get(const struct requests *requests, struct json_object *packet,
		       struct stream_target *ret_target, struct peer_answer *answer)
{
	struct json_object *stream = NULL;
	const char *path;

	*ret_target = (struct stream_target){.domid = 0};
	if (!json_object_object_get_ex(packet, "stream", &stream))
		return true;
	path = json_object_is_type(stream, json_type_object) ? member_text(stream, "path") : NULL;
	if (!path || path[0] != '/' || strlen(path) >= sizeof(ret_target->path) ||
	    !json_object_object_get_ex(stream, "domid", NULL)) {
		answer_fail(answer, "InvalidArgs", "stream has no domid and path");
		return false;
	}
	memcpy(ret_target->path, path, strlen(path));
	return member_number(stream, "domid", MAX_DOMID, &ret_target->domid, answer) &&
	       is_supported(requests, answer);
}

/* The stream has `waiting` in its configuration.  NOLINTBEGIN(clang-analyzer-unix.Malloc) */
void stream_divert(struct streams *streams, const struct stream_target *target, unsigned int ways,
		   struct peer_answer *answer)
{
	struct stream_config config = {
		.domid = target->domid,
		.ways = ways,
		.opened = on_opened,
	};
	int r;

	if (target->path[0] == '\0')
		return;
	config.userdata = wait_with(answer);
	if (!config.userdata)
		return;
	config.fd = steal_fd(&((struct waiting *)config.userdata)->fd);
	r = fcntl(config.fd, F_SETFL, O_NONBLOCK) < 0
		    ? -errno
		    : streams_connect(streams, target->path, &config, NULL);
	if (r < 0) {
		close(config.fd);
		on_opened(config.userdata, r, "");
	}
}
/* NOLINTEND(clang-analyzer-unix.Malloc) */

/* Our end, which does not block, and the client's. */
static int open_terminal(int *ret_ours, int *ret_theirs)
{
	struct pty pty;
	int r = pty_open(&pty);

	if (r < 0)
		return r;
	*ret_ours = pty.master;
	*ret_theirs = pty.slave;
	return 0;
}

static int open_pipe(int *ret_ours, int *ret_theirs)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) < 0)
		return -errno;
	*ret_theirs = ends[0];
	*ret_ours = ends[1];
	return fcntl(ends[1], F_SETFL, O_NONBLOCK) < 0 ? -errno : 0;
}

static bool get_type(struct json_object *packet, bool *ret_terminal, struct peer_answer *answer)
{
	const char *type = member_text(packet, "type");

	*ret_terminal = type && strcmp(type, "terminal") == 0;
	if (*ret_terminal || (type && strcmp(type, "pipe") == 0))
		return true;
	answer_fail(answer, "InvalidArgs", "type is neither terminal nor pipe");
	return false;
}

static void serve(struct requests *requests, uint32_t domid, bool terminal,
		  struct peer_answer *answer)
{
	struct stream_config config = {
		.domid = domid,
		.fd = -1,
		.ways = terminal ? STREAM_READS | STREAM_WRITES : STREAM_WRITES,
		.opened = on_opened,
	};
	int r = (terminal ? open_terminal : open_pipe)(&config.fd, &answer->fd);

	answer->result = json_object_new_object();
	if (r == 0 && !answer->result)
		r = -ENOMEM;
	if (r < 0)
		fail_stream(answer, r);
	else
		config.userdata = wait_with(answer);
	if (!config.userdata) {
		closep(&config.fd);
		return;
	}
	((struct waiting *)config.userdata)->is_ours = true;
	r = streams_serve(requests->streams, (uint32_t)server_self(requests->server), &config,
			  NULL);
	if (r < 0) {
		close(config.fd);
		on_opened(config.userdata, r, "");
	}
}

static bool get_domid(struct json_object *packet, const char *name, uint32_t *ret_domid,
		      struct peer_answer *answer)
{
	if (json_object_object_get_ex(packet, name, NULL))
		return member_number(packet, name, MAX_DOMID, ret_domid, answer);
	answer_fail(answer, "InvalidArgs", "%s is missing", name);
	return false;
}

/* Whether a vchan can be served now. */
static bool can_serve(const struct requests *requests, struct peer_answer *answer)
{
	if (!is_supported(requests, answer))
		return false;
	if (server_self(requests->server) >= 0)
		return true;
	answer_fail(answer, "WrongState", "xenstore has not been read yet");
	return false;
}

void do_stream(struct requests *requests, const char *id, struct json_object *packet,
	       struct peer_answer *answer)
{
	uint32_t domid = 0;
	bool terminal;

	if (get_domid(packet, "domid", &domid, answer) && get_type(packet, &terminal, answer) &&
	    can_serve(requests, answer))
		serve(requests, domid, terminal, answer);
}

static void begin_relay(struct requests *requests, struct relay_config *config,
			struct peer_answer *answer)
{
	int r;

	answer->result = json_object_new_object();
	if (!answer->result) {
		fail_stream(answer, -ENOMEM);
		return;
	}
	config->self = (uint32_t)server_self(requests->server);
	config->opened = on_opened;
	config->userdata = wait_with(answer);
	if (!config->userdata)
		return;
	((struct waiting *)config->userdata)->is_ours = true;
	r = relays_begin(requests->relays, config);
	if (r < 0)
		on_opened(config->userdata, r, "");
}

void do_relay(struct requests *requests, const char *id, struct json_object *packet,
	      struct peer_answer *answer)
{
	const char *uuid = member_text(packet, "uuid");
	struct relay_config config = {.domid = 0};
	char path[UUID_SIZE + 4];

	if (!get_domid(packet, "domid", &config.domid, answer) ||
	    !get_domid(packet, "backend", &config.backend, answer) || !can_serve(requests, answer))
		return;
	if (uuid && strlen(uuid) < UUID_SIZE) {
		snprintf(path, sizeof(path), "/vm/%s", uuid);
		uuid_from_path(path, config.uuid);
	}
	if (server_find(requests->server, config.domid))
		fail_stream(answer, -EEXIST);
	else
		begin_relay(requests, &config, answer);
}

void do_unrelay(struct requests *requests, const char *id, struct json_object *packet,
		struct peer_answer *answer)
{
	uint32_t domid = 0;

	if (get_domid(packet, "domid", &domid, answer) && is_supported(requests, answer))
		(void)relays_end(requests->relays, domid, true);
}

/* False: that is no list of domids. */
static bool get_domids(struct json_object *packet, uint32_t domids[MAX_KEPT], size_t *ret_nr)
{
	struct json_object *list;
	size_t nr;

	if (!json_object_object_get_ex(packet, "domids", &list) ||
	    !json_object_is_type(list, json_type_array) ||
	    json_object_array_length(list) > MAX_KEPT)
		return false;
	nr = json_object_array_length(list);
	for (size_t i = 0; i < nr; i++) {
		struct json_object *item = json_object_array_get_idx(list, i);
		int64_t domid = json_object_get_int64(item);

		if (!json_object_is_type(item, json_type_int) || domid < 0 || domid > MAX_DOMID)
			return false;
		domids[i] = (uint32_t)domid;
	}
	*ret_nr = nr;
	return true;
}

void do_keep_streams(struct requests *requests, const char *id, struct json_object *packet,
		     struct peer_answer *answer)
{
	uint32_t domids[MAX_KEPT];
	size_t nr;

	if (!get_domids(packet, domids, &nr))
		answer_fail(answer, "InvalidArgs", "domids is no list of domids");
	else if (is_supported(requests, answer))
		streams_keep(requests->streams, domids, nr);
}
