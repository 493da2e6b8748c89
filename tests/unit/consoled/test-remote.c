// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The helper's side of docs/dev/peers.md for hyperlaunchd in another domain, which this test plays
 * with nodes of a xenstored in memory.
 */
#include <errno.h>
#include <event2/event.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/peer-channel.h"
#include "fake-store.h"
#include "fake-xen.h"
#include "message.h"
#include "requests.h"
#include "serve.h"

#define GUEST	5u
#define DIR	"/tool/hyperlaunch/peer/1/console"
#define HELLO	"{\"hello\":\"console\",\"version\":1,\"domid\":1}"
#define READY	"{\"event\":\"ready\"}"
#define REQUEST "{\"id\":\"x\",\"request\":\"dance\"}"

struct world {
	struct serve serve;
	struct requests requests;
	struct peer *peer;
	struct peer_channel client;
	struct peer_packets in, out;
	char last[CHANNEL_SESSION_SIZE]; /* the helper's that was connected */
};

static void on_changed(void *userdata, struct console *console)
{
	struct world *world = userdata;
	struct console_status status;

	console_get_status(console, &status);
	peer_changed(world->peer, status.domid);
}

static void on_gone(void *userdata, uint32_t domid)
{
	struct world *world = userdata;

	peer_changed(world->peer, domid);
}

static void on_listed(void *userdata)
{
}

static void start_helper(struct world *world)
{
	struct peer_ops ops;

	world->requests.server = world->serve.server;
	ops = requests_ops(&world->requests);
	assert_int_equal(peer_new(world->serve.base, PEER_KIND, &ops, &world->peer), 0);
	assert_int_equal(peer_listen_remote(world->peer, &fake_store_ops, FAKE_SELF), 0);
	peer_start(world->peer, FAKE_SELF);
}

/* The client */

static char *node_read(void *store, const char *path)
{
	char value[4096];

	errno = ENOENT;
	return fake_store_get(path, value, sizeof(value)) ? strdup(value) : NULL;
}

static bool node_write(void *store, const char *path, const char *value)
{
	assert_true(strncmp(path, DIR "/client/", strlen(DIR "/client/")) == 0);
	fake_store_set(path, value);
	return true;
}

static bool node_remove(void *store, const char *path)
{
	assert_true(strncmp(path, DIR "/client/", strlen(DIR "/client/")) == 0);
	fake_store_set(path, NULL);
	return true;
}

static const struct peer_channel_ops ops = {
	.read = node_read,
	.write = node_write,
	.remove = node_remove,
};

static void start_client(struct world *world)
{
	peer_packets_clear(&world->in);
	peer_packets_clear(&world->out);
	fake_store_set(DIR, NULL);
	assert_int_equal(peer_channel_init(&world->client, CHANNEL_CLIENT, FAKE_SELF, "console"),
			 0);
	assert_int_equal(peer_channel_announce(&world->client, &ops, NULL), 0);
}

static int set_up(void **state)
{
	struct world *world = calloc(1, sizeof(*world));
	const struct server_observer observer = {
		.changed = on_changed, .gone = on_gone, .listed = on_listed, .userdata = world};

	assert_non_null(world);
	message_set_level(getenv("TEST_VERBOSE") ? LOG_DEBUG : LOG_ERR);
	serve_begin(&world->serve);
	serve_start(&world->serve, 1u << 20);
	server_observe(world->serve.server, &observer);
	start_helper(world);
	start_client(world);
	*state = world;
	return 0;
}

static int tear_down(void **state)
{
	struct world *world = *state;

	peer_free(world->peer);
	peer_packets_clear(&world->in);
	peer_packets_clear(&world->out);
	serve_end(&world->serve);
	free(world);
	return 0;
}

/* What the client sees of the connection: 0, or that it has ended. */
static int turn(struct world *world)
{
	serve_turn(&world->serve);
	return peer_channel_exchange(&world->client, &ops, NULL, CHANNEL_WINDOW - world->in.nr,
				     &world->out, &world->in);
}

static void await_connection(struct world *world)
{
	serve_until(&world->serve, (assert_int_equal(turn(world), 0), world->client.connected));
	assert_string_not_equal(world->client.other, world->last);
	memcpy(world->last, world->client.other, sizeof(world->last));
}

static void await_end(struct world *world)
{
	int r;

	serve_until(&world->serve, (r = turn(world)) < 0);
	assert_int_equal(r, -ECONNRESET);
}

static void take(struct world *world, char text[PEER_PACKET_SIZE + 1])
{
	char *packet = NULL;

	serve_until(&world->serve, (assert_int_equal(turn(world), 0),
				    (packet = peer_packets_take(&world->in)) != NULL));
	snprintf(text, PEER_PACKET_SIZE + 1, "%s", packet);
	free(packet);
}

static void expect(struct world *world, const char *expected)
{
	char text[PEER_PACKET_SIZE + 1];

	take(world, text);
	assert_string_equal(text, expected);
}

static void say(struct world *world, const char *text)
{
	assert_int_equal(peer_packets_add(&world->out, text, strlen(text)), 0);
}

/* The next answer, without the events before it. */
static void ask(struct world *world, const char *request, char text[PEER_PACKET_SIZE + 1])
{
	say(world, request);
	do
		take(world, text);
	while (strncmp(text, "{\"event\"", 8) == 0);
}

static void get_ready(struct world *world)
{
	char text[PEER_PACKET_SIZE + 1];

	await_connection(world);
	expect(world, HELLO);
	do
		take(world, text);
	while (strcmp(text, READY) != 0);
}

static void client_node(struct world *world, const char *name, char path[128])
{
	snprintf(path, 128, DIR "/client/%s/%s", world->client.own, name);
}

static void test_hello_then_events_then_ready(void **state)
{
	struct world *world = *state;
	char text[PEER_PACKET_SIZE + 1];

	serve_add(&world->serve, GUEST, UUID_A);
	await_connection(world);
	expect(world, HELLO);
	take(world, text);
	assert_non_null(strstr(text, "\"domid\":5,\"uuid\":\"" UUID_A "\",\"state\":\"serving\""));
	expect(world, READY);
	fake_store_remove_guest(GUEST);
	expect(world, "{\"event\":\"gone\",\"domid\":5}");
}

static void test_release_and_take(void **state)
{
	struct world *world = *state;
	char text[PEER_PACKET_SIZE + 1];

	serve_add(&world->serve, GUEST, UUID_A);
	get_ready(world);
	ask(world, "{\"id\":\"1\",\"request\":\"release\",\"domid\":5}", text);
	assert_non_null(strstr(text, "{\"id\":\"1\",\"result\":{\"input\":\"\""));
	assert_false(fake_is_bound(GUEST));
	ask(world, "{\"id\":\"2\",\"request\":\"take\",\"domid\":5}", text);
	assert_string_equal(text, "{\"id\":\"2\",\"result\":{}}");
}

static void test_descriptors_are_not_passed(void **state)
{
	static const char *const requests[] = {
		"{\"id\":\"x\",\"request\":\"attach\",\"domid\":5}",
		"{\"id\":\"x\",\"request\":\"log\",\"domid\":5}",
	};
	struct world *world = *state;
	char text[PEER_PACKET_SIZE + 1];

	serve_add(&world->serve, GUEST, UUID_A);
	get_ready(world);
	for (size_t i = 0; i < sizeof(requests) / sizeof(requests[0]); i++) {
		ask(world, requests[i], text);
		assert_non_null(strstr(text, "\"error\":\"NotSupported\""));
		serve_until(&world->serve, serve_status(&world->serve, GUEST).attached == 0);
	}
}

static void test_invalid_packets_end_the_connection(void **state)
{
	static const char *const packets[] = {
		"{", "[]", "null", "{\"id\":\"x\"}", "{\"request\":\"log\"}", "\xff\xfe", "{}{}",
	};
	struct world *world = *state;

	for (size_t i = 0; i < sizeof(packets) / sizeof(packets[0]); i++) {
		get_ready(world);
		say(world, packets[i]);
		await_end(world);
		start_client(world);
	}
}

static void test_invalid_nodes_end_the_connection(void **state)
{
	static const char *const nodes[][2] = {
		{"ack", "x"}, {"ack", "4000"}, {"1", ""}, {"1", NULL}};
	struct world *world = *state;
	char path[128], longest[CHANNEL_PACKET_MAX + 2];

	memset(longest, ' ', sizeof(longest));
	longest[sizeof(longest) - 1] = '\0';
	for (size_t i = 0; i < sizeof(nodes) / sizeof(nodes[0]); i++) {
		get_ready(world);
		client_node(world, nodes[i][0], path);
		fake_store_set(path, nodes[i][1] ? nodes[i][1] : longest);
		await_end(world);
		start_client(world);
	}
	/* No session at all is there. */
	get_ready(world);
	fake_store_set(DIR "/client/session", "../..");
	for (int i = 0; i < 5; i++)
		serve_turn(&world->serve);
	start_client(world);
	get_ready(world);
}

static void test_client_restarts(void **state)
{
	struct world *world = *state;

	for (int turns = 0; turns < 12; turns++) {
		start_client(world);
		for (int i = 0; i < turns; i++)
			assert_int_equal(turn(world), 0);
	}
	start_client(world);
	world->last[0] = '\0';
	get_ready(world);
	for (int i = 0; i < 3; i++) {
		start_client(world);
		get_ready(world);
	}
	/* It leaves, and comes back. */
	fake_store_set(DIR, NULL);
	for (int i = 0; i < 5; i++)
		serve_turn(&world->serve);
	start_client(world);
	get_ready(world);
}

static void test_helper_restarts(void **state)
{
	struct world *world = *state;
	char text[PEER_PACKET_SIZE + 1];

	get_ready(world);
	world->peer = peer_free(world->peer);
	/* It says so. */
	assert_int_equal(
		peer_channel_exchange(&world->client, &ops, NULL, 0, &world->out, &world->in),
		-ECONNRESET);
	start_client(world);
	for (int i = 0; i < 3; i++)
		serve_turn(&world->serve);
	start_helper(world);
	get_ready(world);
	ask(world, REQUEST, text);
	assert_non_null(strstr(text, "NotSupported"));
}

static void test_xenstored_restarts(void **state)
{
	struct world *world = *state;

	get_ready(world);
	fake_store_break(true);
	for (int i = 0; i < 5; i++)
		serve_turn(&world->serve);
	fake_store_break(false);
	await_end(world);
	start_client(world);
	get_ready(world);
}

/* Before hyperlaunchd has made the directories, and where they are taken away. */
static void test_refused_nodes(void **state)
{
	struct world *world = *state;

	fake_store_refuse("/tool");
	start_client(world);
	for (int i = 0; i < 10; i++)
		serve_turn(&world->serve);
	fake_store_refuse(NULL);
	start_client(world);
	world->last[0] = '\0';
	get_ready(world);
	fake_store_refuse(DIR "/helper");
	start_client(world);
	for (int i = 0; i < 10; i++)
		serve_turn(&world->serve);
	fake_store_refuse(NULL);
	start_client(world);
	get_ready(world);
}

/* The next one tells of all. */
static void test_lost_watches(void **state)
{
	struct world *world = *state;
	char text[PEER_PACKET_SIZE + 1];

	get_ready(world);
	/* The helper may still have events for what get_ready() wrote. */
	for (int i = 0; i < 5; i++)
		assert_int_equal(turn(world), 0);
	fake_store_deafen(true);
	say(world, REQUEST);
	for (int i = 0; i < 5; i++)
		assert_int_equal(turn(world), 0);
	assert_int_equal(world->in.nr, 0);
	fake_store_deafen(false);
	ask(world, REQUEST, text);
	ask(world, REQUEST, text);
	assert_int_equal(world->client.sent, 3);
}

/* Consoles are served, nothing piles up, and its connection ends once it has asked too much. */
static void test_client_that_never_reads(void **state)
{
	struct world *world = *state;
	unsigned int nr = 0;
	char path[128], value[16];

	get_ready(world);
	serve_add(&world->serve, GUEST, UUID_A);
	while (strcmp(world->client.other, world->last) == 0 && nr < 2000) {
		int r;

		if (world->out.nr < CHANNEL_WINDOW)
			say(world, REQUEST);
		serve_turn(&world->serve);
		r = peer_channel_exchange(&world->client, &ops, NULL, 0, &world->out, &world->in);
		if (r < 0)
			break;
		nr++;
	}
	assert_in_range(nr, 1, 1999);
	for (int i = CHANNEL_WINDOW + 1; i < 64; i++) {
		snprintf(path, sizeof(path), DIR "/helper/%s/%d", world->last, i + 8);
		assert_false(fake_store_get(path, value, sizeof(value)));
	}
	serve_print(&world->serve, GUEST, "logged\n", 7);
	serve_until(&world->serve, serve_log_ends(&world->serve, UUID_A ".log", "logged\n"));
	start_client(world);
	get_ready(world);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_hello_then_events_then_ready),
		TEST(test_release_and_take),
		TEST(test_descriptors_are_not_passed),
		TEST(test_invalid_packets_end_the_connection),
		TEST(test_invalid_nodes_end_the_connection),
		TEST(test_client_restarts),
		TEST(test_helper_restarts),
		TEST(test_xenstored_restarts),
		TEST(test_refused_nodes),
		TEST(test_lost_watches),
		TEST(test_client_that_never_reads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
