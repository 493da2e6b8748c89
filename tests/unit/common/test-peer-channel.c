// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Both sides of common/peer-channel.h on nodes in memory: what they pass to each other, each of
 * them killed at each of its requests, and nodes that break the rules.
 */
#include <errno.h>
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/cleanup.h"
#include "common/peer-channel.h"

#define DIR	 "/tool/hyperlaunch/peer/4/test"
#define NR_NODES 128
#define PATH	 160
#define FOREVER	 1000000

struct node {
	char path[PATH];
	char value[4096];
};

/* The nodes; all that can fail is counted. */
struct nodes {
	struct node list[NR_NODES];
	unsigned int nr, most;
	char refused[PATH];
};

/* One side, and how many requests it has left before it is killed. */
struct side {
	struct nodes *nodes;
	struct peer_channel channel;
	struct peer_packets out, in;
	unsigned int lives;
	bool dead;
	unsigned int to_send, seen; /* numbers in packets of this connection */
};

struct world {
	struct nodes nodes;
	struct side client, helper;
};

static bool is_below(const char *path, const char *top)
{
	size_t length = strlen(top);

	return strncmp(path, top, length) == 0 && (path[length] == '/' || path[length] == '\0');
}

static struct node *find(struct nodes *nodes, const char *path)
{
	for (unsigned int i = 0; i < nodes->nr; i++)
		if (strcmp(nodes->list[i].path, path) == 0)
			return &nodes->list[i];
	return NULL;
}

static void set(struct nodes *nodes, const char *path, const char *value)
{
	struct node *node = find(nodes, path);

	if (!node) {
		assert_true(nodes->nr < NR_NODES);
		node = &nodes->list[nodes->nr++];
		snprintf(node->path, sizeof(node->path), "%s", path);
	}
	snprintf(node->value, sizeof(node->value), "%s", value);
	if (nodes->nr > nodes->most)
		nodes->most = nodes->nr;
}

static bool take_away(struct nodes *nodes, const char *path)
{
	bool found = false;

	for (unsigned int i = 0; i < nodes->nr;) {
		if (is_below(nodes->list[i].path, path)) {
			nodes->list[i] = nodes->list[--nodes->nr];
			found = true;
		} else {
			i++;
		}
	}
	errno = ENOENT;
	return found;
}

/* errno is set where it is. */
static bool may(struct side *side, const char *path)
{
	if (side->lives == 0)
		side->dead = true;
	else
		side->lives--;
	errno = side->dead ? ECANCELED : EACCES;
	return !side->dead &&
	       (side->nodes->refused[0] == '\0' || !is_below(path, side->nodes->refused));
}

static char *node_read(void *store, const char *path)
{
	struct side *side = store;
	const struct node *node;

	if (!may(side, path))
		return NULL;
	node = find(side->nodes, path);
	errno = ENOENT;
	return node ? strdup(node->value) : NULL;
}

static bool node_write(void *store, const char *path, const char *value)
{
	struct side *side = store;

	if (!may(side, path))
		return false;
	set(side->nodes, path, value);
	return true;
}

static bool node_remove(void *store, const char *path)
{
	struct side *side = store;

	return may(side, path) && take_away(side->nodes, path);
}

static const struct peer_channel_ops ops = {
	.read = node_read,
	.write = node_write,
	.remove = node_remove,
};

static void begin(struct side *side, enum peer_side which)
{
	peer_packets_clear(&side->in);
	peer_packets_clear(&side->out);
	side->to_send = side->seen = 0;
	side->dead = false;
	assert_int_equal(peer_channel_init(&side->channel, which, 4, "test"), 0);
}

/* As hyperlaunchd does; it can be killed before and after. */
static void begin_client(struct world *world)
{
	take_away(&world->nodes, DIR);
	begin(&world->client, CHANNEL_CLIENT);
	assert_true(peer_channel_announce(&world->client.channel, &ops, &world->client) == 0 ||
		    world->client.dead);
}

static int setup(void **state)
{
	struct world *world = calloc(1, sizeof(*world));

	assert_non_null(world);
	world->client.nodes = world->helper.nodes = &world->nodes;
	world->client.lives = world->helper.lives = FOREVER;
	begin_client(world);
	begin(&world->helper, CHANNEL_HELPER);
	*state = world;
	return 0;
}

static int teardown(void **state)
{
	struct world *world = *state;

	peer_packets_clear(&world->client.in);
	peer_packets_clear(&world->client.out);
	peer_packets_clear(&world->helper.in);
	peer_packets_clear(&world->helper.out);
	free(world);
	return 0;
}

static int step(struct side *side, unsigned int max)
{
	return peer_channel_exchange(&side->channel, &ops, side, max, &side->out, &side->in);
}

static void connect_both(struct world *world)
{
	assert_int_equal(step(&world->helper, 0), 0);
	assert_int_equal(step(&world->client, 0), 0);
	assert_int_equal(step(&world->helper, 0), 0);
	assert_true(world->client.channel.connected && world->helper.channel.connected);
}

static void put(struct side *side, const char *text)
{
	assert_int_equal(peer_packets_add(&side->out, text, strlen(text)), 0);
}

static void expect(struct side *side, const char *text)
{
	_cleanup_(freep) char *packet = peer_packets_take(&side->in);

	assert_non_null(packet);
	assert_string_equal(packet, text);
}

static void own_node(const struct side *side, const char *name, char path[PATH])
{
	snprintf(path, PATH, DIR "/%s/%s/%s",
		 side->channel.side == CHANNEL_CLIENT ? "client" : "helper", side->channel.own,
		 name);
}

static void set_own(struct side *side, const char *name, const char *value)
{
	char path[PATH];

	own_node(side, name, path);
	set(side->nodes, path, value);
}

static bool has_own(struct side *side, const char *name)
{
	char path[PATH];

	own_node(side, name, path);
	return find(side->nodes, path);
}

static void passes_packets_both_ways(void **state)
{
	struct world *world = *state;

	put(&world->client, "early");
	connect_both(world);
	put(&world->client, "one");
	put(&world->helper, "uno");
	assert_int_equal(step(&world->helper, 16), 0);
	expect(&world->helper, "early");
	assert_int_equal(step(&world->client, 16), 0);
	expect(&world->client, "uno");
	assert_int_equal(step(&world->helper, 16), 0);
	expect(&world->helper, "one");
	assert_int_equal(world->client.in.nr + world->helper.in.nr, 0);
	/* What was read is acknowledged, and goes. */
	assert_int_equal(step(&world->client, 16), 0);
	assert_int_equal(step(&world->helper, 16), 0);
	assert_false(has_own(&world->client, "1") || has_own(&world->client, "2"));
	assert_false(has_own(&world->helper, "1"));
}

/* What one side does not read the other does not pile up. */
static void window_is_bounded(void **state)
{
	struct world *world = *state;

	connect_both(world);
	for (unsigned int i = 0; i < 3 * CHANNEL_WINDOW; i++) {
		if (world->helper.out.nr < CHANNEL_WINDOW)
			put(&world->helper, "event");
		assert_int_equal(step(&world->helper, 0), 0);
	}
	assert_int_equal(world->helper.channel.sent, CHANNEL_WINDOW);
	assert_int_equal(world->helper.out.nr, CHANNEL_WINDOW);
	assert_int_equal(peer_packets_add(&world->helper.out, "x", 1), -ENOBUFS);
	assert_int_equal(step(&world->client, 5), 0);
	assert_int_equal(world->client.in.nr, 5);
	assert_int_equal(step(&world->helper, 0), 0);
	assert_int_equal(world->helper.channel.sent, CHANNEL_WINDOW + 5);
	assert_in_range(world->nodes.most, 0, CHANNEL_WINDOW + 4);
}

/* Each has its number, and the next one is awaited. */
static void order_and_duplicates(void **state)
{
	struct world *world = *state;

	connect_both(world);
	set_own(&world->helper, "2", "second");
	assert_int_equal(step(&world->client, 16), 0);
	assert_int_equal(world->client.in.nr, 0);
	set_own(&world->helper, "1", "first");
	assert_int_equal(step(&world->client, 16), 0);
	expect(&world->client, "first");
	expect(&world->client, "second");
	/* Again, and what is no packet. */
	set_own(&world->helper, "1", "first");
	set_own(&world->helper, "2", "");
	set_own(&world->helper, "0", "zero");
	set_own(&world->helper, "03", "three");
	assert_int_equal(step(&world->client, 16), 0);
	assert_int_equal(world->client.in.nr, 0);
}

static void too_long_packet_ends_it(void **state)
{
	struct world *world = *state;
	char text[CHANNEL_PACKET_MAX + 2];

	memset(text, ' ', sizeof(text));
	text[CHANNEL_PACKET_MAX] = '\0';
	connect_both(world);
	set_own(&world->helper, "1", text);
	assert_int_equal(step(&world->client, 16), 0);
	expect(&world->client, text);
	text[CHANNEL_PACKET_MAX] = ' ';
	text[CHANNEL_PACKET_MAX + 1] = '\0';
	assert_int_equal(peer_packets_add(&world->client.out, text, strlen(text)), -EMSGSIZE);
	set_own(&world->helper, "2", text);
	assert_int_equal(step(&world->client, 16), -EMSGSIZE);
}

static void empty_packet_ends_it(void **state)
{
	struct world *world = *state;

	connect_both(world);
	set_own(&world->helper, "1", "");
	assert_int_equal(step(&world->client, 16), -EBADMSG);
}

static void wrong_acknowledgements(void **state)
{
	static const char *const wrong[] = {
		"", "-1", "+1", "01", "1 ", "0x1", "nonsense", "2", "18446744073709551616"};
	struct world *world = *state;

	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		begin_client(world);
		begin(&world->helper, CHANNEL_HELPER);
		connect_both(world);
		put(&world->client, "a");
		assert_int_equal(step(&world->client, 16), 0);
		set_own(&world->helper, "ack", wrong[i]);
		assert_int_equal(step(&world->client, 16), -EBADMSG);
	}
	begin_client(world);
	begin(&world->helper, CHANNEL_HELPER);
	connect_both(world);
	put(&world->client, "a");
	assert_int_equal(step(&world->client, 16), 0);
	set_own(&world->helper, "ack", "1");
	assert_int_equal(step(&world->client, 16), 0);
	set_own(&world->helper, "ack", "0");
	assert_int_equal(step(&world->client, 16), -EBADMSG);
}

static void wrong_sessions(void **state)
{
	static const char *const wrong[] = {
		"",
		"0123456789abcde",
		"0123456789ABCDEF",
		"0123456789abcdef0",
		"0123456789abcdef 0123456789abcde",
		"0123456789abcdef-0123456789abcdef",
		"../../../../../../local 0123456789abcdef",
		"0123456789abcdef 0123456789abcdef ",
	};
	struct world *world = *state;

	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		begin_client(world);
		set(&world->nodes, DIR "/helper/session", wrong[i]);
		assert_int_equal(step(&world->client, 16), -EBADMSG);
		begin(&world->helper, CHANNEL_HELPER);
		set(&world->nodes, DIR "/client/session", wrong[i]);
		assert_int_equal(step(&world->helper, 16), -EBADMSG);
	}
}

/* Of a helper that answers another client, nothing is read. */
static void answer_to_another_session(void **state)
{
	struct world *world = *state;

	assert_int_equal(step(&world->helper, 16), 0);
	begin(&world->client, CHANNEL_CLIENT);
	assert_int_equal(step(&world->client, 16), 0);
	assert_false(world->client.channel.connected);
}

static void either_side_ends_it(void **state)
{
	struct world *world = *state;

	connect_both(world);
	assert_int_equal(peer_channel_leave(&world->helper.channel, &ops, &world->helper), 0);
	assert_int_equal(step(&world->client, 16), -ECONNRESET);
	begin_client(world);
	assert_int_equal(step(&world->helper, 16), -ECONNRESET);
	begin(&world->helper, CHANNEL_HELPER);
	connect_both(world);
	assert_int_equal(peer_channel_leave(&world->client.channel, &ops, &world->client), 0);
	assert_int_equal(step(&world->helper, 16), -ECONNRESET);
}

static void refused_nodes(void **state)
{
	struct world *world = *state;

	snprintf(world->nodes.refused, PATH, "%s", DIR "/client");
	/* As where there is no directory yet. */
	assert_int_equal(step(&world->helper, 16), 0);
	snprintf(world->nodes.refused, PATH, "%s", DIR "/helper");
	assert_int_equal(step(&world->helper, 16), -EACCES);
	assert_int_equal(step(&world->client, 16), -EACCES);
	world->nodes.refused[0] = '\0';
	begin_client(world);
	begin(&world->helper, CHANNEL_HELPER);
	connect_both(world);
	snprintf(world->nodes.refused, PATH, "%s", DIR "/client");
	assert_int_equal(step(&world->helper, 16), -ECONNRESET);
}

/* Each packet is a number, which follows the last one of its connection. */
static void check_received(struct side *side)
{
	for (;;) {
		_cleanup_(freep) char *text = peer_packets_take(&side->in);

		if (!text)
			return;
		assert_int_equal(strtoul(text, NULL, 10), ++side->seen);
	}
}

static void fill(struct side *side)
{
	char text[16];

	if (side->out.nr == CHANNEL_WINDOW)
		return;
	snprintf(text, sizeof(text), "%u", ++side->to_send);
	put(side, text);
}

/* A turn of one side; another process follows one that was killed. */
static void turn(struct world *world, struct side *side)
{
	int r;

	fill(side);
	r = step(side, 3);
	if (r < 0 && !side->dead)
		assert_int_equal(r, -ECONNRESET);
	check_received(side);
	if (r == 0)
		return;
	if (side->dead)
		side->lives = FOREVER;
	if (side == &world->client)
		begin_client(world);
	else
		begin(side, CHANNEL_HELPER);
}

/* Returns whether it was killed, and not sooner than it could be. */
static bool survives(struct world *world, struct side *victim, unsigned int lives)
{
	bool killed;

	world->nodes.nr = world->nodes.most = 0;
	world->client.lives = world->helper.lives = FOREVER;
	begin_client(world);
	begin(&world->helper, CHANNEL_HELPER);
	victim->lives = lives;
	for (unsigned int i = 0; i < 12; i++) {
		turn(world, &world->helper);
		turn(world, &world->client);
	}
	killed = victim->lives > FOREVER / 2;
	victim->lives = FOREVER;
	world->client.seen = world->helper.seen = 0;
	begin_client(world);
	for (unsigned int i = 0; i < 12; i++) {
		turn(world, &world->helper);
		turn(world, &world->client);
	}
	assert_true(world->client.channel.connected && world->helper.channel.connected);
	assert_in_range(world->client.seen, 4, 100);
	assert_in_range(world->helper.seen, 4, 100);
	assert_in_range(world->nodes.most, 0, 2 * CHANNEL_WINDOW + 8);
	return killed;
}

/* Not only after that another client comes: the other side notices by itself. */
static void recovers(struct world *world, struct side *victim, unsigned int lives)
{
	world->nodes.nr = 0;
	begin_client(world);
	begin(&world->helper, CHANNEL_HELPER);
	victim->lives = lives;
	for (unsigned int i = 0; i < 60; i++) {
		turn(world, &world->helper);
		turn(world, &world->client);
	}
	victim->lives = FOREVER;
	assert_true(world->client.channel.connected && world->helper.channel.connected);
	assert_in_range(world->client.seen, 8, 200);
	assert_in_range(world->helper.seen, 8, 200);
}

static void killed_at_each_request(void **state)
{
	struct world *world = *state;
	struct side *victims[] = {&world->client, &world->helper};

	for (size_t i = 0; i < ARRAY_SIZE(victims); i++) {
		unsigned int lives = 0;

		while (survives(world, victims[i], lives)) {
			recovers(world, victims[i], lives);
			lives++;
		}
		assert_in_range(lives, 20, 500);
	}
}

static void kind_with_a_long_name(void **state)
{
	struct peer_channel channel;

	assert_int_equal(peer_channel_init(&channel, CHANNEL_CLIENT, 4,
					   "a kind with a name that is longer than any of a helper "
					   "that there will ever be"),
			 -ENAMETOOLONG);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(passes_packets_both_ways), TEST(window_is_bounded),
		TEST(order_and_duplicates),	TEST(too_long_packet_ends_it),
		TEST(empty_packet_ends_it),	TEST(wrong_acknowledgements),
		TEST(wrong_sessions),		TEST(answer_to_another_session),
		TEST(either_side_ends_it),	TEST(refused_nodes),
		TEST(killed_at_each_request),	cmocka_unit_test(kind_with_a_long_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
