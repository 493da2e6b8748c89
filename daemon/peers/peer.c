// SPDX-License-Identifier: LGPL-2.1-or-later
/* The life of a connection, and the requests on it by their ids. */
#include "peers/peer.h"

#include <errno.h>
#include <inttypes.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/clock.h"
#include "common/json-write.h"
#include "common/packet.h"
#include "loop/log.h"
#include "loop/loop.h"
#include "loop/timer.h"
#include "peers/carrier.h"

#define PROTOCOL_VERSION 1
/* From the connection to "ready": the helper may have to start first. */
#define HANDSHAKE_MAX (30 * USEC_PER_SEC)
/* From a request to its answer. */
#define ANSWER_MAX (5 * USEC_PER_SEC)
/* Between two connections; doubled each time, unless the last one was ready for some time. */
#define DELAY_MIN  USEC_PER_SEC
#define DELAY_MAX  (30 * USEC_PER_SEC)
#define STABLE_MIN (10 * USEC_PER_SEC)
/* Requests that the helper has at a time, and those that wait as well. */
#define MAX_OPEN  32
#define MAX_CALLS 512
/* Packets that are read in one turn of the loop, in a burst, and in each period after that. */
#define MAX_TURN   16
#define MAX_BURST  4096
#define PERIOD	   (50 * USEC_PER_MSEC)
#define PER_PERIOD 50
/* Text of the protocol. */
#define MAX_NAME    32
#define MAX_ID	    64
#define MAX_MESSAGE PACKET_MAX
#define MAX_DOMID   0x7fefu

enum peer_state {
	PEER_CLOSED,	 /* until the next attempt */
	PEER_CONNECTING, /* until the carrier has a connection, or the next attempt */
	PEER_CONNECTED,	 /* hello is awaited */
	PEER_KNOWN,	 /* ready is awaited */
	PEER_READY,
};

struct peer_call {
	struct peer *peer;
	uint64_t number; /* of its id */
	char *packet;	 /* NULL: has been sent */
	bool wants_fd;
	bool cancelled;
	uint64_t deadline;
	int (*done)(void *userdata, struct peer_reply *reply);
	void *userdata;
	struct peer_call *next;
};

struct peer {
	struct peer_config config;
	struct carrier *carrier;
	char name[MAX_NAME + 32]; /* for messages */
	enum peer_state state;
	bool quiet;		 /* the last attempt failed too, which was logged */
	struct timer *attempt;	 /* the next one, or the end of the handshake */
	struct timer *deadline;	 /* of the oldest call */
	struct timer *allowance; /* set while nothing is read: too much was */
	uint64_t delay, ready_at;
	uint64_t filled_at;	 /* when the number below was right */
	uint32_t nr_tokens;	 /* packets that may be read at once */
	bool blocked;		 /* the carrier is full, or there is something to send */
	bool slowed;		 /* which was logged */
	char prefix[17];	 /* of the ids of this process */
	uint64_t nr_requests;	 /* so far */
	struct peer_call *calls; /* oldest first: those that have been sent, then the others */
	unsigned int nr_calls;
	unsigned int nr_lost; /* requests that were given up, which are open for the helper */
};

static void call_free(struct peer_call *call)
{
	free(call->packet);
	free(call);
}

/* Takes the call out of the list. */
static void unlink_call(struct peer *peer, const struct peer_call *call)
{
	struct peer_call **p = &peer->calls;

	while (*p != call)
		p = &(*p)->next;
	*p = call->next;
	peer->nr_calls--;
}

static int end_call(struct peer *peer, struct peer_call *call, struct peer_reply *reply)
{
	int r;

	unlink_call(peer, call);
	r = call->cancelled ? 0 : call->done(call->userdata, reply);
	call_free(call);
	closep(&reply->fd);
	return r;
}

static void fail_call(struct peer *peer, struct peer_call *call, int error)
{
	struct peer_reply reply = {.error = error, .fd = -1};

	(void)end_call(peer, call, &reply);
}

/* All calls are given the same time, so the oldest one's is over first. */
static void arm_deadline(struct peer *peer)
{
	uint64_t now = loop_now();

	if (!peer->calls)
		timer_stop(peer->deadline);
	else if (timer_set(peer->deadline,
			   peer->calls->deadline > now ? peer->calls->deadline - now : 0) < 0)
		log_error("no timer: a request to the helper %s may not end", peer->name);
}

static void arm_io(struct peer *peer)
{
	bool readable = peer->state > PEER_CONNECTING && !timer_is_set(peer->allowance);

	if (peer->state > PEER_CONNECTING &&
	    peer->carrier->type->wait(peer->carrier, readable, peer->blocked) < 0)
		log_error("cannot wait for the helper %s", peer->name);
}

static void schedule_attempt(struct peer *peer)
{
	bool stable = peer->ready_at != 0 && loop_now() - peer->ready_at >= STABLE_MIN;

	if (stable)
		peer->delay = DELAY_MIN;
	if (timer_set(peer->attempt, peer->delay) < 0)
		log_error("no timer: the helper %s is not connected to again", peer->name);
	peer->delay = peer->delay * 2 < DELAY_MAX ? peer->delay * 2 : DELAY_MAX;
}

/* Ends the connection, and all that was asked over it. */
static void disconnect(struct peer *peer)
{
	bool known = peer->state >= PEER_KNOWN;

	peer->state = PEER_CLOSED;
	peer->blocked = false;
	timer_stop(peer->allowance);
	peer->carrier->type->close(peer->carrier);
	schedule_attempt(peer);
	while (peer->calls)
		fail_call(peer, peer->calls, -ECONNRESET);
	timer_stop(peer->deadline);
	if (known)
		peer->config.disconnected(peer->config.userdata);
}

static void break_off(struct peer *peer, const char *why)
{
	log_warning("the connection to the helper %s is ended: %s", peer->name, why);
	disconnect(peer);
}

static unsigned int nr_open(const struct peer *peer)
{
	unsigned int nr = peer->nr_lost;

	for (const struct peer_call *c = peer->calls; c && !c->packet; c = c->next)
		nr++;
	return nr;
}

static struct peer_call *first_unsent(const struct peer *peer)
{
	struct peer_call *call = peer->calls;

	while (call && !call->packet)
		call = call->next;
	return call;
}

/* Sends what may be sent.  The connection may have ended when it returns. */
static void flush_calls(struct peer *peer)
{
	unsigned int open = nr_open(peer);

	peer->blocked = false;
	while (peer->state == PEER_READY && open < MAX_OPEN) {
		struct peer_call *call = first_unsent(peer);
		int r;

		if (!call)
			break;
		r = peer->carrier->type->send(peer->carrier, call->packet, strlen(call->packet));
		if (r == -EAGAIN) {
			peer->blocked = true;
			break;
		}
		if (r < 0) {
			break_off(peer, strerror(-r));
			return;
		}
		free(steal(&call->packet));
		open++;
	}
	arm_io(peer);
}

static void on_deadline(void *userdata)
{
	struct peer *peer = userdata;
	uint64_t now = loop_now();

	while (peer->calls && peer->calls->deadline <= now) {
		bool stuck = peer->calls->packet && peer->blocked;

		log_debug("the helper %s does not answer", peer->name);
		peer->nr_lost += !peer->calls->packet;
		fail_call(peer, peer->calls, -ETIMEDOUT);
		if (stuck || peer->nr_lost == MAX_OPEN) {
			break_off(peer, stuck ? "it does not read what it is sent"
					      : "it does not answer");
			return;
		}
	}
	flush_calls(peer);
	arm_deadline(peer);
}

static int on_hello(struct peer *peer, json_object *packet)
{
	uint64_t version, domid;
	const char *kind;

	if (packet_get_text(packet, "hello", MAX_NAME, &kind) < 0 ||
	    packet_get_uint(packet, "version", UINT32_MAX, &version) < 0 ||
	    packet_get_uint(packet, "domid", MAX_DOMID, &domid) < 0)
		return -EBADMSG;
	if (strcmp(kind, peer->config.kind) != 0 || version != PROTOCOL_VERSION)
		return -EPROTO;
	if (peer->carrier->domid >= 0 && domid != (uint64_t)peer->carrier->domid)
		return -EBADMSG;
	peer->state = PEER_KNOWN;
	peer->config.connected(peer->config.userdata, (uint32_t)domid);
	return 0;
}

static int on_event(struct peer *peer, json_object *packet)
{
	const char *name;

	if (packet_get_text(packet, "event", MAX_NAME, &name) < 0)
		return -EBADMSG;
	if (strcmp(name, "ready") != 0)
		return peer->config.event(peer->config.userdata, name, packet);
	if (peer->state == PEER_READY)
		return -EBADMSG;
	peer->state = PEER_READY;
	peer->ready_at = loop_now();
	peer->quiet = false;
	timer_stop(peer->attempt);
	log_info("the helper %s is connected", peer->name);
	peer->config.ready(peer->config.userdata);
	return 0;
}

/* The number in an id of ours.  -EBADMSG: it is none that was used. */
static int parse_id(const struct peer *peer, const char *id, uint64_t *ret_number)
{
	char canonical[MAX_ID + 1];
	size_t length = strlen(peer->prefix);

	if (strncmp(id, peer->prefix, length) != 0 || id[length] != '-')
		return -EBADMSG;
	*ret_number = strtoull(id + length + 1, NULL, 10);
	snprintf(canonical, sizeof(canonical), "%s-%" PRIu64, peer->prefix, *ret_number);
	return strcmp(id, canonical) == 0 && *ret_number < peer->nr_requests ? 0 : -EBADMSG;
}

static struct peer_call *find_call(const struct peer *peer, uint64_t number)
{
	struct peer_call *call = peer->calls;

	while (call && (call->packet || call->number != number))
		call = call->next;
	return call;
}

static int read_error(json_object *packet, struct peer_reply *reply)
{
	reply->error = -EREMOTEIO;
	if (packet_get_text(packet, "error", MAX_NAME, &reply->code) < 0 ||
	    packet_get_text(packet, "message", MAX_MESSAGE, &reply->message) < 0 || reply->fd >= 0)
		return -EBADMSG;
	return 0;
}

static int read_result(json_object *packet, const struct peer_call *call, struct peer_reply *reply)
{
	if (!json_object_object_get_ex(packet, "result", &reply->result) ||
	    !json_object_is_type(reply->result, json_type_object))
		return -EBADMSG;
	return (reply->fd >= 0) == call->wants_fd ? 0 : -EBADMSG;
}

/* The answer to a request that was given up has nobody to get it. */
static int on_answer(struct peer *peer, json_object *packet, int *fd)
{
	struct peer_reply reply = {.fd = -1};
	struct peer_call *call;
	uint64_t number;
	const char *id;
	int r, rules;

	if (packet_get_text(packet, "id", MAX_ID, &id) < 0 || parse_id(peer, id, &number) < 0)
		return -EBADMSG;
	call = find_call(peer, number);
	if (!call) {
		peer->nr_lost -= peer->nr_lost > 0;
		return 0;
	}
	reply.fd = steal_fd(fd);
	rules = json_object_object_get_ex(packet, "error", NULL)
			? read_error(packet, &reply)
			: read_result(packet, call, &reply);
	if (rules < 0) {
		reply.error = rules;
		closep(&reply.fd);
		reply.fd = -1;
	}
	r = end_call(peer, call, &reply);
	arm_deadline(peer);
	return rules < 0 ? rules : r;
}

static int on_packet(struct peer *peer, json_object *packet, int *fd)
{
	if (json_object_object_get_ex(packet, "id", NULL) && peer->state == PEER_READY)
		return on_answer(peer, packet, fd);
	if (*fd >= 0)
		return -EBADMSG;
	if (peer->state == PEER_CONNECTED)
		return on_hello(peer, packet);
	return on_event(peer, packet);
}

/* Positive: there may be more. */
static int receive(struct peer *peer)
{
	_cleanup_(json_putp) json_object *packet = NULL;
	_cleanup_(closep) int fd = -1;
	char data[PACKET_MAX];
	ssize_t size = peer->carrier->type->receive(peer->carrier, data, sizeof(data), &fd);
	int r;

	if (size == -EAGAIN)
		return 0;
	if (size == 0)
		return -ECONNRESET;
	r = size < 0 ? (int)size : packet_parse(data, (size_t)size, &packet);
	if (r == 0) {
		peer->nr_tokens--;
		r = on_packet(peer, packet, &fd);
	}
	return r < 0 ? r : 1;
}

/* What was not used while it was quiet may be used at once, up to a burst. */
static void refill(struct peer *peer)
{
	uint64_t periods = (loop_now() - peer->filled_at) / PERIOD;
	uint64_t tokens = peer->nr_tokens + periods * PER_PERIOD;

	peer->filled_at += periods * PERIOD;
	peer->nr_tokens = tokens < MAX_BURST ? (uint32_t)tokens : MAX_BURST;
}

/* It is left to wait for the rest of a period, and what it sends with it. */
static void slow_down(struct peer *peer)
{
	if (!peer->slowed)
		log_warning("the helper %s sends too much, and is slowed down", peer->name);
	peer->slowed = true;
	if (timer_set(peer->allowance, PERIOD) < 0)
		log_error("no timer: the helper %s is not slowed down", peer->name);
	arm_io(peer);
}

static void on_allowance(void *userdata)
{
	arm_io(userdata);
}

static void explain_end(struct peer *peer, int r)
{
	if (r == -ECONNRESET) {
		log_notice("the helper %s has ended the connection", peer->name);
		disconnect(peer);
		return;
	}
	if (r == -EPROTO)
		break_off(peer, "it has another kind or version");
	else if (r == -EBADMSG || r == -EMSGSIZE)
		break_off(peer, "it breaks the rules of the protocol");
	else
		break_off(peer, strerror(-r));
}

/* Bounded, so that others have their turn. */
static void on_packets(struct peer *peer)
{
	int r = 1;

	refill(peer);
	for (unsigned int i = 0; i < MAX_TURN && r > 0 && peer->nr_tokens > 0; i++)
		r = receive(peer);
	if (r < 0) {
		explain_end(peer, r);
		return;
	}
	if (peer->nr_tokens == 0)
		slow_down(peer);
	flush_calls(peer);
}

static void on_no_helper(struct peer *peer, int r)
{
	if (!peer->quiet)
		log_info("no helper %s at %s yet: %s", peer->name, peer->carrier->where,
			 strerror(-r));
	peer->quiet = true;
	peer->ready_at = 0;
	schedule_attempt(peer);
}

static void on_connection(struct peer *peer)
{
	peer->state = PEER_CONNECTED;
	peer->slowed = false;
	peer->nr_lost = 0;
	peer->ready_at = 0;
	if (timer_set(peer->attempt, HANDSHAKE_MAX) < 0)
		log_error("no timer: the helper %s has any time to get ready", peer->name);
	arm_io(peer);
}

/* A helper that is awaited is asked again from time to time, as something may have been lost. */
static void try_connect(struct peer *peer)
{
	int r = peer->carrier->type->connect(peer->carrier);

	if (r == 0) {
		on_connection(peer);
		return;
	}
	if (r != -EINPROGRESS) {
		if (peer->state == PEER_CONNECTING)
			peer->carrier->type->close(peer->carrier);
		peer->state = PEER_CLOSED;
		on_no_helper(peer, r);
		return;
	}
	if (peer->state == PEER_CONNECTING)
		return;
	peer->state = PEER_CONNECTING;
	if (timer_set(peer->attempt, DELAY_MAX) < 0)
		log_error("no timer: the helper %s is awaited once", peer->name);
}

static void on_attempt(void *userdata)
{
	struct peer *peer = userdata;

	if (peer->state > PEER_CONNECTING) {
		break_off(peer, "it does not get ready");
		return;
	}
	if (peer->state == PEER_CONNECTING)
		peer->carrier->type->close(peer->carrier);
	peer->state = PEER_CLOSED;
	try_connect(peer);
}

static void on_carrier(void *userdata)
{
	struct peer *peer = userdata;

	if (peer->state == PEER_CONNECTING)
		try_connect(peer);
	else if (peer->state > PEER_CONNECTING)
		on_packets(peer);
}

/* Ids must not be those of an earlier process, as a helper keeps what it has answered. */
static int choose_prefix(struct peer *peer)
{
	uint64_t random;

	if (getrandom(&random, sizeof(random), 0) != (ssize_t)sizeof(random))
		return -EIO;
	snprintf(peer->prefix, sizeof(peer->prefix), "%016" PRIx64, random);
	return 0;
}

static int start(struct peer *peer)
{
	struct loop *loop = peer->config.loop;
	int r = choose_prefix(peer);

	if (r == 0)
		r = timer_new(loop, on_attempt, peer, &peer->attempt);
	if (r == 0)
		r = timer_new(loop, on_deadline, peer, &peer->deadline);
	if (r == 0)
		r = timer_new(loop, on_allowance, peer, &peer->allowance);
	return r < 0 ? r : timer_set(peer->attempt, 0);
}

static void name_peer(struct peer *peer)
{
	if (peer->carrier->domid < 0)
		snprintf(peer->name, sizeof(peer->name), "%s", peer->config.kind);
	else
		snprintf(peer->name, sizeof(peer->name), "%s in domain %" PRId64, peer->config.kind,
			 peer->carrier->domid);
}

int peer_new(const struct peer_config *config, struct peer **ret_peer)
{
	struct peer *peer = config->carrier ? calloc(1, sizeof(*peer)) : NULL;
	int r;

	if (!peer) {
		if (config->carrier)
			config->carrier->type->free(config->carrier);
		return config->carrier ? -ENOMEM : -EINVAL;
	}
	peer->config = *config;
	peer->carrier = config->carrier;
	peer->carrier->ready = on_carrier;
	peer->carrier->userdata = peer;
	name_peer(peer);
	peer->delay = DELAY_MIN;
	peer->nr_tokens = MAX_BURST;
	peer->filled_at = loop_now();
	r = start(peer);
	if (r < 0) {
		peer_free(peer);
		return r;
	}
	*ret_peer = peer;
	return 0;
}

struct peer *peer_free(struct peer *peer)
{
	if (!peer)
		return NULL;
	peer->state = PEER_CLOSED;
	while (peer->calls)
		fail_call(peer, peer->calls, -ECONNRESET);
	peer->carrier->type->free(peer->carrier);
	timer_free(peer->allowance);
	timer_free(peer->deadline);
	timer_free(peer->attempt);
	free(peer);
	return NULL;
}

bool peer_is_ready(const struct peer *peer)
{
	return peer->state == PEER_READY;
}

bool peer_passes_fds(const struct peer *peer)
{
	return peer->carrier->type->passes_fds;
}

/* The text of a packet, to be freed.  Takes `members` over. */
static int make_packet(const struct peer *peer, const char *name, json_object *members,
		       char **ret_packet)
{
	_cleanup_(json_putp) json_object *object = members;
	char id[MAX_ID + 1];
	const char *text;
	size_t length;
	int r;

	if (!object)
		return -ENOMEM;
	snprintf(id, sizeof(id), "%s-%" PRIu64, peer->prefix, peer->nr_requests);
	r = json_add(object, "id", json_object_new_string(id));
	if (r == 0)
		r = json_add(object, "request", json_object_new_string(name));
	if (r < 0)
		return r;
	text = json_object_to_json_string_length(object, JSON_C_TO_STRING_PLAIN, &length);
	if (!text)
		return -ENOMEM;
	if (length > peer->carrier->type->packet_max)
		return -EMSGSIZE;
	*ret_packet = strdup(text);
	return *ret_packet ? 0 : -ENOMEM;
}

static struct peer_call *add_call(struct peer *peer, const struct peer_request *request,
				  char *packet)
{
	struct peer_call *call = calloc(1, sizeof(*call)), **end = &peer->calls;

	if (!call)
		return NULL;
	call->peer = peer;
	call->number = peer->nr_requests++;
	call->packet = packet;
	call->wants_fd = request->wants_fd;
	call->deadline = loop_now() + ANSWER_MAX;
	call->done = request->done;
	call->userdata = request->userdata;
	while (*end)
		end = &(*end)->next;
	*end = call;
	peer->nr_calls++;
	return call;
}

/* It is sent in a later turn of the loop, so that done() is never called from in here. */
int peer_send_request(struct peer *peer, const struct peer_request *request,
		      struct peer_call **ret_call)
{
	_cleanup_(freep) char *packet = NULL;
	int r = 0;

	if (peer->state != PEER_READY)
		r = -ENOTCONN;
	else if (peer->nr_calls >= MAX_CALLS)
		r = -EBUSY;
	else if (request->wants_fd && !peer->carrier->type->passes_fds)
		r = -EOPNOTSUPP;
	if (r < 0) {
		json_object_put(request->members);
		return r;
	}
	r = make_packet(peer, request->name, request->members, &packet);
	if (r < 0)
		return r;
	*ret_call = add_call(peer, request, packet);
	if (!*ret_call)
		return -ENOMEM;
	packet = NULL; /* the call has it */
	peer->blocked = true;
	arm_io(peer);
	arm_deadline(peer);
	return 0;
}

/* One that was sent keeps its place until the answer comes, as the helper counts it. */
void peer_call_cancel(struct peer_call *call)
{
	struct peer *peer = call->peer;

	if (!call->packet) {
		call->cancelled = true;
		return;
	}
	unlink_call(peer, call);
	call_free(call);
	arm_deadline(peer);
}
