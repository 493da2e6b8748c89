// SPDX-License-Identifier: LGPL-2.1-or-later
/* The client side of docs/dev/peers.md, with a helper that this test plays at the other end of the
 * socket. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>
#include <event2/event.h>
#include <json-c/json.h>

#include "common/cleanup.h"
#include "common/clock.h"
#include "common/packet.h"
#include "loop/log.h"
#include "loop/loop.h"
#include "loop/timer.h"
#include "peers/local.h"
#include "peers/peer.h"

#define HELLO "{\"hello\": \"test\", \"version\": 1, \"domid\": 7}"
#define READY "{\"event\": \"ready\"}"

struct world {
	struct loop *loop;
	struct timer *limit;
	bool over; /* the time for what is waited for */
	struct peer *peer;
	char dir[64], path[96];
	int listener, helper; /* the helper's end of the connection; -1: none */
	char trace[256]; /* "c" connected, "e" event, "r" ready, "d" disconnected, "." an answer */
	uint32_t domid;
	int error, fd; /* of the last answer */
	char code[32];
	int event_result, done_result;
};

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
	struct world *world = userdata;

	world->domid = domid;
	trace(world, 'c');
}

static int on_event(void *userdata, const char *name, json_object *members)
{
	struct world *world = userdata;

	trace(world, 'e');
	return world->event_result;
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
	snprintf(world->code, sizeof(world->code), "%s", reply->code ? reply->code : "");
	closep(&world->fd);
	world->fd = steal_fd(&reply->fd);
	trace(world, '.');
	return world->done_result;
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

	assert_int_equal(local_new(world->loop, world->path, &config.carrier), 0);
	assert_int_equal(peer_new(&config, &world->peer), 0);
}

static void listen_at(struct world *world)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	snprintf(address.sun_path, sizeof(address.sun_path), "%s", world->path);
	world->listener = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (world->listener < 0) {
		fail_msg("no socket");
		return;
	}
	assert_int_equal(bind(world->listener, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(listen(world->listener, 4), 0);
}

static int setup(void **state)
{
	struct world *world = calloc(1, sizeof(*world));

	assert_non_null(world);
	log_set_level(getenv("TEST_VERBOSE") ? LOG_DEBUG : LOG_ERR);
	world->helper = world->fd = -1;
	snprintf(world->dir, sizeof(world->dir), "/tmp/hl-peers-XXXXXX");
	assert_non_null(mkdtemp(world->dir));
	snprintf(world->path, sizeof(world->path), "%s/test", world->dir);
	listen_at(world);
	assert_int_equal(loop_new(&world->loop), 0);
	assert_int_equal(timer_new(world->loop, on_limit, world, &world->limit), 0);
	start_peer(world);
	*state = world;
	return 0;
}

static int teardown(void **state)
{
	struct world *world = *state;

	peer_free(world->peer);
	timer_free(world->limit);
	loop_free(world->loop);
	closep(&world->helper);
	closep(&world->listener);
	closep(&world->fd);
	(void)unlink(world->path);
	assert_int_equal(rmdir(world->dir), 0);
	free(world);
	return 0;
}

static void turn(struct world *world)
{
	assert_int_equal(event_base_loop(loop_base(world->loop), EVLOOP_ONCE), 0);
	assert_false(world->over);
}

/* Until that has been called, in this order, since the last time. */
static void await(struct world *world, const char *expected)
{
	assert_int_equal(timer_set(world->limit, 20 * USEC_PER_SEC), 0);
	while (strcmp(world->trace, expected) != 0) {
		if (strncmp(world->trace, expected, strlen(world->trace)) != 0)
			fail_msg("%s in place of %s", world->trace, expected);
		turn(world);
	}
	timer_stop(world->limit);
	world->trace[0] = '\0';
}

/* What is not to happen has not after that long. */
static void pass(struct world *world, uint64_t usec)
{
	assert_int_equal(timer_set(world->limit, usec), 0);
	while (!world->over)
		assert_int_equal(event_base_loop(loop_base(world->loop), EVLOOP_ONCE), 0);
	world->over = false;
	assert_string_equal(world->trace, "");
}

static void accept_peer(struct world *world)
{
	closep(&world->helper);
	assert_int_equal(timer_set(world->limit, 20 * USEC_PER_SEC), 0);
	do {
		world->helper = accept4(world->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
		if (world->helper < 0)
			turn(world);
	} while (world->helper < 0);
	timer_stop(world->limit);
}

static void send_fds(struct world *world, const void *data, size_t size, const int *fds, size_t nr)
{
	_Alignas(struct cmsghdr) char control[CMSG_SPACE(2 * sizeof(int))] = {0};
	struct iovec part = {.iov_base = (void *)data, .iov_len = size};
	struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};

	if (nr > 0) {
		struct cmsghdr *header = (struct cmsghdr *)control;

		message.msg_control = control;
		message.msg_controllen = CMSG_SPACE(nr * sizeof(int));
		header->cmsg_level = SOL_SOCKET;
		header->cmsg_type = SCM_RIGHTS;
		header->cmsg_len = CMSG_LEN(nr * sizeof(int));
		memcpy(CMSG_DATA(header), fds, nr * sizeof(int));
	}
	assert_int_equal(sendmsg(world->helper, &message, MSG_NOSIGNAL), size);
}

static void send_text(struct world *world, const char *text)
{
	send_fds(world, text, strlen(text), NULL, 0);
}

static void get_ready(struct world *world)
{
	accept_peer(world);
	send_text(world, HELLO);
	send_text(world, READY);
	await(world, "cr");
	assert_true(peer_is_ready(world->peer));
}

static int ask(struct world *world, bool wants_fd, struct peer_call **ret_call)
{
	const struct peer_request request = {
		.name = "do",
		.members = json_object_new_object(),
		.wants_fd = wants_fd,
		.done = on_done,
		.userdata = world,
	};

	return peer_send_request(world->peer, &request, ret_call);
}

/* The next request, as the helper has it: its id. */
static void read_request(struct world *world, char id[72])
{
	char data[PACKET_MAX + 1];
	json_object *packet;
	const char *text;
	ssize_t size;

	assert_int_equal(timer_set(world->limit, 20 * USEC_PER_SEC), 0);
	while ((size = recv(world->helper, data, sizeof(data), 0)) < 0)
		turn(world);
	timer_stop(world->limit);
	assert_int_equal(packet_parse(data, (size_t)size, &packet), 0);
	assert_int_equal(packet_get_text(packet, "request", 16, &text), 0);
	assert_string_equal(text, "do");
	assert_int_equal(packet_get_text(packet, "id", 64, &text), 0);
	snprintf(id, 72, "%s", text);
	json_object_put(packet);
}

static void answer(struct world *world, const char *id, const char *rest, int fd)
{
	char text[512];

	snprintf(text, sizeof(text), "{\"id\": \"%s\", %s}", id, rest);
	send_fds(world, text, strlen(text), &fd, fd >= 0);
}

static void assert_ended(struct world *world)
{
	char byte;

	assert_int_equal(recv(world->helper, &byte, 1, MSG_DONTWAIT), 0);
	assert_false(peer_is_ready(world->peer));
}

static void says_hello_and_ready(void **state)
{
	struct world *world = *state;
	struct peer_call *call;

	accept_peer(world);
	send_text(world, HELLO);
	send_text(world, "{\"event\": \"thing\", \"new\": [1, {}]}");
	await(world, "ce");
	assert_int_equal(world->domid, 7);
	assert_int_equal(ask(world, false, &call), -ENOTCONN);
	send_text(world, READY);
	await(world, "r");
}

static void answers_come_in_any_order(void **state)
{
	struct world *world = *state;
	struct peer_call *call;
	char first[72], second[72];

	get_ready(world);
	assert_int_equal(ask(world, false, &call), 0);
	assert_int_equal(ask(world, false, &call), 0);
	read_request(world, first);
	read_request(world, second);
	assert_string_not_equal(first, second);
	answer(world, second, "\"result\": {}", -1);
	await(world, ".");
	assert_int_equal(world->error, 0);
	answer(world, first, "\"error\": \"Busy\", \"message\": \"no\"", -1);
	await(world, ".");
	assert_int_equal(world->error, -EREMOTEIO);
	assert_string_equal(world->code, "Busy");
}

static void passes_a_descriptor(void **state)
{
	struct world *world = *state;
	struct peer_call *call;
	char id[72];

	get_ready(world);
	assert_int_equal(ask(world, true, &call), 0);
	read_request(world, id);
	answer(world, id, "\"result\": {}", STDIN_FILENO);
	await(world, ".");
	assert_int_equal(world->error, 0);
	assert_true(world->fd >= 0);
}

/* Each ends the connection before anything is made of it. */
static void hello_that_is_wrong(void **state)
{
	static const char *const wrong[] = {
		READY,
		"{\"hello\": \"other\", \"version\": 1, \"domid\": 7}",
		"{\"hello\": \"test\", \"version\": 2, \"domid\": 7}",
		"{\"hello\": \"test\", \"version\": 1, \"domid\": 32752}",
		"{\"hello\": \"test\", \"version\": 1, \"domid\": -1}",
	};
	struct world *world = *state;

	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		accept_peer(world);
		send_text(world, wrong[i]);
		turn(world);
		assert_ended(world);
		assert_string_equal(world->trace, "");
		/* Without the delay, which grows. */
		peer_free(world->peer);
		start_peer(world);
	}
}

static void packets_that_are_wrong(void **state)
{
	static const char *const wrong[] = {
		"nonsense",
		"[]",
		"\"text\"",
		"{}",
		"{\"event\": 5}",
		"{\"event\": \"a\"} {}",
		"{\"event\": \"a\"",
		"{\"event\": \"\\u0000a\"}",
		"{\"event\": \"\xff\"}",
		"{\"event\": \"a\", \"x\": [[[[[[[[[[1]]]]]]]]]]}",
		READY,
		"{'event': 'a'}",
		"{\"event\": \"a name that is longer than any that the protocol has\"}",
		"{\"id\": \"1\", \"result\": {}}",
		"{\"id\": 1, \"result\": {}}",
	};
	struct world *world = *state;

	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		get_ready(world);
		send_text(world, wrong[i]);
		await(world, "d");
		assert_ended(world);
		peer_free(world->peer);
		start_peer(world);
	}
}

static void packets_that_are_too_long(void **state)
{
	struct world *world = *state;
	char longest[PACKET_MAX + 1];

	snprintf(longest, sizeof(longest), "{\"event\": \"a\"%*s}", PACKET_MAX - 14, "");
	assert_int_equal(strlen(longest), PACKET_MAX);
	get_ready(world);
	send_fds(world, longest, PACKET_MAX, NULL, 0);
	await(world, "e");
	send_fds(world, longest, PACKET_MAX + 1, NULL, 0);
	await(world, "d");
}

static void descriptors_that_do_not_belong(void **state)
{
	static const int fds[] = {STDIN_FILENO, STDIN_FILENO};
	struct world *world = *state;
	struct peer_call *call;
	char id[72];

	get_ready(world);
	send_fds(world, "{\"event\": \"a\"}", 14, fds, 1);
	await(world, "d");
	get_ready(world);
	send_fds(world, "{\"event\": \"a\"}", 14, fds, 2);
	await(world, "d");
	get_ready(world);
	assert_int_equal(ask(world, false, &call), 0);
	read_request(world, id);
	answer(world, id, "\"result\": {}", STDIN_FILENO);
	await(world, ".d");
	assert_int_equal(world->error, -EBADMSG);
	assert_int_equal(world->fd, -1);
}

/* They could be those of the next request. */
static void ids_that_were_not_used(void **state)
{
	static const char *const wrong[] = {"1", "01", "00", "0 ", "18446744073709551616", ""};
	struct world *world = *state;
	struct peer_call *call;
	char id[72], other[100];

	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		get_ready(world);
		assert_int_equal(ask(world, false, &call), 0);
		read_request(world, id);
		snprintf(other, sizeof(other), "%.16s-%s", id, wrong[i]);
		answer(world, other, "\"result\": {}", -1);
		await(world, ".d");
		assert_int_equal(world->error, -ECONNRESET);
		peer_free(world->peer);
		start_peer(world);
	}
}

static void result_without_its_descriptor(void **state)
{
	struct world *world = *state;
	struct peer_call *call;
	char id[72];

	get_ready(world);
	assert_int_equal(ask(world, true, &call), 0);
	read_request(world, id);
	answer(world, id, "\"result\": {}", -1);
	await(world, ".d");
	assert_int_equal(world->error, -EBADMSG);
}

static void user_ends_the_connection(void **state)
{
	struct world *world = *state;
	struct peer_call *call;
	char id[72];

	get_ready(world);
	world->event_result = -EBADMSG;
	send_text(world, "{\"event\": \"a\"}");
	await(world, "ed");
	world->event_result = 0;
	get_ready(world);
	world->done_result = -EBADMSG;
	assert_int_equal(ask(world, false, &call), 0);
	read_request(world, id);
	answer(world, id, "\"result\": {}", -1);
	await(world, ".d");
}

/* Each request is answered, late answers are passed over, and the connection stays. */
static void helper_that_never_answers(void **state)
{
	struct world *world = *state;
	struct peer_call *call;
	char id[72];

	get_ready(world);
	assert_int_equal(ask(world, true, &call), 0);
	read_request(world, id);
	await(world, ".");
	assert_int_equal(world->error, -ETIMEDOUT);
	answer(world, id, "\"result\": {}", STDIN_FILENO);
	pass(world, 50 * USEC_PER_MSEC);
	assert_true(peer_is_ready(world->peer));
}

/* It has as many open as it may have, so that nothing could be asked any more. */
static void helper_that_answers_nothing(void **state)
{
	struct world *world = *state;
	struct peer_call *call;

	get_ready(world);
	for (unsigned int i = 0; i < 34; i++)
		assert_int_equal(ask(world, false, &call), 0);
	await(world, "..................................d");
	assert_int_equal(world->error, -ECONNRESET);
	get_ready(world);
}

static void helper_that_ends(void **state)
{
	struct world *world = *state;
	struct peer_call *call;
	char id[72];

	get_ready(world);
	assert_int_equal(ask(world, false, &call), 0);
	assert_int_equal(ask(world, false, &call), 0);
	read_request(world, id);
	closep(&world->helper);
	world->helper = -1;
	await(world, "..d");
	assert_int_equal(world->error, -ECONNRESET);
	assert_int_equal(ask(world, false, &call), -ENOTCONN);
	/* It comes back. */
	get_ready(world);
}

static void requests_wait_for_each_other(void **state)
{
	struct world *world = *state;
	struct peer_call *call;
	char id[72], first[72];
	char byte;

	get_ready(world);
	for (unsigned int i = 0; i < 33; i++)
		assert_int_equal(ask(world, false, &call), 0);
	read_request(world, first);
	for (unsigned int i = 1; i < 32; i++)
		read_request(world, id);
	pass(world, 20 * USEC_PER_MSEC);
	assert_int_equal(recv(world->helper, &byte, 1, MSG_DONTWAIT), -1);
	answer(world, first, "\"result\": {}", -1);
	await(world, ".");
	read_request(world, id);
}

static void requests_that_are_too_many(void **state)
{
	struct world *world = *state;
	struct peer_call *call;

	get_ready(world);
	for (unsigned int i = 0; i < 512; i++)
		assert_int_equal(ask(world, false, &call), 0);
	assert_int_equal(ask(world, false, &call), -EBUSY);
	/* Those that were not sent do not count any more. */
	peer_call_cancel(call);
	assert_int_equal(ask(world, false, &call), 0);
}

static void cancelled_call_is_not_answered(void **state)
{
	struct world *world = *state;
	struct peer_call *call;
	char id[72];

	get_ready(world);
	assert_int_equal(ask(world, true, &call), 0);
	read_request(world, id);
	peer_call_cancel(call);
	answer(world, id, "\"result\": {}", STDIN_FILENO);
	pass(world, 20 * USEC_PER_MSEC);
	assert_true(peer_is_ready(world->peer));
	assert_int_equal(ask(world, true, &call), 0);
	peer_call_cancel(call);
	pass(world, 20 * USEC_PER_MSEC);
}

/* A flood is read with a bounded rate once the burst is used up; other sources have their turn. */
static void flood_is_slowed_down(void **state)
{
	static const char event[] = "{\"event\": \"a\"}";
	struct world *world = *state;
	uint64_t end;
	unsigned int sent = 0;

	get_ready(world);
	end = loop_now() + 2 * USEC_PER_SEC;
	while (loop_now() < end) {
		while (send(world->helper, event, strlen(event), MSG_NOSIGNAL) > 0)
			sent++;
		assert_int_equal(event_base_loop(loop_base(world->loop), EVLOOP_NONBLOCK), 0);
		world->trace[0] = '\0';
	}
	assert_true(peer_is_ready(world->peer));
	/* 4096, 1000/s, and what is in the socket. */
	assert_in_range(sent, 4096, 4096 + 2200 + 700);
}

static void socket_refuses_long_paths(void **state)
{
	struct world *world = *state;
	struct carrier *carrier;
	char path[200];

	memset(path, 'x', sizeof(path) - 1);
	path[sizeof(path) - 1] = '\0';
	assert_int_equal(local_new(world->loop, path, &carrier), 0);
	assert_int_equal(carrier->type->connect(carrier), -ENAMETOOLONG);
	carrier->type->free(carrier);
	assert_int_equal(local_new(world->loop, "/nosuch/socket", &carrier), 0);
	assert_int_equal(carrier->type->connect(carrier), -ENOENT);
	carrier->type->free(carrier);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(says_hello_and_ready),
		TEST(answers_come_in_any_order),
		TEST(passes_a_descriptor),
		TEST(hello_that_is_wrong),
		TEST(packets_that_are_wrong),
		TEST(packets_that_are_too_long),
		TEST(descriptors_that_do_not_belong),
		TEST(ids_that_were_not_used),
		TEST(result_without_its_descriptor),
		TEST(user_ends_the_connection),
		TEST(helper_that_never_answers),
		TEST(helper_that_answers_nothing),
		TEST(helper_that_ends),
		TEST(requests_wait_for_each_other),
		TEST(requests_that_are_too_many),
		TEST(cancelled_call_is_not_answered),
		TEST(flood_is_slowed_down),
		TEST(socket_refuses_long_paths),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
