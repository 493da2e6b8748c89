// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * hyperlaunchd's side of docs/dev/peers.md to a helper in another domain, which this test plays;
 * the store and libxenstore are this file's, in memory.
 */
#include <errno.h>
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <event2/event.h>
#include <json-c/json.h>
#include <xenstore.h>

#include "common/cleanup.h"
#include "common/clock.h"
#include "common/peer-channel.h"
#include "common/packet.h"
#include "loop/log.h"
#include "loop/loop.h"
#include "loop/timer.h"
#include "peers/peer.h"
#include "peers/remote.h"
#include "store/client.h"

#define SELF	 2
#define DOMID	 4
#define DIR	 "/tool/hyperlaunch/peer/4/test"
#define HELLO	 "{\"hello\": \"test\", \"version\": 1, \"domid\": 4}"
#define READY	 "{\"event\": \"ready\"}"
#define EVENT	 "{\"event\": \"a\"}"
#define NR_NODES 128
#define PATH	 160

struct node {
	char path[PATH], perms[32], value[4096];
};

/* xenstored, and the connection of the loop to it. */
struct store {
	struct node nodes[NR_NODES];
	unsigned int nr;
	char watched[PATH], token[64];
	bool deaf; /* watches do not fire */
	char refused[PATH];
	enum store_state state;
	uint64_t connection;
	struct store_listener *listener;
	struct store_task *tasks[64];
	unsigned int nr_tasks, nr_run;
	struct deferred *run, *fire;
};

struct world {
	struct loop *loop;
	struct timer *limit;
	bool over;
	struct store store;
	struct peer *peer;
	struct peer_channel helper;
	char last[CHANNEL_SESSION_SIZE]; /* its session that was ready */
	struct peer_packets in, out;
	char trace[128]; /* "c" connected, "e" event, "r" ready, "d" disconnected, "." an answer */
	uint64_t nr_events;
	int error; /* of the last answer */
};

/* libxenstore has no argument for it. */
static struct world *the_world;

static bool is_below(const char *path, const char *top)
{
	size_t length = strlen(top);

	return strncmp(path, top, length) == 0 && (path[length] == '/' || path[length] == '\0');
}

static void fire(struct store *store, const char *path)
{
	if (store->watched[0] && is_below(path, store->watched) && !store->deaf)
		deferred_request(store->fire);
}

static struct node *find(struct store *store, const char *path)
{
	for (unsigned int i = 0; i < store->nr; i++)
		if (strcmp(store->nodes[i].path, path) == 0)
			return &store->nodes[i];
	return NULL;
}

static struct node *add(struct store *store, const char *path)
{
	struct node *node = find(store, path);

	if (!node) {
		assert_true(store->nr < NR_NODES);
		node = &store->nodes[store->nr++];
		*node = (struct node){.path = ""};
		snprintf(node->path, sizeof(node->path), "%s", path);
	}
	fire(store, path);
	return node;
}

static void set(struct store *store, const char *path, const char *value)
{
	struct node *node = add(store, path);

	assert_in_range(strlen(value), 0, sizeof(node->value) - 1);
	memcpy(node->value, value, strlen(value) + 1);
}

static bool take_away(struct store *store, const char *path)
{
	bool found = false;

	for (unsigned int i = 0; i < store->nr;) {
		if (is_below(store->nodes[i].path, path)) {
			store->nodes[i] = store->nodes[--store->nr];
			found = true;
		} else {
			i++;
		}
	}
	fire(store, path);
	errno = ENOENT;
	return found;
}

static bool is_refused(const struct store *store, const char *path)
{
	errno = EACCES;
	return store->refused[0] && is_below(path, store->refused);
}

/* libxenstore, as the code under test calls it */

void *xs_read(struct xs_handle *h, xs_transaction_t t, const char *path, unsigned int *len)
{
	const struct node *node = find(&the_world->store, path);

	if (is_refused(&the_world->store, path))
		return NULL;
	errno = ENOENT;
	return node ? strdup(node->value) : NULL;
}

bool xs_write(struct xs_handle *h, xs_transaction_t t, const char *path, const void *data,
	      unsigned int len)
{
	if (is_refused(&the_world->store, path))
		return false;
	set(&the_world->store, path, data);
	return true;
}

bool xs_rm(struct xs_handle *h, xs_transaction_t t, const char *path)
{
	return !is_refused(&the_world->store, path) && take_away(&the_world->store, path);
}

bool xs_mkdir(struct xs_handle *h, xs_transaction_t t, const char *path)
{
	return !is_refused(&the_world->store, path) && add(&the_world->store, path);
}

bool xs_set_permissions(struct xs_handle *h, xs_transaction_t t, const char *path,
			struct xs_permissions *perms, unsigned int num_perms)
{
	struct node *node = find(&the_world->store, path);
	size_t size = 0;

	assert_non_null(node);
	for (unsigned int i = 0; node && i < num_perms; i++)
		size += (size_t)snprintf(node->perms + size, sizeof(node->perms) - size, "%s%c%u",
					 i ? " " : "", perms[i].perms == XS_PERM_READ ? 'r' : 'n',
					 perms[i].id);
	return true;
}

bool xs_watch(struct xs_handle *h, const char *path, const char *token)
{
	struct store *store = &the_world->store;

	errno = EEXIST;
	if (store->watched[0])
		return false;
	snprintf(store->watched, sizeof(store->watched), "%s", path);
	snprintf(store->token, sizeof(store->token), "%s", token);
	fire(store, path);
	return true;
}

bool xs_unwatch(struct xs_handle *h, const char *path, const char *token)
{
	struct store *store = &the_world->store;

	/* The kernel's device fails the request, and libxenstore closes the connection then. */
	assert_string_equal(store->watched, path);
	assert_string_equal(store->token, token);
	store->watched[0] = '\0';
	return true;
}

/* store/client.h */

int store_submit(struct store *store, struct store_task *task)
{
	assert_in_range(store->nr_tasks, 0, 63);
	store->tasks[store->nr_tasks++] = task;
	deferred_request(store->run);
	return 0;
}

enum store_state store_state(const struct store *store)
{
	return store->state;
}

uint64_t store_connection(const struct store *store)
{
	return store->connection;
}

int store_last_error(void)
{
	return -errno;
}

void store_listen(struct store *store, struct store_listener *listener)
{
	assert_null(store->listener);
	store->listener = listener;
}

void store_unlisten(struct store *store, struct store_listener *listener)
{
	assert_ptr_equal(store->listener, listener);
	store->listener = NULL;
}

static void run_tasks(void *userdata)
{
	struct store *store = userdata;
	struct store_task *task = store->tasks[0];
	int r;

	if (store->nr_tasks == 0)
		return;
	memmove(store->tasks, store->tasks + 1, --store->nr_tasks * sizeof(store->tasks[0]));
	store->nr_run++;
	r = task->type->run(task, NULL);
	task->type->done(task, task->userdata, r);
	task->type->free(task);
	if (store->nr_tasks > 0)
		deferred_request(store->run);
}

static void fire_watch(void *userdata)
{
	const struct store *store = userdata;

	if (!store->listener || !store->watched[0])
		return;
	assert_string_equal(store->token, store->listener->token);
	store->listener->fired(store->listener->userdata);
}

/* Tasks of a connection that has ended are never done. */
static void reconnect_store(struct store *store)
{
	store->state = STORE_UNAVAILABLE;
	store->watched[0] = '\0';
	while (store->nr_tasks > 0) {
		struct store_task *task = store->tasks[--store->nr_tasks];

		task->type->free(task);
	}
	store->listener->state(store->listener->userdata);
	store->state = STORE_CONNECTED;
	store->connection++;
	store->listener->state(store->listener->userdata);
}

/* The peer's user */

static void trace(struct world *world, char what)
{
	size_t length = strlen(world->trace);

	if (length + 1 < sizeof(world->trace)) {
		world->trace[length] = what;
		world->trace[length + 1] = '\0';
	}
}

static void on_connected(void *userdata, uint32_t domid)
{
	assert_int_equal(domid, DOMID);
	trace(userdata, 'c');
}

static int on_event(void *userdata, const char *name, json_object *members)
{
	struct world *world = userdata;

	world->nr_events++;
	trace(world, 'e');
	return 0;
}

static void on_ready(void *userdata)
{
	trace(userdata, 'r');
}

static void on_disconnected(void *userdata)
{
	trace(userdata, 'd');
}

static int on_done(void *userdata, struct peer_reply *reply)
{
	struct world *world = userdata;

	world->error = reply->error;
	trace(world, '.');
	return 0;
}

static void on_limit(void *userdata)
{
	struct world *world = userdata;

	world->over = true;
}

static void start_peer(struct world *world)
{
	struct peer_config config = {
		.loop = world->loop,
		.kind = "test",
		.connected = on_connected,
		.event = on_event,
		.ready = on_ready,
		.disconnected = on_disconnected,
		.userdata = world,
	};

	assert_int_equal(
		remote_new(world->loop, &world->store, SELF, DOMID, "test", &config.carrier), 0);
	assert_int_equal(peer_new(&config, &world->peer), 0);
}

static void restart_peer(struct world *world)
{
	peer_free(world->peer);
	start_peer(world);
}

static void start_helper(struct world *world)
{
	peer_packets_clear(&world->in);
	peer_packets_clear(&world->out);
	assert_int_equal(peer_channel_init(&world->helper, CHANNEL_HELPER, DOMID, "test"), 0);
}

static int setup(void **state)
{
	struct world *world = calloc(1, sizeof(*world));

	assert_non_null(world);
	the_world = world;
	log_set_level(getenv("TEST_VERBOSE") ? LOG_DEBUG : LOG_ERR);
	world->store.state = STORE_CONNECTED;
	assert_int_equal(loop_new(&world->loop), 0);
	assert_int_equal(timer_new(world->loop, on_limit, world, &world->limit), 0);
	assert_int_equal(deferred_new(world->loop, run_tasks, &world->store, &world->store.run), 0);
	assert_int_equal(deferred_new(world->loop, fire_watch, &world->store, &world->store.fire),
			 0);
	start_helper(world);
	start_peer(world);
	*state = world;
	return 0;
}

static int teardown(void **state)
{
	struct world *world = *state;
	struct store *store = &world->store;

	peer_free(world->peer);
	assert_null(store->listener);
	while (store->nr_tasks > 0)
		run_tasks(store);
	/* Nothing is left in xenstore. */
	assert_null(find(store, DIR));
	deferred_free(store->run);
	deferred_free(store->fire);
	peer_packets_clear(&world->in);
	peer_packets_clear(&world->out);
	timer_free(world->limit);
	loop_free(world->loop);
	free(world);
	return 0;
}

/* The helper */

static char *helper_read(void *store, const char *path)
{
	const struct node *node = find(store, path);

	errno = ENOENT;
	return node ? strdup(node->value) : NULL;
}

static bool helper_write(void *store, const char *path, const char *value)
{
	assert_true(is_below(path, DIR "/helper"));
	set(store, path, value);
	return true;
}

static bool helper_remove(void *store, const char *path)
{
	assert_true(is_below(path, DIR "/helper"));
	return take_away(store, path);
}

static const struct peer_channel_ops helper_ops = {
	.read = helper_read,
	.write = helper_write,
	.remove = helper_remove,
};

/* As one does: another session follows one that has ended. */
static void turn_helper(struct world *world)
{
	int r = peer_channel_exchange(&world->helper, &helper_ops, &world->store,
				      CHANNEL_WINDOW - world->in.nr, &world->out, &world->in);

	assert_true(r == 0 || r == -ECONNRESET);
	if (r < 0)
		start_helper(world);
}

static void turn(struct world *world)
{
	turn_helper(world);
	assert_int_equal(event_base_loop(loop_base(world->loop), EVLOOP_ONCE), 0);
	assert_false(world->over);
}

static void turn_until_sent(struct world *world)
{
	assert_int_equal(timer_set(world->limit, 20 * USEC_PER_SEC), 0);
	while (!world->helper.connected || world->out.nr > 0)
		turn(world);
	timer_stop(world->limit);
}

static void say(struct world *world, const char *text)
{
	assert_int_equal(peer_packets_add(&world->out, text, strlen(text)), 0);
	turn_until_sent(world);
}

static void await_for(struct world *world, const char *expected, uint64_t usec)
{
	assert_int_equal(timer_set(world->limit, usec), 0);
	while (strcmp(world->trace, expected) != 0) {
		if (strncmp(world->trace, expected, strlen(world->trace)) != 0)
			fail_msg("%s in place of %s", world->trace, expected);
		turn(world);
	}
	timer_stop(world->limit);
	world->trace[0] = '\0';
}

static void await(struct world *world, const char *expected)
{
	await_for(world, expected, 20 * USEC_PER_SEC);
}

static void await_connection(struct world *world)
{
	assert_int_equal(timer_set(world->limit, 40 * USEC_PER_SEC), 0);
	while (!world->helper.connected || strcmp(world->helper.own, world->last) == 0)
		turn(world);
	timer_stop(world->limit);
	memcpy(world->last, world->helper.own, sizeof(world->last));
}

/* On a connection that has not been ready yet. */
static void get_ready(struct world *world)
{
	await_connection(world);
	say(world, HELLO);
	say(world, READY);
	await(world, "cr");
	assert_true(peer_is_ready(world->peer));
}

static int ask(struct world *world, size_t padding, bool wants_fd)
{
	struct peer_request request = {
		.name = "do",
		.members = json_object_new_object(),
		.wants_fd = wants_fd,
		.done = on_done,
		.userdata = world,
	};
	char *text = calloc(1, padding + 1);
	struct peer_call *call;

	assert_non_null(text);
	memset(text, 'x', padding);
	json_object_object_add(request.members, "padding", json_object_new_string(text));
	free(text);
	return peer_send_request(world->peer, &request, &call);
}

static void answer(struct world *world)
{
	_cleanup_(freep) char *packet = NULL;
	json_object *object;
	char text[256];
	const char *id;

	assert_int_equal(timer_set(world->limit, 20 * USEC_PER_SEC), 0);
	while (!(packet = peer_packets_take(&world->in)))
		turn(world);
	timer_stop(world->limit);
	assert_int_equal(packet_parse(packet, strlen(packet), &object), 0);
	assert_int_equal(packet_get_text(object, "id", 64, &id), 0);
	snprintf(text, sizeof(text), "{\"id\": \"%s\", \"result\": {}}", id);
	json_object_put(object);
	say(world, text);
}

static void helper_node(struct world *world, const char *name, char path[PATH])
{
	snprintf(path, PATH, DIR "/helper/%s/%s", world->helper.own, name);
}

static void assert_perms(struct world *world, const char *path, const char *perms)
{
	const struct node *node = find(&world->store, path);

	assert_non_null(node);
	assert_string_equal(node ? node->perms : "", perms);
}

static void makes_directories_for_one_domain(void **state)
{
	struct world *world = *state;

	get_ready(world);
	assert_perms(world, "/tool/hyperlaunch/peer", "n2");
	assert_perms(world, "/tool/hyperlaunch/peer/4", "n2 r4");
	assert_perms(world, DIR, "n2 r4");
	assert_perms(world, DIR "/client", "n2 r4");
	assert_perms(world, DIR "/helper", "n4 r2");
}

static void requests_and_answers(void **state)
{
	struct world *world = *state;

	get_ready(world);
	for (unsigned int i = 0; i < 100; i++) {
		assert_int_equal(ask(world, 0, false), 0);
		answer(world);
		await(world, ".");
		assert_int_equal(world->error, 0);
	}
	/* What was read has gone. */
	turn(world);
	assert_in_range(world->store.nr, 0, 14);
}

/* More than fit at once. */
static void many_requests_and_events(void **state)
{
	struct world *world = *state;

	get_ready(world);
	for (unsigned int i = 0; i < 60; i++)
		assert_int_equal(ask(world, 0, false), 0);
	for (unsigned int i = 0; i < 60; i++)
		answer(world);
	await(world, "............................................................");
	for (unsigned int i = 0; i < 60; i++)
		say(world, EVENT);
	await(world, "eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee");
}

static void passes_no_descriptors(void **state)
{
	struct world *world = *state;

	get_ready(world);
	assert_int_equal(ask(world, 0, true), -EOPNOTSUPP);
}

static void request_that_is_too_long(void **state)
{
	struct world *world = *state;

	get_ready(world);
	assert_int_equal(ask(world, CHANNEL_PACKET_MAX, false), -EMSGSIZE);
	assert_int_equal(ask(world, CHANNEL_PACKET_MAX - 100, false), 0);
	answer(world);
	await(world, ".");
}

static void hello_of_another_domain(void **state)
{
	struct world *world = *state;

	await_connection(world);
	say(world, "{\"hello\": \"test\", \"version\": 1, \"domid\": 2}");
	assert_int_equal(timer_set(world->limit, 20 * USEC_PER_SEC), 0);
	while (strcmp(world->helper.own, world->last) == 0)
		turn(world);
	timer_stop(world->limit);
	assert_string_equal(world->trace, "");
}

static void packets_that_are_wrong(void **state)
{
	static const char *const wrong[] = {
		"nonsense", "[]", "{\"event\": 5}", READY, "{\"id\": 1, \"result\": {}}",
	};
	struct world *world = *state;

	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		get_ready(world);
		say(world, wrong[i]);
		await(world, "d");
		restart_peer(world);
	}
}

/* Written by a helper that does not keep to the rules. */
static void nodes_that_are_wrong(void **state)
{
	static const char *const names[] = {"1", "2", "3", "ack", "ack"};
	struct world *world = *state;
	char path[PATH], texts[5][4096] = {"", "", "", "9", "x"};

	memset(texts[1], ' ', CHANNEL_PACKET_MAX + 1);
	memset(texts[2], ' ', 4000);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		bool is_number = names[i][0] != 'a';

		get_ready(world);
		/* The next number. */
		helper_node(world, is_number ? "3" : names[i], path);
		set(&world->store, path, texts[i]);
		await(world, "d");
		restart_peer(world);
	}
}

static void helper_that_restarts(void **state)
{
	struct world *world = *state;

	get_ready(world);
	for (unsigned int i = 0; i < 3; i++) {
		assert_int_equal(ask(world, 0, false), 0);
		start_helper(world);
		await(world, ".d");
		assert_int_equal(world->error, -ECONNRESET);
		get_ready(world);
	}
}

static void helper_that_leaves(void **state)
{
	struct world *world = *state;

	get_ready(world);
	assert_int_equal(peer_channel_leave(&world->helper, &helper_ops, &world->store), 0);
	start_helper(world);
	await(world, "d");
	get_ready(world);
}

/* Or breaks what it may write to. */
static void helper_that_removes_its_directory(void **state)
{
	struct world *world = *state;

	get_ready(world);
	take_away(&world->store, DIR "/helper");
	await(world, "d");
	get_ready(world);
	assert_perms(world, DIR "/helper", "n4 r2");
}

/* After a kill nothing is taken away. */
static void hyperlaunchd_that_restarts(void **state)
{
	struct world *world = *state;

	get_ready(world);
	peer_free(world->peer);
	while (world->store.nr_tasks > 0) {
		struct store_task *task = world->store.tasks[--world->store.nr_tasks];

		task->type->free(task);
	}
	assert_non_null(find(&world->store, DIR "/client/session"));
	start_peer(world);
	get_ready(world);
}

static void xenstored_that_restarts(void **state)
{
	struct world *world = *state;

	get_ready(world);
	assert_int_equal(ask(world, 0, false), 0);
	reconnect_store(&world->store);
	await(world, ".d");
	get_ready(world);
	/* With all that was in it. */
	world->store.nr = 0;
	reconnect_store(&world->store);
	await(world, "d");
	get_ready(world);
}

static void xenstored_that_comes_later(void **state)
{
	struct world *world = *state;

	peer_free(world->peer);
	world->store.nr_tasks ? run_tasks(&world->store) : (void)0;
	world->store.state = STORE_UNAVAILABLE;
	start_peer(world);
	for (unsigned int i = 0; i < 3; i++) {
		assert_int_equal(event_base_loop(loop_base(world->loop), EVLOOP_NONBLOCK), 0);
		turn_helper(world);
	}
	assert_int_equal(world->store.nr, 0);
	world->store.state = STORE_CONNECTED;
	world->store.listener->state(world->store.listener->userdata);
	get_ready(world);
}

static void permissions_that_are_refused(void **state)
{
	struct world *world = *state;

	snprintf(world->store.refused, PATH, "%s", DIR);
	for (unsigned int i = 0; i < 10; i++)
		assert_int_equal(event_base_loop(loop_base(world->loop), EVLOOP_NONBLOCK), 0);
	world->store.refused[0] = '\0';
	get_ready(world);
	/* The helper takes its own away. */
	snprintf(world->store.refused, PATH, "%s", DIR "/helper");
	set(&world->store, DIR "/helper/anything", "");
	await(world, "d");
	world->store.refused[0] = '\0';
	get_ready(world);
}

/* The next one tells of all; and where there is none, it begins again after a while. */
static void watches_that_are_lost(void **state)
{
	struct world *world = *state;

	world->store.deaf = true;
	for (unsigned int i = 0; i < 20; i++) {
		assert_int_equal(event_base_loop(loop_base(world->loop), EVLOOP_NONBLOCK), 0);
		turn_helper(world);
	}
	assert_false(world->helper.connected);
	world->store.deaf = false;
	get_ready(world);
	world->store.deaf = true;
	assert_int_equal(ask(world, 0, false), 0);
	answer(world);
	world->store.deaf = false;
	say(world, EVENT);
	await(world, ".e");
}

/* Packets and watches alike; what it reads of them is bounded, and so is how often it looks. */
static void flood_is_slowed_down(void **state)
{
	struct world *world = *state;
	unsigned int before;
	uint64_t end;

	get_ready(world);
	before = world->store.nr_run;
	end = loop_now() + 2 * USEC_PER_SEC;
	while (loop_now() < end) {
		if (world->out.nr < CHANNEL_WINDOW)
			(void)peer_packets_add(&world->out, EVENT, strlen(EVENT));
		set(&world->store, DIR "/helper/anything", "x");
		turn(world);
	}
	assert_true(peer_is_ready(world->peer));
	assert_in_range(world->nr_events, 200, 4096 + 2200);
	assert_in_range(world->store.nr_run - before, 50, 2 * 200 + 20);
	assert_in_range(world->store.nr, 0, 2 * CHANNEL_WINDOW + 12);
	world->trace[0] = '\0';
}

static void freed_at_each_moment(void **state)
{
	struct world *world = *state;

	for (unsigned int turns = 0; turns < 12; turns++) {
		for (unsigned int i = 0; i < turns; i++) {
			turn_helper(world);
			assert_int_equal(event_base_loop(loop_base(world->loop), EVLOOP_NONBLOCK),
					 0);
		}
		restart_peer(world);
	}
	get_ready(world);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(makes_directories_for_one_domain),
		TEST(requests_and_answers),
		TEST(many_requests_and_events),
		TEST(passes_no_descriptors),
		TEST(request_that_is_too_long),
		TEST(hello_of_another_domain),
		TEST(packets_that_are_wrong),
		TEST(nodes_that_are_wrong),
		TEST(helper_that_restarts),
		TEST(helper_that_leaves),
		TEST(helper_that_removes_its_directory),
		TEST(hyperlaunchd_that_restarts),
		TEST(xenstored_that_restarts),
		TEST(xenstored_that_comes_later),
		TEST(permissions_that_are_refused),
		TEST(watches_that_are_lost),
		TEST(flood_is_slowed_down),
		TEST(freed_at_each_moment),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
